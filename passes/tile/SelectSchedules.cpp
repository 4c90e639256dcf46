//===- SelectSchedules.cpp - a schedule for each kernel ---------------------------------------===//

#include "passes/Passes.h"
#include "passes/tile/CostModel.h"
#include "passes/tile/ScheduleDatabase.h"

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
    ScheduleDatabase measured;
    if (!database.empty()) {
      llvm::Expected<ScheduleDatabase> read = ScheduleDatabase::read(database, &getContext());
      if (!read) {
        module.emitError() << llvm::toString(read.takeError());
        return signalPassFailure();
      }
      measured = std::move(*read);
    }
    for (KernelOp kernel : module.getOps<KernelOp>()) {
      if (kernel.getSchedule())
        continue;
      ScheduleAttr schedule = measured.lookup(target.getName(), kernel.getSymName());
      kernel.setScheduleAttr(schedule ? schedule : chooseSchedule(kernel, target));
    }
  }
};

} // namespace

} // namespace quern
