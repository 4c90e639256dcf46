//===- Gather.cpp - elements of a table by indices --------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

Space spaceGather(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Outputs> buildGather(Lowering &lowering, const Parameters &) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  scheduleElements(*output, 8); // the elements of a packed row do not lie next to each other
  return Outputs{output->func};
}

int64_t prefetchGather(KernelOp, const TargetSpec &, const Parameters &) { return 0; }

} // namespace quern::codegen
