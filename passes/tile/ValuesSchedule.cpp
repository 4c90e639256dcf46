//===- ValuesSchedule.cpp - the schedule of a product of values -------------------------------===//

#include "passes/tile/Heuristics.h"

#include <cmath>

using namespace mlir;

namespace quern {

Values chooseValues(KernelOp, TargetAttr target) { return {target.getVectorBits() >= 512 ? 8 : 4}; }

double estimateValues(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return estimateByDistance(kernel.getForm(), chooseValues(kernel, target), values);
}

Features describeValues(KernelOp, ArrayRef<int64_t> values, TargetAttr target) {
  Features features;
  features.add("rows", std::log2(double(values[0])));
  features.add("registers", double(values[0]) / double(target.getVectorRegisters()));
  return features;
}

} // namespace quern
