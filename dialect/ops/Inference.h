//===- Inference.h - what result type inference shares ----------------------------------------===//

#ifndef QUERN_DIALECT_OPS_INFERENCE_H
#define QUERN_DIALECT_OPS_INFERENCE_H

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

namespace quern {

/// The tensor type of operand `value`.
inline mlir::RankedTensorType tensorOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}

/// `f32`, `i8` or `bf16`: what products of elements of `left` are computed in. Both sides are alike: blocks of
/// integers, or pairs of bf16.
llvm::StringRef getProductArithmetic(mlir::Value left);

/// The elements of as many rows of `table`, the indices of its axis 0, as `rows` has.
WorkTerm getRowElements(mlir::Value table, llvm::ArrayRef<Dim> rows);

/// The elementwise result: operands broadcast, elements of type `elementType`.
mlir::LogicalResult inferBroadcast(std::optional<mlir::Location> loc, mlir::ValueRange operands, mlir::Type elementType,
                                   llvm::SmallVectorImpl<mlir::Type> &inferred);

/// The operands of an elementwise op that have the rows of its result.
llvm::SmallVector<mlir::OpOperand *> getBroadcastRows(mlir::Operation *op);

/// `operand` if what is computed along its last axis leaves an axis 0 of rows.
llvm::SmallVector<mlir::OpOperand *> getRowsOf(mlir::OpOperand &operand);

} // namespace quern

#endif // QUERN_DIALECT_OPS_INFERENCE_H
