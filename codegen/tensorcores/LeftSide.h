//===- LeftSide.h - the left side of products on tensor cores -------------------------------===//

#ifndef QUERN_CODEGEN_TENSORCORES_LEFTSIDE_H
#define QUERN_CODEGEN_TENSORCORES_LEFTSIDE_H

#include "codegen/DeviceSchedule.h"
#include "codegen/Lowering.h"
#include "codegen/tensorcores/TensorCores.h"

namespace quern::codegen {

/// The left side of `contraction`, u32 [pair, row · batch] with zeros behind the last pair, scheduled by `schedule`: a
/// pipeline of its own, whose inputs are those of `lowering`.
mlir::FailureOr<Halide::Func> buildLeftSide(Lowering &lowering, const TensorContraction &contraction,
                                            const DeviceSchedule &schedule);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TENSORCORES_LEFTSIDE_H
