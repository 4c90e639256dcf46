//===- ExplainOrigins.cpp - where the schedules of a plan come from ---------------------------===//

#include "tools/driver/Explanation.h"
#include "tools/driver/MedianGain.h"

#include "passes/tile/MeasuredSchedules.h"

using namespace mlir;

namespace quern::tool {

void findOrigins(Plan &plan, const codegen::TargetSpec &target, const MeasuredSchedules &measured) {
  for (Step &step : plan.steps)
    if (auto found = measured.find(step.kernel, target.getAttr(step.kernel.getContext())))
      step.origin = MeasuredStep{found->path.str(), found->row->base, found->row->samples.size(),
                                 getMedianGain(found->row->samples)};
}

} // namespace quern::tool
