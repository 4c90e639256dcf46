//===- ExplainOrigins.cpp - where the schedules of a plan come from ---------------------------===//

#include "tools/driver/Explanation.h"
#include "tools/driver/MedianGain.h"

#include "passes/tile/MeasuredSchedules.h"

using namespace mlir;

namespace quern::tool {

void findOrigins(Plan &plan, const codegen::TargetSpec &target, const MeasuredSchedules &measured) {
  for (Step &step : plan.steps)
    if (auto found = measured.find(step.kernel, target.getAttr(step.kernel.getContext()))) {
      if (found->schedule != step.kernel.getScheduleAttr())
        continue;
      step.origin = ScheduleOrigin{found->path.str(), found->base, std::nullopt, found->expectedGain};
      if (found->row) {
        step.origin->pairs = found->row->samples.size();
        step.origin->gain = getMedianGain(found->row->samples);
      }
    }
}

} // namespace quern::tool
