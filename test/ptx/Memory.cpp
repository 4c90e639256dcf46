//===- Memory.cpp - the memory of the device ---------------------------------------------------===//

#include "test/ptx/Memory.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>

namespace quern::ptx {

/// What addresses of the device have more than those of this process: no address of a process looks so.
static constexpr uint64_t deviceBit = uint64_t{1} << 52;
static constexpr uint64_t pageBytes = 4096;
/// Where an allocation begins in its pages: no alignment is promised above it.
static constexpr uint64_t alignment = 512;

Memory::~Memory() {
  for (auto &[begin, allocation] : allocations)
    munmap(allocation.mapping, allocation.mappedBytes);
}

Memory::Allocation *Memory::map(uint64_t bytes, bool isHost) {
  if (bytes == 0 || bytes > totalBytes || (!isHost && bytes > getFreeBytes()))
    return nullptr;
  uint64_t mappedBytes = (alignment + bytes + pageBytes - 1) / pageBytes * pageBytes;
  void *mapping =
      mmap(nullptr, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    return nullptr;
  Allocation allocation;
  allocation.mapping = static_cast<std::byte *>(mapping);
  allocation.mappedBytes = mappedBytes;
  allocation.isHost = isHost;
  std::byte *host = allocation.mapping + alignment;
  std::memset(host, 0xff, bytes);
  uint64_t begin = reinterpret_cast<uint64_t>(host) | (isHost ? 0 : deviceBit);
  allocation.range = {begin, bytes, host};
  usedBytes += isHost ? 0 : bytes;
  return &allocations.insert_or_assign(begin, allocation).first->second;
}

uint64_t Memory::allocate(uint64_t bytes) {
  Allocation *allocation = map(bytes, false);
  return allocation ? allocation->range.begin : 0;
}

void *Memory::allocateHost(uint64_t bytes) {
  Allocation *allocation = map(bytes, true);
  return allocation ? allocation->range.host : nullptr;
}

bool Memory::release(uint64_t address, bool isHost) {
  auto found = allocations.find(address);
  if (found == allocations.end() || found->second.isHost != isHost || found->second.isFreed)
    return false;
  Allocation &allocation = found->second;
  allocation.isFreed = true;
  usedBytes -= isHost ? 0 : allocation.range.bytes;
  // The pages go back, their addresses stay taken.
  mmap(allocation.mapping, allocation.mappedBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
       -1, 0);
  return true;
}

bool Memory::free(uint64_t address) { return release(address, false); }

bool Memory::freeHost(void *address) { return release(reinterpret_cast<uint64_t>(address), true); }

Range Memory::find(uint64_t address, uint64_t bytes) const {
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin())
    return {};
  const Allocation &allocation = std::prev(next)->second;
  return !allocation.isFreed && allocation.range.holds(address, bytes) ? allocation.range : Range();
}

std::byte *Memory::find(uint64_t address, uint64_t bytes, bool isDeviceOnly) const {
  Range range = find(address, bytes);
  if (!range.host || (isDeviceOnly && !(range.begin & deviceBit)))
    return nullptr;
  return range.at(address);
}

void Memory::describe(uint64_t address, char *text, size_t size) const {
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin()) {
    std::snprintf(text, size, "before all allocations");
    return;
  }
  const Allocation &allocation = std::prev(next)->second;
  uint64_t offset = address - allocation.range.begin, bytes = allocation.range.bytes;
  // Far behind all of them it is no address of the device at all.
  if (offset > bytes + (uint64_t{1} << 40))
    std::snprintf(text, size, "in no allocation");
  else if (offset >= bytes)
    std::snprintf(text, size, "%" PRIu64 " bytes behind an allocation of %" PRIu64 " bytes", offset - bytes, bytes);
  else
    std::snprintf(text, size, "at byte %" PRIu64 " of %s of %" PRIu64 " bytes", offset,
                  allocation.isFreed ? "a freed allocation" : "an allocation", bytes);
}

} // namespace quern::ptx
