//===- LanesSchedule.cpp - the schedules of kernels that compute vectors of elements ----------===//

#include "passes/tile/Heuristics.h"

using namespace mlir;

namespace quern {

/// Elements of f32 that a vector register holds.
static Values chooseRegister(TargetAttr target) { return {target.getVectorBits() / 32}; }

Values chooseMap(KernelOp, TargetAttr target) { return chooseRegister(target); }
Values chooseRows(KernelOp, TargetAttr target) { return chooseRegister(target); }
Values chooseAppend(KernelOp, TargetAttr target) { return chooseRegister(target); }
Values choosePool(KernelOp, TargetAttr target) { return chooseRegister(target); }
/// The elements of a packed row do not lie next to each other.
Values chooseGather(KernelOp, TargetAttr) { return {8}; }

double estimateMap(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return estimateByDistance(kernel.getForm(), chooseMap(kernel, target), values);
}
double estimateRows(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return estimateByDistance(kernel.getForm(), chooseRows(kernel, target), values);
}
double estimateAppend(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return estimateByDistance(kernel.getForm(), chooseAppend(kernel, target), values);
}
double estimatePool(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return estimateByDistance(kernel.getForm(), choosePool(kernel, target), values);
}
double estimateGather(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return estimateByDistance(kernel.getForm(), chooseGather(kernel, target), values);
}

// Routing is as its shape says.
Values chooseRouting(KernelOp, TargetAttr) { return {}; }
double estimateRouting(KernelOp, ArrayRef<int64_t>, TargetAttr) { return 1; }

} // namespace quern
