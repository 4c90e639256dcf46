//===- Schedules.h - what the schedule of a kernel of each form may say -----------------------===//

#ifndef QUERN_DIALECT_SCHEDULES_H
#define QUERN_DIALECT_SCHEDULES_H

#include "dialect/Dialect.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace quern {

/// A row of Schedules.def: one named integer of a form's schedules.
struct Knob {
  llvm::StringRef name;
  /// Ascending.
  llvm::ArrayRef<int64_t> legal;
  llvm::StringRef meaning;
};

/// What a schedule is for.
enum class ScheduleKind { Processor, Device };

/// What schedules for `target` are for.
ScheduleKind getScheduleKind(TargetAttr target);

/// The knobs of the schedules of `form`, in their order.
llvm::ArrayRef<Knob> getKnobs(KernelForm form, ScheduleKind kind);

/// The legal values of knob `name` of `form`, which has it.
llvm::ArrayRef<int64_t> getLegal(KernelForm form, ScheduleKind kind, llvm::StringRef name);

/// The version of the template of `form`; see Schedules.def.
int64_t getScheduleVersion(KernelForm form, ScheduleKind kind);

/// What is wrong with a schedule of `form` that says `value` of `name`; nothing where that is legal.
std::optional<std::string> findFault(KernelForm form, ScheduleKind kind, llvm::StringRef name, int64_t value);

/// Whether `schedule` says nothing but legal values of knobs that `form` has on this kind of machine.
bool isFor(ScheduleAttr schedule, KernelForm form, ScheduleKind kind);

/// A schedule that says `values` of the knobs of `form`, in their order.
ScheduleAttr makeSchedule(mlir::MLIRContext *context, KernelForm form, ScheduleKind kind,
                          llvm::ArrayRef<int64_t> values);

/// Checks that `schedule` says only what a kernel of `form` may say on one kind of machine; it need not say all.
mlir::LogicalResult verifySchedule(llvm::function_ref<mlir::InFlightDiagnostic()> emitError, KernelForm form,
                                   ScheduleAttr schedule);

} // namespace quern

#endif // QUERN_DIALECT_SCHEDULES_H
