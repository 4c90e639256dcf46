//===- ParameterStream.h - parameters, some rows at a time ------------------------------------===//

#ifndef QUERN_DIALECT_PARAMETERSTREAM_H
#define QUERN_DIALECT_PARAMETERSTREAM_H

#include "dialect/Ops.h"
#include "dialect/ParameterSource.h"
#include "dialect/Tensor.h"

#include "llvm/ADT/StringMap.h"

#include <memory>
#include <optional>

namespace quern {

/// A tensor of `type` whose rows are those from `first` on of an external parameter,
/// of which a tensor of rank 0 or 1 has one.
mlir::FailureOr<Tensor> readStoredRows(ParameterOp parameter, ParameterSource &source, mlir::RankedTensorType type,
                                       int64_t first);

/// The rows of one parameter with an initialiser, each the elements with one index of axis 0, evaluated some at a time:
/// memory holds those and what they need, not the whole tensor. Casts, slices, concatenations and whatever takes its
/// operands row by row (RowwiseOpInterface) are computed so; what they need of other ops is evaluated once, as a whole,
/// and kept. Rows are the same as those of `Evaluator::evaluateParameter`, whose errors these are.
class ParameterStream {
public:
  ParameterStream(ParameterOp parameter, ParameterSource &source);
  ~ParameterStream();

  /// Row `row` of a tensor of rank 2 or more, row-major, until the next call. Computes those that follow, too, as far
  /// as they are few bytes: rows are best read in their order.
  mlir::FailureOr<llvm::ArrayRef<uint8_t>> readRow(int64_t row);
  /// Rows [first, first + count).
  mlir::FailureOr<Tensor> read(int64_t first, int64_t count);

private:
  /// Rows [begin, end).
  struct Range {
    int64_t begin, end;
  };
  /// What one `read` needs of each value, and computes.
  struct Pass {
    llvm::DenseMap<mlir::Value, Range> ranges;
    llvm::DenseMap<mlir::Value, Tensor> parts;
  };

  void need(mlir::Value value, Range range, Pass &pass);
  void needWhole(mlir::Value value) { whole.insert(value); }
  void needOperands(mlir::Operation &op, Pass &pass);
  mlir::FailureOr<Tensor> readParam(ParamOp param, Range range);
  mlir::FailureOr<Tensor> computePart(mlir::Operation &op, Range range, Pass &pass);
  mlir::LogicalResult computeWhole(mlir::Operation &op);
  Tensor getRows(mlir::Value value, Range range, const Pass &pass) const;

  ParameterOp parameter;
  ParameterSource &source;
  /// The values that are needed as a whole, and those of them that are known.
  llvm::DenseSet<mlir::Value> whole;
  llvm::DenseMap<mlir::Value, Tensor> wholes;
  /// The parameters that the initialiser reads and that have one, too.
  llvm::StringMap<std::unique_ptr<ParameterStream>> streams;
  /// What `readRow` has computed, and its first row.
  std::optional<Tensor> chunk;
  int64_t chunkBegin = 0, chunkEnd = 0;
};

} // namespace quern

#endif // QUERN_DIALECT_PARAMETERSTREAM_H
