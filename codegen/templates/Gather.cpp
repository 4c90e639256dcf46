//===- Gather.cpp - elements of a table by indices --------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

/// A row in vectors of 8: the elements of a packed row do not lie next to each other. Rows in parallel.
static void schedule(Output &output) {
  if (output.vars.empty())
    return;
  vectorizeTail(output.func, output.vars[0], output.shape.back(), 8);
  if (output.vars.size() > 1 && !Halide::Internal::as_const_int(output.shape.front()))
    output.func.parallel(output.vars.back());
}

Space spaceGather(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Outputs> buildGather(Lowering &lowering, const Parameters &) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  schedule(*output);
  return Outputs{output->func};
}

int64_t prefetchGather(KernelOp, const TargetSpec &, const Parameters &) { return 0; }

} // namespace quern::codegen
