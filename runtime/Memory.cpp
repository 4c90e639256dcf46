//===- Memory.cpp - memory that the system maps -----------------------------------------------===//

#include "runtime/Memory.h"

#include "runtime/HugePages.h"
#include "runtime/MappedFault.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace quern::runtime {

std::string describeSystemError(int number) {
  char buffer[128];
  // The GNU flavour returns the text, which need not be in the buffer.
  return strerror_r(number, buffer, sizeof(buffer));
}

Mapping::~Mapping() {
  if (!reservation)
    return;
  forgetMapping(base);
  munmap(reservation, reserved);
}

Result<Mapping> Mapping::allocate(uint64_t bytes, Pages pages, const char *what) {
  Mapping mapping;
  mapping.bytes = bytes ? bytes : 1;
  void *base = mmap(nullptr, mapping.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return Error{"could not reserve " + std::to_string(bytes) + " bytes for " + what + ": " +
                 describeSystemError(errno)};
  mapping.base = mapping.reservation = static_cast<uint8_t *>(base);
  mapping.reserved = mapping.bytes;
  // Advice: a system without huge pages serves small ones.
  if (pages == Pages::Huge)
    madvise(base, mapping.bytes, MADV_HUGEPAGE);
  return mapping;
}

Result<Mapping> Mapping::mapFile(int descriptor, uint64_t offset, uint64_t bytes, const std::string &path) {
  Mapping mapping;
  if (!bytes)
    return mapping;
  auto fail = [&]() -> Result<Mapping> {
    return Error{"could not map " + std::to_string(bytes) + " bytes of the file: " + describeSystemError(errno)};
  };
  // Addresses first, then the file at the first of them that may begin a huge page.
  uint64_t reserved = bytes + hugePageBytes;
  void *base = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return fail();
  mapping.reservation = static_cast<uint8_t *>(base);
  mapping.reserved = reserved;
  uint64_t skipped = (hugePageBytes - reinterpret_cast<uintptr_t>(base) % hugePageBytes) % hugePageBytes;
  void *file = mmap(mapping.reservation + skipped, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor,
                    static_cast<off_t>(offset));
  if (file == MAP_FAILED)
    return fail();
  mapping.base = static_cast<uint8_t *>(file);
  rememberMapping(file, bytes, path);
  mapping.bytes = bytes;
  return mapping;
}

} // namespace quern::runtime
