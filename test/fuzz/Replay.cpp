/// Runs a fuzz target once on every file that is named, or that lies in a folder that is named.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void runFile(const std::filesystem::path &path) {
  std::cout << path.filename().string() << std::endl;
  std::ifstream stream(path, std::ios::binary);
  std::vector<uint8_t> bytes(std::istreambuf_iterator<char>(stream), {});
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

int main(int argc, char **argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      runFile(argv[i]);
      ++files;
      continue;
    }
    for (const auto &entry : std::filesystem::directory_iterator(argv[i])) {
      runFile(entry.path());
      ++files;
    }
  }
  if (files == 0)
    std::cerr << "found no inputs, expected at least one\n";
  return files > 0 ? 0 : 1;
}
