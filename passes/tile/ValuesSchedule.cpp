//===- ValuesSchedule.cpp - the schedule of a product of values -------------------------------===//

#include "passes/tile/Heuristics.h"

using namespace mlir;

namespace quern {

Values chooseValues(KernelOp, TargetAttr target) { return {target.getVectorBits() >= 512 ? 8 : 4}; }

double estimateValues(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return estimateByDistance(kernel.getForm(), chooseValues(kernel, target), values);
}

} // namespace quern
