//===- HugePages.cpp - a mapped file's memory moves to huge pages while it is read -------------===//

#include "runtime/HugePages.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <sys/mman.h>

namespace quern::runtime {

/// Bytes copied at a time: what is there twice, and what one interruption of the readers moves.
static constexpr uint64_t partBytes = 4 * hugePageBytes;

static uint64_t alignUp(uint64_t address) {
  return (address + hugePageBytes - 1) / hugePageBytes * hugePageBytes;
}

/// Whether the system gives huge pages to those who ask.
static bool areHugePagesGranted() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  return std::getline(file, modes) && modes.find("[never]") == std::string::npos;
}

/// The number in a file that holds only that; nothing where it holds none.
static std::optional<uint64_t> readNumber(const char *path) {
  uint64_t number = 0;
  return std::ifstream(path) >> number ? std::optional(number) : std::nullopt;
}

/// What the system, or the container that this process runs in, could give without swapping, in bytes; 0 where the system
/// does not say.
static uint64_t getAvailableMemory() {
  uint64_t available = 0;
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  for (uint64_t kibibytes = 0; file >> name >> kibibytes; std::getline(file, unit))
    if (name == "MemAvailable:")
      available = kibibytes * 1024;
  std::optional<uint64_t> limit = readNumber("/sys/fs/cgroup/memory.max");
  std::optional<uint64_t> used = readNumber("/sys/fs/cgroup/memory.current");
  if (limit && used)
    available = std::min(available, *limit > *used ? *limit - *used : 0);
  return available;
}

/// Replaces the `bytes` from `place` by huge pages that hold the same. Both are multiples of huge pages.
static bool movePart(uint8_t *place, uint64_t bytes) {
  uint64_t reserved = bytes + hugePageBytes;
  void *base = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    return false;
  auto *copy = reinterpret_cast<uint8_t *>(alignUp(reinterpret_cast<uintptr_t>(base)));
  madvise(copy, bytes, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_READ
  // One call instead of a fault for every few pages; a system that does not know it takes the faults.
  madvise(place, bytes, MADV_POPULATE_READ);
#endif
  std::memcpy(copy, place, bytes);
  // One step for all who read: they find the file's page or the copy's.
  bool isMoved = mprotect(copy, bytes, PROT_READ) == 0 &&
                 mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place) != MAP_FAILED;
  auto *end = static_cast<uint8_t *>(base) + reserved;
  if (!isMoved) {
    munmap(base, reserved);
    return false;
  }
  if (copy != base)
    munmap(base, static_cast<uint64_t>(copy - static_cast<uint8_t *>(base)));
  if (copy + bytes != end)
    munmap(copy + bytes, static_cast<uint64_t>(end - (copy + bytes)));
  return true;
}

HugePages::~HugePages() {
  stopping.store(true, std::memory_order_relaxed);
  finish();
}

void HugePages::start() {
  if (isStarted)
    return;
  isStarted = true;
  if (memory.size() < hugePageBytes || !areHugePagesGranted() || memory.size() > getAvailableMemory() / 2)
    isJoined = true;
  else
    // Without a thread the file serves.
    isJoined = pthread_create(&thread, nullptr, enter, this) != 0;
}

uint64_t HugePages::finish() {
  if (isStarted && !isJoined)
    pthread_join(thread, nullptr);
  isJoined = isStarted;
  return movedBytes;
}

void *HugePages::enter(void *self) {
  static_cast<HugePages *>(self)->copyAll();
  return nullptr;
}

void HugePages::copyAll() {
  uint8_t *first = memory.data(), *end = first + memory.size();
  auto *place = reinterpret_cast<uint8_t *>(alignUp(reinterpret_cast<uintptr_t>(first)));
  while (!stopping.load(std::memory_order_relaxed) && place < end) {
    uint64_t left = static_cast<uint64_t>(end - place) / hugePageBytes * hugePageBytes;
    uint64_t bytes = left < partBytes ? left : partBytes;
    if (!bytes || !movePart(place, bytes))
      return;
    place += bytes;
    movedBytes += bytes;
  }
}

} // namespace quern::runtime
