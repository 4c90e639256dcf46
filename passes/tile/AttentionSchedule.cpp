//===- AttentionSchedule.cpp - the schedule of attention --------------------------------------===//

#include "passes/TensorType.h"
#include "passes/tile/Heuristics.h"
#include "passes/tile/Tiles.h"

#include "dialect/CacheLayout.h"
#include "dialect/Shapes.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace quern {

/// A tile's accumulators fill three quarters of the registers: rows of heads (tokens · heads that share a cache head)
/// by groups of cache rows, or vectors of values. Rows first: what is read of the cache, and widened, serves them all.
/// The cache of few queries is read once: what comes after the groups whose scores are computed side by side is asked
/// for ahead of time.
Values chooseAttention(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<AttendOp>(kernel.getAnchor());
  auto query = getTensorType(anchor.getQuery()), keys = getTensorType(anchor.getKeys());
  int64_t shared = query.getDimSize(1) / keys.getDimSize(1);
  int64_t registers = target.getVectorRegisters() * target.getVectorBits() / 32 / cacheLanes * 3 / 4;
  int64_t rows = areFew(query) ? 1 : std::clamp<int64_t>(registers / shared, 1, 12);
  int64_t columns = std::clamp<int64_t>(registers / (rows * shared), 1, 8);
  int64_t vectors = int64_t(1) << llvm::Log2_64(columns);
  int64_t bytes = vectors * cacheLanes * keys.getDimSize(2) * keys.getElementTypeBitWidth() / 8;
  int64_t prefetch = 0;
  if (areFew(query) && target.getPrefetchBytes() != 0)
    for (int64_t legal : getLegal(kernel.getForm(), "prefetch"))
      prefetch = prefetch < bytes ? legal : prefetch;
  return {rows, vectors, vectors, prefetch};
}

double estimateAttention(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  bool isFew = areFew(getTensorType(cast<AttendOp>(kernel.getAnchor()).getQuery()));
  // A chunk of few queries has one row; many read what they share again and again.
  if ((isFew && values[0] != 1) || (!isFew && values[3] != 0))
    return std::numeric_limits<double>::infinity();
  return estimateByDistance(kernel.getForm(), chooseAttention(kernel, target), values);
}

Features describeAttention(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  auto anchor = cast<AttendOp>(kernel.getAnchor());
  auto query = getTensorType(anchor.getQuery()), keys = getTensorType(anchor.getKeys());
  auto shared = double(query.getDimSize(1)) / double(keys.getDimSize(1));
  double registers = double(target.getVectorRegisters() * target.getVectorBits()) / 32 / cacheLanes;
  double rows = double(values[0]) * shared;
  Features features(areFew(query) ? "few" : "");
  features.add("rows", std::log2(double(values[0])));
  features.add("groups", std::log2(double(values[1])));
  features.add("elements", std::log2(double(values[2])));
  features.add("scores", rows * double(values[1]) / registers);
  features.add("sums", rows * double(values[2]) / registers);
  features.add("spilled scores", std::max(0.0, (rows + 1) * double(values[1]) / registers - 1));
  features.add("spilled sums", std::max(0.0, (rows + 1) * double(values[2]) / registers - 1));
  describePrefetch(features, values[3]);
  return features;
}

} // namespace quern
