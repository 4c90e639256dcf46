/// A mapped file's memory moves to huge pages: same addresses, same bytes, also for those who read meanwhile.

#include "Check.h"
#include "runtime/File.h"
#include "runtime/HugePages.h"
#include "runtime/Memory.h"

#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

/// More than two parts, and a rest that fills no huge page.
constexpr uint64_t fileBytes = 9 * hugePageBytes + 12345;

constexpr HugePages::Range all[] = {{0, fileBytes}};

/// What holds bytes of huge pages 0, 1, 4 and 5, and of the rest at the end.
constexpr HugePages::Range some[] = {{hugePageBytes - 100, hugePageBytes + 100},
                                     {hugePageBytes + 200, hugePageBytes + 300},
                                     {3 * hugePageBytes, 3 * hugePageBytes},
                                     {4 * hugePageBytes, 6 * hugePageBytes},
                                     {fileBytes - 10, fileBytes}};

uint64_t valueAt(uint64_t word) { return word * 0x9e3779b97f4a7c15; }

void writeFile(const std::string &path) {
  std::vector<uint64_t> words(fileBytes / 8 + 1);
  for (uint64_t i = 0; i < words.size(); ++i)
    words[i] = valueAt(i);
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char *>(words.data()), fileBytes);
}

uint64_t countWrong(const Mapping &mapping) {
  const auto *words = reinterpret_cast<const uint64_t *>(mapping.data());
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < fileBytes / 8; ++i)
    wrong += words[i] != valueAt(i);
  return wrong;
}

bool areHugePagesGranted() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  return std::getline(file, modes) && modes.find("[never]") == std::string::npos;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3)
    return 2;
  // Where memory is short, nothing moves.
  bool isShort = argc == 3;
  Checks checks;
  writeFile(argv[1]);
  Result<FileDescriptor> file = FileDescriptor::openForReading(argv[1]);
  Result<Mapping> mapping = Mapping::mapFile(file->get(), 0, fileBytes, argv[1]);
  if (!checks.that(static_cast<bool>(mapping)))
    return checks.status();
  checks.equal(reinterpret_cast<uintptr_t>(mapping->data()) % hugePageBytes, 0u);

  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wrong{0};
  std::thread reader([&] {
    do
      wrong += countWrong(*mapping);
    while (!stop.load());
  });
  {
    HugePages pages({mapping->data(), fileBytes}, all);
    pages.start();
    pages.start();
    checks.equal(pages.finish(), areHugePagesGranted() && !isShort ? 9 * hugePageBytes : 0u);
  }
  stop = true;
  reader.join();
  checks.equal(wrong.load(), 0u);
  checks.equal(countWrong(*mapping), 0u);

  // Stopped while it copies, or never begun.
  Result<Mapping> again = Mapping::mapFile(file->get(), 0, fileBytes, argv[1]);
  if (checks.that(static_cast<bool>(again))) {
    HugePages({again->data(), fileBytes}, all);
    HugePages pages({again->data(), fileBytes}, all);
    pages.start();
  }
  checks.equal(countWrong(*again), 0u);

  // What holds none of the ranges stays where it is, so that there is room for the others where not all would have it.
  Result<Mapping> third = Mapping::mapFile(file->get(), 0, fileBytes, argv[1]);
  if (checks.that(static_cast<bool>(third))) {
    HugePages pages({third->data(), fileBytes}, some);
    pages.start();
    checks.equal(pages.finish(), areHugePagesGranted() ? 4 * hugePageBytes : 0u);
    checks.equal(countWrong(*third), 0u);
    HugePages none({third->data(), 1000}, some);
    none.start();
    checks.equal(none.finish(), 0u);
  }
  std::remove(argv[1]);
  return checks.status();
}
