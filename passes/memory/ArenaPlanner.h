//===- ArenaPlanner.h - offsets for buffers with known lifetimes ------------------------------===//

#ifndef QUERN_PASSES_MEMORY_ARENAPLANNER_H
#define QUERN_PASSES_MEMORY_ARENAPLANNER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace quern {

/// The alignment of every planned buffer in bytes: a cache line, and the widest vector.
constexpr int64_t kArenaAlignment = 64;

/// A buffer that needs memory from one step to another, both included.
struct Lifetime {
  int64_t bytes;
  int64_t first;
  int64_t last;
};

/// Where each buffer lies, and the end of the last one.
struct ArenaPlan {
  llvm::SmallVector<int64_t> offsets;
  int64_t bytes = 0;
};

/// Places `buffers` so that no two that live at one step overlap. Larger buffers choose first, each the smallest gap
/// that fits among those that it meets (best fit), so the peak is close to the most that lives at once.
ArenaPlan planArena(llvm::ArrayRef<Lifetime> buffers);

} // namespace quern

#endif // QUERN_PASSES_MEMORY_ARENAPLANNER_H
