//===- ExpertUse.h - how often rows chose each of several weights ------------------------------===//

#ifndef QUERN_DIALECT_EXPERTUSE_H
#define QUERN_DIALECT_EXPERTUSE_H

#include "dialect/Ops.h"

#include "mlir/IR/BuiltinOps.h"

namespace quern {

/// What stands for the number of an element in the name of the tensor of all elements of an array:
/// `layers.0.experts[..].up.weight`, all experts' `up.weight`, one behind the other.
inline constexpr llvm::StringLiteral anyElement = "[..]";

/// Among the sizes of a `WorkTerm`: the number of experts, of those that a kernel's rows choose among, that at least
/// one row chose. It depends on what the rows are.
inline constexpr llvm::StringLiteral chosenExperts = "@chosen";

/// The array whose elements' tensors `parameter` holds, `layers.0.experts`, by its name or, where it is computed, by
/// those of what it is computed from; empty where it holds no such tensors.
llvm::StringRef findExpertArray(ParameterOp parameter);

/// An array of experts that rows choose among.
struct ExpertArray {
  llvm::StringRef name;
  int64_t experts = 0;
  /// How many numbers the weights of one expert have.
  int64_t numbers = 0;
  /// The tensors of all experts, one behind the other.
  llvm::SmallVector<ParameterOp> stacks;
};

/// What joins the tensors of all experts in the initialiser of `stack`; null where there is one tensor alone.
ConcatOp getJoinedExperts(ParameterOp stack);

/// The arrays of `module`, at every level, in the order of their first tensors.
llvm::SmallVector<ExpertArray> findExpertArrays(mlir::ModuleOp module);

/// How often rows chose each expert of an array, as a routing profile says it.
class ExpertUse {
public:
  /// `counts[e]` of `rows` rows, one or more, chose expert e.
  ExpertUse(int64_t rows, llvm::ArrayRef<int64_t> counts) : rows(rows), counts(counts) {}
  /// As if all rows chose `slots` of `experts` experts, each as often as the others.
  static ExpertUse uniform(int64_t experts, int64_t slots);

  int64_t getRows() const { return rows; }
  llvm::ArrayRef<int64_t> getCounts() const { return counts; }
  /// The experts, those that were chosen most often first, of equally many choices the lower number.
  llvm::SmallVector<int64_t> getOrder() const;
  /// How many of the first ones of that order had at least nine tenths of all choices: those that are often chosen.
  int64_t countOften() const;
  /// How many of the experts `subset` so many rows choose on average that choose independently of each other.
  double getExpected(double rowCount, llvm::ArrayRef<int64_t> subset) const;

private:
  int64_t rows;
  llvm::SmallVector<int64_t> counts;
};

/// The attribute of a module in which that is noted.
inline constexpr llvm::StringLiteral expertUseAttribute = "quern.routing";

/// Notes in the attribute of `module` how often the experts of `array` were chosen.
void setExpertUse(mlir::ModuleOp module, llvm::StringRef array, const ExpertUse &use);
/// What is noted so; nothing where no profile said it.
std::optional<ExpertUse> getExpertUse(mlir::ModuleOp module, llvm::StringRef array);

} // namespace quern

#endif // QUERN_DIALECT_EXPERTUSE_H
