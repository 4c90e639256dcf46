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

/// How many of `shared` heads have sums in `registers` at once: as many parts of the same size as it takes, but rather
/// too large ones than such as leave more than half of the registers empty. Values that lie by rows are read once more
/// for each part, from memory that the rows do not fill evenly: that is worth it for many heads only.
static int64_t chooseHeads(KernelForm form, int64_t shared, int64_t registers, CacheLayout layout) {
  bool splits = shared > (layout == CacheLayout::Rows ? 4 * registers : registers);
  int64_t fits = 1;
  for (int64_t heads : getLegal(form, ScheduleKind::Processor, "heads")) {
    if (heads >= shared && !splits)
      return heads;
    if (shared % heads != 0)
      continue;
    if (heads > registers)
      return 2 * fits >= registers ? fits : heads;
    fits = heads;
  }
  return fits;
}

/// A tile's accumulators fill three quarters of the registers: rows of heads (tokens · heads that share a cache head)
/// by groups of cache rows, or vectors of values. Rows first: what is read of the cache, and widened, serves them all.
/// Of more heads than that a part is taken at a time.
/// The cache of few queries is read once: what comes after the groups whose scores are computed side by side is asked
/// for ahead of time.
Values chooseAttention(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<AttendOp>(kernel.getAnchor());
  auto query = getTensorType(anchor.getQuery()), keys = getTensorType(anchor.getKeys());
  int64_t shared = query.getDimSize(1) / keys.getDimSize(1);
  int64_t registers = target.getVectorRegisters() * target.getVectorBits() / 32 / cacheLanes * 3 / 4;
  int64_t heads = chooseHeads(kernel.getForm(), shared, registers, anchor.getLayout());
  int64_t rows = areFew(query) ? 1 : std::clamp<int64_t>(registers / shared, 1, 12);
  int64_t columns = std::clamp<int64_t>(registers / (rows * std::min(heads, shared)), 1, 8);
  int64_t vectors = int64_t(1) << llvm::Log2_64(columns);
  int64_t bytes = vectors * cacheLanes * keys.getDimSize(2) * keys.getElementTypeBitWidth() / 8;
  int64_t prefetch = 0;
  if (areFew(query) && target.getPrefetchBytes() != 0)
    for (int64_t legal : getLegal(kernel.getForm(), ScheduleKind::Processor, "prefetch"))
      prefetch = prefetch < bytes ? legal : prefetch;
  return {rows, heads, vectors, vectors, prefetch};
}

double estimateAttention(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  bool isFew = areFew(getTensorType(cast<AttendOp>(kernel.getAnchor()).getQuery()));
  // A chunk of few queries has one row; many read what they share again and again.
  if ((isFew && values[0] != 1) || (!isFew && values[4] != 0))
    return std::numeric_limits<double>::infinity();
  return estimateByDistance(kernel.getForm(), chooseAttention(kernel, target), values);
}

Features describeAttention(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  auto anchor = cast<AttendOp>(kernel.getAnchor());
  auto query = getTensorType(anchor.getQuery()), keys = getTensorType(anchor.getKeys());
  auto shared = double(query.getDimSize(1)) / double(keys.getDimSize(1));
  double registers = double(target.getVectorRegisters() * target.getVectorBits()) / 32 / cacheLanes;
  double rows = double(values[0]) * std::min(double(values[1]), shared);
  Features features(areFew(query) ? "few" : "");
  features.add("rows", std::log2(double(values[0])));
  features.add("heads", std::log2(double(values[1])));
  features.add("groups", std::log2(double(values[2])));
  features.add("elements", std::log2(double(values[3])));
  features.add("scores", rows * double(values[2]) / registers);
  features.add("sums", rows * double(values[3]) / registers);
  features.add("spilled scores", std::max(0.0, (rows + 1) * double(values[2]) / registers - 1));
  features.add("spilled sums", std::max(0.0, (rows + 1) * double(values[3]) / registers - 1));
  describePrefetch(features, values[4]);
  return features;
}

} // namespace quern
