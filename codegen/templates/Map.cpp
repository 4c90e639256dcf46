//===- Map.cpp - elementwise kernels ----------------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

FailureOr<Outputs> buildMap(Lowering &lowering, const Parameters &parameters) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  scheduleElements(*output, parameters["lanes"]);
  return Outputs{output->func};
}

} // namespace quern::codegen
