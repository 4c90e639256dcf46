//===- Scalar.h - scalar regions as Halide expressions ----------------------------------------===//

#ifndef QUERN_CODEGEN_SCALAR_H
#define QUERN_CODEGEN_SCALAR_H

#include "Halide.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"

namespace quern::codegen {

/// The Halide type of a scalar: f32, f16, bf16, i32 or i1.
mlir::FailureOr<Halide::Type> getHalideType(mlir::Type type);

/// The value that `block`, of `arith` and `math` ops that end with `quern.yield`, yields for `arguments`; an error at
/// an op that Scalars.def lacks.
mlir::FailureOr<Halide::Expr> lowerScalarBlock(mlir::Block &block, llvm::ArrayRef<Halide::Expr> arguments);

/// Calls `action` with the scalar function of `op`, a block that lives as long as the call; false where `op` is neither
/// a map nor elementwise.
bool visitScalars(mlir::Operation *op, llvm::function_ref<void(mlir::Block &)> action);

/// The bits of a bf16 number as u16.
Halide::Expr getBits(Halide::Expr value);

/// `value` as f32, exactly; bf16 by its bits, because not every target has instructions for it.
Halide::Expr toFloat(Halide::Expr value);

/// `value` rounded to nearest even in `type`.
Halide::Expr convert(Halide::Type type, Halide::Expr value);

/// `a` · `b`, rounded: what is added to it is not fused with it. An op's product has the same bits wherever its kernel
/// ends.
Halide::Expr multiply(Halide::Expr a, Halide::Expr b);

/// Functions of any f32: Halide's own of vectors are wrong for infinities, NaNs and what no integer can count.
Halide::Expr exponential(Halide::Expr a);
Halide::Expr logarithm(Halide::Expr a);
Halide::Expr errorFunction(Halide::Expr a);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_SCALAR_H
