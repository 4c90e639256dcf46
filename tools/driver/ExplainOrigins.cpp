//===- ExplainOrigins.cpp - where the schedules of a plan come from ---------------------------===//

#include "tools/driver/Explanation.h"
#include "tools/driver/MedianGain.h"

#include "passes/tile/MeasuredSchedules.h"

using namespace mlir;

namespace quern::tool {

/// What a row was measured to be, and was expected to.
static void describeRow(ScheduleOrigin &origin, const ScheduleRow &row) {
  origin.pairs = row.samples.size();
  origin.gain = getMedianGain(row.samples);
  origin.baseTime = getMedian(llvm::make_first_range(row.samples));
  origin.time = getMedian(llvm::make_second_range(row.samples));
}

void findOrigins(Plan &plan, const codegen::TargetSpec &target, const MeasuredSchedules &measured) {
  for (Step &step : plan.steps) {
    TargetAttr attribute = target.getAttr(step.kernel.getContext());
    auto found = measured.find(step.kernel, attribute);
    if (!found || found->schedule != step.kernel.getScheduleAttr())
      continue;
    step.origin = ScheduleOrigin{found->path.str(), found->base, std::nullopt, found->expectedGain};
    if (!found->row)
      continue;
    describeRow(*step.origin, *found->row);
    step.origin->predictedGain = measured.predictGain(step.kernel, attribute, *found->row);
  }
}

} // namespace quern::tool
