//===- SelectSchedules.cpp - a schedule for each kernel ---------------------------------------===//

#include "passes/Passes.h"
#include "passes/tile/CostModel.h"
#include "passes/tile/MeasuredSchedules.h"

#include "dialect/Ops.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_SELECTSCHEDULESPASS
#include "passes/Passes.h.inc"

namespace {

struct SelectSchedulesPass : impl::SelectSchedulesPassBase<SelectSchedulesPass> {
  using SelectSchedulesPassBase::SelectSchedulesPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    TargetAttr target = getTarget(module);
    if (!target) {
      module.emitError() << "has no attribute `quern.target`, expected the #quern.target to compile for";
      return signalPassFailure();
    }
    std::vector<std::string> paths(databases.begin(), databases.end());
    llvm::Expected<MeasuredSchedules> measured = MeasuredSchedules::read(paths);
    if (!measured) {
      module.emitError() << llvm::toString(measured.takeError());
      return signalPassFailure();
    }
    for (KernelOp kernel : module.getOps<KernelOp>())
      if (!kernel.getSchedule())
        if (auto found = measured->find(kernel, target, [&](const Twine &why) { kernel.emitRemark() << why; }))
          kernel.setScheduleAttr(found->schedule);
    selectSchedules(module, target);
  }
};

} // namespace

void selectSchedules(ModuleOp module, TargetAttr target) {
  for (KernelOp kernel : module.getOps<KernelOp>())
    kernel.setScheduleAttr(chooseSchedule(kernel, target));
}

} // namespace quern
