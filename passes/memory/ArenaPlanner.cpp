//===- ArenaPlanner.cpp - offsets for buffers with known lifetimes ----------------------------===//

#include "passes/memory/ArenaPlanner.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MathExtras.h"

namespace quern {

/// The offset of the smallest gap between `taken`, sorted by their begins, that holds `bytes`; after the last one where
/// none does.
static int64_t findBestFit(llvm::ArrayRef<std::pair<int64_t, int64_t>> taken, int64_t bytes) {
  int64_t best = -1, bestGap = INT64_MAX, end = 0;
  for (auto [begin, stop] : taken) {
    int64_t gap = begin - end;
    if (gap >= bytes && gap < bestGap) {
      best = end;
      bestGap = gap;
    }
    end = std::max(end, stop);
  }
  return best >= 0 ? best : end;
}

ArenaPlan planArena(llvm::ArrayRef<Lifetime> buffers) {
  llvm::SmallVector<size_t> order = llvm::to_vector(llvm::seq<size_t>(0, buffers.size()));
  // Ties go to the buffer that is needed first, so the order is total and `sort` deterministic.
  llvm::sort(order,
             [&](size_t a, size_t b) { return std::tuple(-buffers[a].bytes, a) < std::tuple(-buffers[b].bytes, b); });

  ArenaPlan plan;
  plan.offsets.resize(buffers.size());
  llvm::SmallVector<size_t> placed;
  for (size_t index : order) {
    const Lifetime &buffer = buffers[index];
    // The half-open byte ranges of the placed buffers that live while this one does.
    llvm::SmallVector<std::pair<int64_t, int64_t>> taken;
    for (size_t other : placed)
      if (buffers[other].first <= buffer.last && buffer.first <= buffers[other].last)
        taken.emplace_back(plan.offsets[other],
                           plan.offsets[other] + int64_t(llvm::alignTo(buffers[other].bytes, kArenaAlignment)));
    llvm::sort(taken);
    int64_t bytes = llvm::alignTo(buffer.bytes, kArenaAlignment);
    plan.offsets[index] = findBestFit(taken, bytes);
    plan.bytes = std::max(plan.bytes, plan.offsets[index] + bytes);
    placed.push_back(index);
  }
  return plan;
}

} // namespace quern
