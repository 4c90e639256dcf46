//===- Scalar.h - evaluation of scalar functions over tensors ---------------------------------===//

#ifndef QUERN_DIALECT_REFERENCE_SCALAR_H
#define QUERN_DIALECT_REFERENCE_SCALAR_H

#include "dialect/Dialect.h"

#include "mlir/IR/Block.h"

namespace quern {

/// Applies `body`, a straight list of `arith` and `math` ops on one element of each operand, to every element of
/// `result`; the operands broadcast to its shape. `yielded` is the value of the body that is the result's element.
mlir::FailureOr<Tensor> evaluateScalarBody(mlir::Operation *op, mlir::Block &body, mlir::Value yielded,
                                           llvm::ArrayRef<Tensor> operands, mlir::RankedTensorType result);

/// Applies the scalar function of an elementwise op.
mlir::FailureOr<Tensor> evaluateElementwise(ScalarBodyOpInterface op, llvm::ArrayRef<Tensor> operands,
                                            mlir::RankedTensorType result);

} // namespace quern

#endif // QUERN_DIALECT_REFERENCE_SCALAR_H
