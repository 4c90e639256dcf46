//===- SelectSchedules.cpp - a schedule for each kernel ---------------------------------------===//

#include "passes/Passes.h"
#include "passes/tile/CostModel.h"
#include "passes/tile/ScheduleDatabase.h"

#include "dialect/Ops.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_SELECTSCHEDULESPASS
#include "passes/Passes.h.inc"

/// The row that was measured of a kernel of that name on that target, or null.
static const ScheduleRow *findRow(const ScheduleDatabase &database, StringRef target, StringRef kernel) {
  for (const auto &[key, row] : database.rows)
    if (key.target == target && row.kernel == kernel)
      return &row;
  return nullptr;
}

/// A plan as a schedule.
static ScheduleAttr getSchedule(const Plan &plan, MLIRContext *context) {
  Builder builder(context);
  SmallVector<NamedAttribute> parameters;
  for (const auto &[knob, value] : plan)
    parameters.push_back(builder.getNamedAttr(knob, builder.getI64IntegerAttr(value)));
  return ScheduleAttr::get(context, builder.getDictionaryAttr(parameters));
}

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
      llvm::Expected<ScheduleDatabase> read = ScheduleDatabase::read(database);
      if (!read) {
        module.emitError() << llvm::toString(read.takeError());
        return signalPassFailure();
      }
      measured = std::move(*read);
    }
    for (KernelOp kernel : module.getOps<KernelOp>()) {
      if (kernel.getSchedule())
        continue;
      const ScheduleRow *row = findRow(measured, target.getName(), kernel.getSymName());
      kernel.setScheduleAttr(row ? getSchedule(row->plan, &getContext()) : chooseSchedule(kernel, target));
    }
  }
};

} // namespace

} // namespace quern
