//===- LanesSchedule.cpp - the schedules of kernels that compute vectors of elements ----------===//

#include "passes/tile/Heuristics.h"

#include <cmath>

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

/// Wider than a register, and narrower, in powers of two.
static Features describeLanes(ArrayRef<int64_t> values, TargetAttr target) {
  double wider = std::log2(double(values[0] * 32) / double(target.getVectorBits()));
  Features features;
  features.add("wider", std::max(wider, 0.0));
  features.add("narrower", std::max(-wider, 0.0));
  return features;
}

#define QUERN_LANES(Form)                                                                                              \
  double estimate##Form(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {                                \
    return estimateByDistance(kernel.getForm(), choose##Form(kernel, target), values);                                 \
  }                                                                                                                    \
  Features describe##Form(KernelOp, ArrayRef<int64_t> values, TargetAttr target) {                                     \
    return describeLanes(values, target);                                                                              \
  }
QUERN_LANES(Map)
QUERN_LANES(Rows)
QUERN_LANES(Append)
QUERN_LANES(Pool)
QUERN_LANES(Gather)
#undef QUERN_LANES

// Routing is as its shape says.
Values chooseRouting(KernelOp, TargetAttr) { return {}; }
double estimateRouting(KernelOp, ArrayRef<int64_t>, TargetAttr) { return 1; }
Features describeRouting(KernelOp, ArrayRef<int64_t>, TargetAttr) { return {}; }

} // namespace quern
