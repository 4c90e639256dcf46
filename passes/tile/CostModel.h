//===- CostModel.h - the schedule that a kernel gets without measuring ------------------------===//

#ifndef QUERN_PASSES_TILE_COSTMODEL_H
#define QUERN_PASSES_TILE_COSTMODEL_H

#include "dialect/Ops.h"

namespace quern {

/// The schedule for `kernel` on `target`: of the legal values of its form's parameters, those that the model of the
/// machine finds cheapest. Reads the kernel and changes nothing.
ScheduleAttr chooseSchedule(KernelOp kernel, TargetAttr target);

} // namespace quern

#endif // QUERN_PASSES_TILE_COSTMODEL_H
