//===- Scratch.h - the memory that kernels ask for while they run -----------------------------===//

#ifndef QUERN_RUNTIME_SCRATCH_H
#define QUERN_RUNTIME_SCRATCH_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace quern::runtime {

/// One thread's cache of freed blocks, so that a step after the first asks the system for nothing. Blocks come in sizes
/// of powers of two. A block may be released into another thread's cache.
///
/// A block is aligned to `alignment`, and the bytes around it may be read, as Halide's allocator promises.
class ScratchCache {
public:
  static constexpr size_t alignment = 128;

  ScratchCache() = default;
  ~ScratchCache();
  ScratchCache(const ScratchCache &) = delete;
  ScratchCache &operator=(const ScratchCache &) = delete;

  /// At least `bytes`, or null when the system has no more. A null cache takes them from the system.
  static void *allocate(ScratchCache *cache, size_t bytes);
  /// Gives back what `allocate` gave; null is allowed. A null cache gives them to the system.
  static void release(ScratchCache *cache, void *block);

private:
  /// Stands in front of each block; while the block is free, part of a list.
  struct Header {
    Header *next;
    uint32_t sizeClass;
  };
  static constexpr unsigned classCount = 48;
  /// Free blocks kept of one size.
  static constexpr uint32_t keptPerClass = 8;

  struct FreeList {
    Header *first = nullptr;
    uint32_t length = 0;
  };
  std::array<FreeList, classCount> lists;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_SCRATCH_H
