//===- HugePages.cpp - a mapped file's memory moves to huge pages while it is read -------------===//

#include "runtime/HugePages.h"

#include "runtime/File.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace quern::runtime {

/// Bytes copied at a time: what is there twice, and what one interruption of the readers moves.
static constexpr uint64_t partBytes = 4 * hugePageBytes;

/// Stack of the thread, whatever the limit on stacks.
static constexpr size_t stackBytes = size_t{256} << 10;

static uint64_t alignUp(uint64_t address) { return (address + hugePageBytes - 1) / hugePageBytes * hugePageBytes; }

/// Whether the system gives huge pages to those who ask. Where it counts what is reserved, it counts a part twice while
/// that moves, and refusing it then would leave a hole.
static bool areHugePagesGranted() {
  Result<std::string> modes = readFile("/sys/kernel/mm/transparent_hugepage/enabled");
  Result<std::string> reservations = readFile("/proc/sys/vm/overcommit_memory");
  bool countsReservations = !reservations || reservations->starts_with("2");
  return modes && modes->find("[never]") == std::string::npos && !countsReservations;
}

/// The number that follows `key` and spaces in `text`; 0 where there is none.
static uint64_t findNumber(std::string_view text, std::string_view key) {
  size_t place = text.find(key);
  if (place == std::string_view::npos)
    return 0;
  text.remove_prefix(place + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// What a limit on addresses or on data leaves, of which `usedKibibytes` are in use.
static uint64_t getLeft(__rlimit_resource resource, uint64_t usedKibibytes) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return UINT64_MAX;
  return limit.rlim_cur - std::min<uint64_t>(limit.rlim_cur, usedKibibytes * 1024);
}

/// What the system, the groups and the limits of this process could give without swapping, in bytes; 0 where the system
/// does not say.
static uint64_t getAvailableMemory(const Groups &groups) {
  Result<std::string> system = readFile("/proc/meminfo"), process = readFile("/proc/self/status");
  if (!system || !process)
    return 0;
  uint64_t available = findNumber(*system, "MemAvailable:") * 1024;
  available = std::min(available, groups.getFreeMemory().value_or(available));
  available = std::min(available, getLeft(RLIMIT_AS, findNumber(*process, "VmSize:")));
  return std::min(available, getLeft(RLIMIT_DATA, findNumber(*process, "VmData:")));
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

HugePages::HugePages(std::span<uint8_t> memory, std::span<const Range> ranges) {
  auto base = reinterpret_cast<uintptr_t>(memory.data());
  uint64_t first = alignUp(base) - base, last = memory.size() - (base + memory.size()) % hugePageBytes;
  uint64_t end = first;
  for (const Range &range : ranges) {
    uint64_t begin = std::max(alignUp(base + range.begin + 1) - hugePageBytes, base + end) - base;
    uint64_t stop = std::min(alignUp(base + range.end) - base, last);
    if (range.begin >= range.end || begin >= stop || memory.size() < last)
      continue;
    bool follows = !parts.empty() && begin == end;
    if (follows)
      parts.back() = {parts.back().data(), parts.back().size() + (stop - begin)};
    else
      parts.push_back(memory.subspan(begin, stop - begin));
    allBytes += stop - begin;
    end = stop;
  }
}

HugePages::~HugePages() {
  stopping.store(true, std::memory_order_relaxed);
  finish();
}

void HugePages::start() {
  if (isStarted)
    return;
  isStarted = true;
  if (parts.empty() || !areHugePagesGranted() || !hasRoom(allBytes))
    isJoined = true;
  else
    startThread();
}

void HugePages::startThread() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stackBytes);
  // Without a thread the file serves.
  isJoined = pthread_create(&thread, &attributes, enter, this) != 0;
  pthread_attr_destroy(&attributes);
}

/// Whether `bytes` more may move.
bool HugePages::hasRoom(uint64_t bytes) const { return getAvailableMemory(groups) >= bytes + allBytes; }

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
  for (std::span<uint8_t> part : parts)
    if (!copy(part))
      return;
}

/// Moves whole huge pages; false where that ended before them.
bool HugePages::copy(std::span<uint8_t> part) {
  while (!part.empty()) {
    std::span<uint8_t> next = part.first(std::min<uint64_t>(part.size(), partBytes));
    // Others, models too, may have taken what there was.
    if (stopping.load(std::memory_order_relaxed) || !hasRoom(allBytes - movedBytes) ||
        !movePart(next.data(), next.size()))
      return false;
    part = part.subspan(next.size());
    movedBytes += next.size();
  }
  return true;
}

} // namespace quern::runtime
