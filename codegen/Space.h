//===- Space.h - what a kernel's schedule may say ---------------------------------------------===//

#ifndef QUERN_CODEGEN_SPACE_H
#define QUERN_CODEGEN_SPACE_H

#include "codegen/Targets.h"
#include "dialect/Ops.h"

namespace quern::codegen {

/// One parameter of a template's schedule.
struct Knob {
  llvm::StringRef name;
  llvm::SmallVector<int64_t> legal;
  /// The value for a kernel whose schedule does not name it.
  int64_t fallback;

  /// What the schedule of `kernel` says.
  int64_t getValue(KernelOp kernel) const {
    ScheduleAttr schedule = kernel.getScheduleAttr();
    return schedule ? schedule.getInt(name, fallback) : fallback;
  }
};

/// The parameters of a template's schedule for one kernel.
using Space = llvm::SmallVector<Knob>;

/// Those of the template that compiles `kernel` for `target`.
Space getSpace(KernelOp kernel, const TargetSpec &target);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_SPACE_H
