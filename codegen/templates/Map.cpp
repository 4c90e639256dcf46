//===- Map.cpp - elementwise kernels ----------------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

FailureOr<KernelPlan> buildMap(Lowering &lowering, const Parameters &parameters) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  return planElements(lowering, *output, parameters);
}

} // namespace quern::codegen
