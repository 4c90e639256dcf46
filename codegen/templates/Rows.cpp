//===- Rows.cpp - norms, softmax, reductions --------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

/// All stages of one row next to each other, so that the row stays in the first cache; rows in parallel.
static void schedule(Output &output, const Lowering &lowering, int lanes) {
  vectorizeTail(output.func, output.vars[0], output.shape.back(), lanes);
  if (output.vars.size() < 2) {
    scheduleStages(lowering, output.func, nullptr, false);
    return;
  }
  scheduleStages(lowering, output.func, &output.vars[1], false);
  if (!Halide::Internal::as_const_int(output.shape.front()))
    output.func.parallel(output.vars.back());
}

FailureOr<Outputs> buildRows(Lowering &lowering, const Parameters &parameters) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  schedule(*output, lowering, parameters["lanes"]);
  return Outputs{output->func};
}

} // namespace quern::codegen
