//===- Rows.cpp - norms, softmax, reductions --------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

/// All stages of one row next to each other, so that the row stays in the first cache; rows in parallel.
static void schedule(Output output, const Lowering &lowering, int lanes) {
  vectorizeTail(output.func, output.vars[0], output.shape.back(), lanes);
  if (output.vars.size() < 2) {
    scheduleStages(lowering, output.func, nullptr, false);
    return;
  }
  scheduleStages(lowering, output.func, &output.vars[1], false);
  if (!Halide::Internal::as_const_int(output.shape.front()))
    output.func.parallel(output.vars.back());
}

/// A block per row, where all of it fits the memory that its threads share.
static void spread(const Output &output, const Lowering &lowering, const DeviceSchedule &device) {
  auto depth = Halide::Internal::as_const_int(output.shape.back());
  if (output.vars.size() >= 2 && depth && countSharedBytes(lowering, *depth) <= mostSharedBytes) {
    spreadStages(lowering, device, device.spreadBlocks(output.func, output.vars[0]));
    return;
  }
  spreadStages(lowering, device);
  device.spread(output.func);
}

FailureOr<KernelPlan> buildRows(Lowering &lowering, const Parameters &parameters) {
  FailureOr<Output> output = buildOutput(lowering, lowering.getKernel().getBody().front().begin());
  if (failed(output))
    return failure();
  return KernelPlan(
      {output->func},
      [output = *output, parameters, &lowering]() {
        schedule(output, lowering, parameters["lanes"]);
        return success();
      },
      [output = *output, &lowering](const DeviceSchedule &device) { spread(output, lowering, device); });
}

} // namespace quern::codegen
