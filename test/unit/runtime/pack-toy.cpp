/// Puts the toy model's data behind its code: `pack-toy CODE TOKENIZER OUT` writes
/// OUT = CODE | weights | tokenizer | trailer.

#include "ToyModel.h"
#include "runtime/Loader.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

static std::string readFile(const char *path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  std::string bytes = readFile(argv[1]);
  bytes.resize((bytes.size() + QUERN_DATA_ALIGNMENT - 1) / QUERN_DATA_ALIGNMENT * QUERN_DATA_ALIGNMENT);
  QuernTrailer trailer{};
  trailer.data_offset = bytes.size();
  bytes.append(quern::test::toyWeightsBytes, '\0');
  bytes += readFile(argv[2]);
  trailer.data_bytes = bytes.size() - trailer.data_offset;
  trailer.checksum = quern::runtime::computeChecksum(trailer, quern::test::getToyDescription());
  std::memcpy(trailer.magic, QUERN_TRAILER_MAGIC, sizeof(trailer.magic));
  bytes.append(reinterpret_cast<const char *>(&trailer), sizeof(trailer));
  std::ofstream(argv[3], std::ios::binary) << bytes;
  std::filesystem::permissions(argv[3], std::filesystem::perms::owner_all | std::filesystem::perms::group_all);
  return 0;
}
