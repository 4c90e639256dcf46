//===- Gather.cpp - elements of a table by indices --------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

FailureOr<KernelPlan> buildGather(Lowering &lowering, const Parameters &parameters) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  return planElements(lowering, *output, parameters);
}

} // namespace quern::codegen
