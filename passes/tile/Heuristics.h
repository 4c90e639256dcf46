//===- Heuristics.h - who chooses the schedule of a kernel of each form -----------------------===//

#ifndef QUERN_PASSES_TILE_HEURISTICS_H
#define QUERN_PASSES_TILE_HEURISTICS_H

#include "passes/tile/Features.h"

#include "dialect/Ops.h"
#include "dialect/Schedules.h"

namespace quern {

/// A value for each knob of a form, in the order of Schedules.def.
using Values = llvm::SmallVector<int64_t, 4>;

// For each form, in <Form>Schedule.cpp, and for devices in DeviceSchedules.cpp:
//   choose<Form>    the values that its model of the machine finds best
//   estimate<Form>  what it expects a kernel to take with `values`, in a unit of its own; infinity for values that are
//                   not worth trying, since they cannot be fast or do what others do
//   describe<Form>  what a fitted model of the machine is told of `values`, besides the estimate
#define QUERN_SCHEDULE(Form, version)                                                                                  \
  Values choose##Form(KernelOp kernel, TargetAttr target);                                                             \
  double estimate##Form(KernelOp kernel, llvm::ArrayRef<int64_t> values, TargetAttr target);                           \
  Features describe##Form(KernelOp kernel, llvm::ArrayRef<int64_t> values, TargetAttr target);
#define QUERN_DEVICE_SCHEDULE(Form, version)                                                                           \
  Values chooseDevice##Form(KernelOp kernel, TargetAttr target);                                                       \
  double estimateDevice##Form(KernelOp kernel, llvm::ArrayRef<int64_t> values, TargetAttr target);                     \
  Features describeDevice##Form(KernelOp kernel, llvm::ArrayRef<int64_t> values, TargetAttr target);
#include "dialect/Schedules.def"

/// An estimate for forms whose knobs no model weighs: 1 for the values chosen, and a hundredth more for each step of a
/// knob away from them.
double estimateByDistance(KernelForm form, llvm::ArrayRef<int64_t> chosen, llvm::ArrayRef<int64_t> values);

/// Says how far ahead of time something is asked for: 0 bytes is not at all.
void describePrefetch(Features &features, int64_t bytes);

/// The binary logarithm of how much longer `tasks` equal tasks take on two threads than work that these share evenly.
double getTail(int64_t tasks);

/// The binary logarithm of how much longer `size` things take in whole units than they would in parts of them.
double getWaste(int64_t size, int64_t unit);

/// By how much more `bytes` are than a part of a cache, 2 to the power of -`room`: a binary logarithm, at least 0.
double getExcess(double bytes, double cache, double room);

/// How many images `images` has, its first dimension; of any number a batch.
int64_t countImages(mlir::RankedTensorType images);

} // namespace quern

#endif // QUERN_PASSES_TILE_HEURISTICS_H
