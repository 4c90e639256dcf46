//===- ParameterRows.h - what a parameter's values show ---------------------------------------===//

#ifndef QUERN_PASSES_PARAMETERROWS_H
#define QUERN_PASSES_PARAMETERROWS_H

#include "dialect/Ops.h"
#include "dialect/ParameterSource.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace quern {

/// Gives the bytes of each row of `parameter`, of rank 1 or more, to `check` until that fails: whether none did. An error where
/// its value cannot be had.
mlir::FailureOr<bool> allRows(ParameterOp parameter, ParameterSource &source,
                              llvm::function_ref<bool(llvm::ArrayRef<uint8_t>)> check);

/// Whether `use` reads rows of a parameter: as the weight of a matmul or the table of a gather.
bool readsRows(mlir::OpOperand &use);

/// The parameters of `module` that entries read by rows alone, in their order.
llvm::SmallVector<ParameterOp> findReadByRows(mlir::ModuleOp module);

} // namespace quern

#endif // QUERN_PASSES_PARAMETERROWS_H
