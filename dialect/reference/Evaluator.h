//===- Evaluator.h - evaluation of one straight list of ops -----------------------------------===//

#ifndef QUERN_DIALECT_REFERENCE_EVALUATOR_H
#define QUERN_DIALECT_REFERENCE_EVALUATOR_H

#include "dialect/Reference.h"

namespace quern {

/// Binds the named dimensions of `formals` to the sizes of `inputs`;
/// emits an error at `op` where an input does not fit.
mlir::LogicalResult bindSizes(mlir::Operation *op, llvm::ArrayRef<mlir::RankedTensorType> formals,
                              llvm::ArrayRef<Tensor> inputs, SymbolSizes &sizes);

/// Checks `sizes` against the bounds of an entry or program.
mlir::LogicalResult checkBounds(mlir::Operation *op, mlir::DictionaryAttr bounds, const SymbolSizes &sizes);

/// One evaluation of a body, from its arguments to what its terminator gives. Groups and calls are entered with a stack
/// of frames, not by recursion.
class Evaluator::Run {
public:
  explicit Run(Evaluator &evaluator) : evaluator(evaluator) {}

  /// Evaluates `body`, whose arguments are `arguments`, with these sizes of named dimensions.
  mlir::FailureOr<llvm::SmallVector<Tensor>> run(mlir::Block &body, llvm::ArrayRef<Tensor> arguments,
                                                 SymbolSizes sizes);

private:
  /// A block under evaluation, the next op in it, and the op that takes its results (null for the outermost).
  struct Frame {
    mlir::Block *block;
    mlir::Block::iterator next;
    mlir::Operation *owner;
    SymbolSizes sizes;
  };
  /// A value and how many uses of it are still to come.
  struct Held {
    Tensor tensor;
    int64_t uses;
  };

  mlir::LogicalResult step(mlir::Operation &op);
  mlir::LogicalResult compute(ReferenceOpInterface op, llvm::ArrayRef<Tensor> operands);
  mlir::LogicalResult enterCall(CallOp call, llvm::ArrayRef<Tensor> operands);
  void define(mlir::Value value, Tensor tensor);
  llvm::SmallVector<Tensor> take(mlir::Operation &op);

  Evaluator &evaluator;
  llvm::SmallVector<Frame> frames;
  llvm::DenseMap<mlir::Value, Held> values;
};

} // namespace quern

#endif // QUERN_DIALECT_REFERENCE_EVALUATOR_H
