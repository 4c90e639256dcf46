//===- Map.cpp - elementwise kernels ----------------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

/// Whole rows of the last axis as vectors; the outermost axis in parallel where it is symbolic.
static void schedule(Output &output, const Lowering &lowering) {
  if (output.vars.empty())
    return;
  vectorizeTail(output.func, output.vars[0], output.shape.back(), lowering.getTarget().lanes());
  if (output.vars.size() > 1 && !Halide::Internal::as_const_int(output.shape.front()))
    output.func.parallel(output.vars.back());
}

Space spaceMap(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Outputs> buildMap(Lowering &lowering, const Parameters &) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  schedule(*output, lowering);
  return Outputs{output->func};
}

int64_t prefetchMap(KernelOp, const TargetSpec &, const Parameters &) { return 0; }

} // namespace quern::codegen
