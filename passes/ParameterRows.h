//===- ParameterRows.h - what a parameter's values show ---------------------------------------===//

#ifndef QUERN_PASSES_PARAMETERROWS_H
#define QUERN_PASSES_PARAMETERROWS_H

#include "dialect/Ops.h"
#include "dialect/ParameterSource.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace quern {

/// The parameters of `module` that entries read by rows alone, as weights of matmuls and tables of gathers, that are of
/// a type that `isCandidate`, and whose rows, of the values that `source` has, all pass `check`, in their order.
/// Without a source values are the random ones of tests. Up to `processes` processes look at them. An error where a
/// value cannot be had.
mlir::FailureOr<llvm::SmallVector<ParameterOp>> findByRows(mlir::ModuleOp module, ParameterSource *source,
                                                           llvm::function_ref<bool(mlir::RankedTensorType)> isCandidate,
                                                           llvm::function_ref<bool(llvm::ArrayRef<uint8_t>)> check,
                                                           unsigned processes);

} // namespace quern

#endif // QUERN_PASSES_PARAMETERROWS_H
