//===- CostModel.h - the schedule that a kernel gets without measuring ------------------------===//

#ifndef QUERN_PASSES_TILE_COSTMODEL_H
#define QUERN_PASSES_TILE_COSTMODEL_H

#include "passes/tile/Features.h"

#include "dialect/Ops.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace quern {

/// The schedule for `kernel` on `target`: of the legal values of its form's knobs, those that the model of the machine
/// finds cheapest, and what the kernel's own schedule says, unless that is for another kind of machine. Reads the
/// kernel and changes nothing.
ScheduleAttr chooseSchedule(KernelOp kernel, TargetAttr target);

/// Gives each kernel of `module` the schedule that `chooseSchedule` finds.
void selectSchedules(mlir::ModuleOp module, TargetAttr target);

/// A value for each knob of a kernel's form, in their order, and what the model of the machine expects of it, in a unit
/// of the kernel's own.
struct CandidatePlan {
  llvm::SmallVector<int64_t, 4> values;
  double cost = 0;
};

/// All plans of `kernel` that may be worth trying, whatever its schedule: first the one that `chooseSchedule` gives a
/// kernel without one, then the others, cheapest first.
std::vector<CandidatePlan> listPlans(KernelOp kernel, TargetAttr target);

/// What the model of the machine expects of any legal `values` of the knobs of `kernel`'s form, in a unit of the
/// kernel's own; infinity where they are not worth trying.
double estimatePlan(KernelOp kernel, llvm::ArrayRef<int64_t> values, TargetAttr target);

/// What a model that was fitted to measured plans is told of a kernel that has `plan`, one of `listPlans`.
Features describePlan(KernelOp kernel, const CandidatePlan &plan, TargetAttr target);
/// The same, of any legal `values` of its form's knobs.
Features describePlan(KernelOp kernel, llvm::ArrayRef<int64_t> values, TargetAttr target);

/// The same, of the plan that `chooseSchedule` gives a kernel without a schedule.
Features describeOwnPlan(KernelOp kernel, TargetAttr target);

/// The family of `kernel`: those that are taken to respond alike to what the features say. Its form, what products are
/// computed in, and the kind that `describePlan` says: `contract.i8.few`.
std::string getFamily(KernelOp kernel, TargetAttr target);

/// What a convolution like `conv`, but with `outputs` channels, takes for one image in a kernel of its own: in products
/// of a vector, as long as they take at best.
double estimateCost(Conv2dOp conv, int64_t outputs, TargetAttr target);

/// The machine that `module` is compiled for, its attribute `quern.target`; null where it has none.
TargetAttr getTarget(mlir::ModuleOp module);

/// The machine by which is decided what all targets of a binary share, such as which weights are joined: the attribute
/// `quern.weights_target` of `module`, else its target.
TargetAttr getWeightsTarget(mlir::ModuleOp module);

} // namespace quern

#endif // QUERN_PASSES_TILE_COSTMODEL_H
