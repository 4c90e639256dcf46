//===- Products.h - products with weights, and what follows them ------------------------------===//
//
// A matmul, or a convolution with its channels last: a row of the weight is an output, and the outputs are the last
// axis of the result.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef QUERN_PASSES_FUSE_PRODUCTS_H
#define QUERN_PASSES_FUSE_PRODUCTS_H

#include "dialect/Ops.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/StringMap.h"

namespace quern {

/// The elementwise ops through which alone `product`, by `weight`, goes: its bias, add(product, parameter) with one
/// value per output, where it has one; then ops of one operand.
llvm::SmallVector<mlir::Operation *> getTail(mlir::Value product, mlir::Value weight);

/// Whether two ops of tails compute the same, but for the values of a bias.
bool areEqual(mlir::Operation *a, mlir::Operation *b);

/// The bias of a tail; null where it has none.
mlir::Value getBias(llvm::ArrayRef<mlir::Operation *> tail);

/// What comes out behind `tail`; `product` itself where that is empty.
mlir::Value getEnd(llvm::ArrayRef<mlir::Operation *> tail, mlir::Value product);

/// Clones `tail` behind `product`, which may have more outputs, with `bias` for its own; gives what comes out.
mlir::Value cloneTail(mlir::RewriterBase &rewriter, llvm::ArrayRef<mlir::Operation *> tail, mlir::Value product,
                      mlir::Value bias);

/// The convolution of the input of `op` by `weight`, which may have more outputs.
mlir::Value createProduct(mlir::RewriterBase &rewriter, mlir::Location loc, Conv2dOp op, mlir::Value weight);

/// Parameters that join others row by row, one per list of parts.
class JoinedParameters {
public:
  explicit JoinedParameters(mlir::ModuleOp module);

  /// The value, made at `rewriter`'s place, of the parameter that joins `parts`, values of parameters and literals,
  /// along axis 0.
  mlir::Value get(mlir::RewriterBase &rewriter, mlir::Location loc, llvm::ArrayRef<mlir::Value> parts);

private:
  mlir::SymbolTable symbols;
  llvm::StringMap<ParameterOp> known;

  ParameterOp getParameter(mlir::RewriterBase &rewriter, mlir::Location loc, llvm::ArrayRef<mlir::Value> parts);
};

} // namespace quern

#endif // QUERN_PASSES_FUSE_PRODUCTS_H
