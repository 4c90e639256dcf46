//===- ExplainOrigins.cpp - where the schedules of a plan come from ---------------------------===//

#include "tools/driver/Compiler.h"
#include "tools/driver/Explanation.h"

#include "passes/tile/MeasuredSchedules.h"

using namespace mlir;

namespace quern::tool {

static double getMedianGain(const TimePairs &samples) {
  std::vector<double> gains;
  for (const auto &[base, plan] : samples)
    gains.push_back(double(base) / double(plan));
  llvm::sort(gains);
  return gains.empty() ? 1 : gains[gains.size() / 2];
}

LogicalResult findOrigins(Plan &plan, const codegen::TargetSpec &target, llvm::ArrayRef<std::string> databases) {
  llvm::Expected<MeasuredSchedules> measured = MeasuredSchedules::read(databases);
  if (!measured)
    return refuse(measured.takeError());
  for (Step &step : plan.steps)
    if (auto found = measured->find(step.kernel, target.getAttr(step.kernel.getContext())))
      step.origin = MeasuredStep{found->path.str(), found->row->base, found->row->samples.size(),
                                 getMedianGain(found->row->samples)};
  return success();
}

} // namespace quern::tool
