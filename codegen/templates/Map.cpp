//===- Map.cpp - elementwise kernels ----------------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

Space spaceMap(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Outputs> buildMap(Lowering &lowering, const Parameters &) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  scheduleElements(*output, lowering.getTarget().lanes());
  return Outputs{output->func};
}

int64_t prefetchMap(KernelOp, const TargetSpec &, const Parameters &) { return 0; }

} // namespace quern::codegen
