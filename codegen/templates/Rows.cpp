//===- Rows.cpp - norms, softmax, reductions --------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

/// All stages of one row next to each other, so that the row stays in the first cache; rows in parallel.
static void schedule(Output &output, const Lowering &lowering) {
  vectorizeTail(output.func, output.vars[0], output.shape.back(), lowering.getTarget().lanes());
  if (output.vars.size() < 2) {
    scheduleStages(lowering, output.func, nullptr, false);
    return;
  }
  scheduleStages(lowering, output.func, &output.vars[1], false);
  if (!Halide::Internal::as_const_int(output.shape.front()))
    output.func.parallel(output.vars.back());
}

Space spaceRows(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Outputs> buildRows(Lowering &lowering, const Parameters &) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  schedule(*output, lowering);
  return Outputs{output->func};
}

int64_t prefetchRows(KernelOp, const TargetSpec &, const Parameters &) { return 0; }

} // namespace quern::codegen
