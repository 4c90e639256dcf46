//===- LeftSide.cpp - the left side of products on tensor cores -----------------------------===//

#include "codegen/tensorcores/LeftSide.h"
#include "codegen/templates/Contract.h"

using namespace mlir;

namespace quern::codegen {

FailureOr<Halide::Func> buildLeftSide(Lowering &lowering, const TensorContraction &contraction,
                                      const DeviceSchedule &schedule) {
  ContractFuncs funcs;
  funcs.m = Halide::Var("m");
  // As many as the steps along k have, which are no fewer than the weights'.
  funcs.lhsExtent = static_cast<int>(contraction.getLeftPairs());
  Formula lhs;
  if (failed(buildLhs(lowering, funcs, contraction.products.front(), QuantizeOp(), lhs)))
    return failure();
  Halide::OutputImageParam stored = funcs.lhs.output_buffer();
  stored.dim(0).set_bounds(0, funcs.lhsExtent).set_stride(1);
  stored.dim(1).set_min(0).set_stride(funcs.lhsExtent);
  spreadLhs(funcs, lowering, schedule);
  return funcs.lhs;
}

} // namespace quern::codegen
