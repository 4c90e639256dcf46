//===- Gather.cpp - elements of a table by indices --------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

FailureOr<Outputs> buildGather(Lowering &lowering, const Parameters &parameters) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  scheduleElements(*output, parameters["lanes"]);
  return Outputs{output->func};
}

} // namespace quern::codegen
