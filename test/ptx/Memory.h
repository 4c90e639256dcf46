//===- Memory.h - the memory of the device -----------------------------------------------------===//

#ifndef QUERN_TEST_PTX_MEMORY_H
#define QUERN_TEST_PTX_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <map>

namespace quern::ptx {

/// Addresses that both sides see, and where they are in this process. An empty range holds nothing.
struct Range {
  uint64_t begin = 0, bytes = 0;
  std::byte *host = nullptr;

  bool holds(uint64_t address, uint64_t size) const { return size <= bytes && address - begin <= bytes - size; }
  std::byte *at(uint64_t address) const { return host + (address - begin); }
};

/// Allocations. Addresses of the device are none of this process, so that neither side can use the other's by mistake,
/// and none is given out twice, so that what is freed is found out. Bytes that nobody has written are 0xff.
class Memory {
public:
  explicit Memory(uint64_t totalBytes) : totalBytes(totalBytes) {}
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  /// Memory of the device, aligned to 512 bytes; 0 if there is not enough.
  uint64_t allocate(uint64_t bytes);
  /// Memory of the host that kernels may use, too, at the same address; null if there is not enough.
  void *allocateHost(uint64_t bytes);
  /// Whether there was an allocation of this kind that begins here; it is gone now.
  bool free(uint64_t address);
  bool freeHost(void *address);

  /// The allocation that holds `bytes` from `address` on; an empty range if there is none.
  Range find(uint64_t address, uint64_t bytes) const;
  /// Where memory of the device is in this process; null if `bytes` from `address` on are not in one allocation.
  std::byte *find(uint64_t address, uint64_t bytes, bool isDeviceOnly) const;
  /// What is near `address`, for messages: "128 bytes behind an allocation of 1024 bytes".
  void describe(uint64_t address, char *text, size_t size) const;

  uint64_t getTotalBytes() const { return totalBytes; }
  uint64_t getFreeBytes() const { return totalBytes - usedBytes; }

private:
  struct Allocation {
    Range range;
    bool isHost = false;
    bool isFreed = false;
    std::byte *mapping = nullptr;
    uint64_t mappedBytes = 0;
  };

  Allocation *map(uint64_t bytes, bool isHost);
  bool release(uint64_t address, bool isHost);

  uint64_t totalBytes, usedBytes = 0;
  /// By their first addresses; those that are freed, too.
  std::map<uint64_t, Allocation> allocations;
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_MEMORY_H
