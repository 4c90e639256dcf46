//===- CostModel.h - the schedule that a kernel gets without measuring ------------------------===//

#ifndef QUERN_PASSES_TILE_COSTMODEL_H
#define QUERN_PASSES_TILE_COSTMODEL_H

#include "dialect/Ops.h"

#include "mlir/IR/BuiltinOps.h"

namespace quern {

/// The schedule for `kernel` on `target`: of the legal values of its form's parameters, those that the model of the
/// machine finds cheapest. Reads the kernel and changes nothing.
ScheduleAttr chooseSchedule(KernelOp kernel, TargetAttr target);

/// What a convolution like `conv`, but with `outputs` channels, takes for one image in a kernel of its own: in products
/// of a vector, as long as they take at best.
double estimateCost(Conv2dOp conv, int64_t outputs, TargetAttr target);

/// The machine that `module` is compiled for, its attribute `quern.target`; null where it has none.
TargetAttr getTarget(mlir::ModuleOp module);

} // namespace quern

#endif // QUERN_PASSES_TILE_COSTMODEL_H
