//===- Lowering.h - a kernel's values as Halide expressions -----------------------------------===//

#ifndef QUERN_CODEGEN_LOWERING_H
#define QUERN_CODEGEN_LOWERING_H

#include "codegen/KernelSignature.h"
#include "codegen/Targets.h"
#include "dialect/PackedLayout.h"

#include "Halide.h"
#include "llvm/ADT/DenseMap.h"

#include <functional>

namespace quern::codegen {

/// One index per dimension, outermost first, as MLIR counts them. Halide's own functions take them reversed.
using Index = std::vector<Halide::Expr>;

/// A tensor as a formula: what its element at an index is. Nothing is stored; a template stores what it wants to.
struct Formula {
  std::vector<Halide::Expr> shape;
  std::function<Halide::Expr(const Index &)> at;
};

/// An intermediate function that has to be stored. Its last arguments are the row, the same for all stages.
struct RowStage {
  enum class Kind {
    Partial, ///< [lane, row…]: partial results of a reduction of a row, with an update over `steps`
    PerRow,  ///< [row…]: one value per row
    WholeRow ///< [k, row…]
  };
  /// How many partial results a reduction runs in; they are added pairwise at the end:
  /// an order that no schedule changes.
  static constexpr int lanes = 32;

  Kind kind;
  Halide::Func func;
  Halide::RDom steps = {};
};

/// A packed weight: the views of KernelSignature.
struct PackedWeight {
  PackedLayout layout;
  int64_t rows, columns;
  /// Floats: [lane, k, panel]. Pairs of bf16: u32 [lane, pair, panel], in 13 bits u8 [byte, line, panel]. Blocks:
  /// [j, lane, 4-group, block, panel], on a device u32 [lane, 4-group, block, panel].
  Halide::ImageParam values;
  /// [lane, block, panel]
  Halide::ImageParam scales, mins;
};

/// Gives the values of one kernel's body their Halide form: arguments become parameters in the order of the kernel's
/// signature, elementwise and moving ops become formulas, row-wise ops reductions that the template schedules.
class Lowering {
public:
  static mlir::FailureOr<std::unique_ptr<Lowering>> create(KernelOp kernel, const TargetSpec &target);

  KernelOp getKernel() const { return kernel; }
  const TargetSpec &getTarget() const { return target; }
  /// The inputs in the order of the signature.
  const std::vector<Halide::Argument> &getArguments() const { return arguments; }
  /// Whether some buffer has more elements than an index of 32 bits counts.
  bool hasLargeBuffers() const;

  /// Lowers the ops from `begin` up to `end` in their order; an error at one that has no lowering. Ops whose result is
  /// known are passed over.
  mlir::LogicalResult lowerOps(mlir::Block::iterator begin, mlir::Block::iterator end);
  /// Lowers the ops from `begin` to the end of the body: the formula of what the kernel yields first.
  mlir::FailureOr<Formula> lowerResult(mlir::Block::iterator begin);
  /// The formula of an argument, of a packed one as f32, or of a lowered op's result; an error at the op, or its first
  /// user, when there is none.
  mlir::FailureOr<Formula> get(mlir::Value value);
  /// Makes `value`, the result of an anchor, known.
  void set(mlir::Value value, Formula tensor) { tensors[value] = std::move(tensor); }
  /// What the kernel yields as result `result`.
  mlir::Value getYielded(unsigned result = 0) { return kernel.getBody().front().back().getOperand(result); }

  /// The packed weight that is argument `value`; an error at `user` when it is none.
  mlir::FailureOr<PackedWeight> getWeight(mlir::Value value, mlir::Operation *user);
  /// The parameter of an argument that is a state or positions; an error at `user` when it is none.
  mlir::FailureOr<Halide::ImageParam> getBuffer(mlir::Value value, mlir::Operation *user);
  /// How many cache rows the token that sees most of them sees.
  Halide::Expr getVisible() const { return visible; }
  /// The first cache row of all tokens, which are consecutive rows of one sequence, or -1 where they are not.
  Halide::Expr getFirst() const { return first; }
  /// Field `field` of token `token`.
  static Halide::Expr getField(const Halide::ImageParam &positions, PositionField field, Halide::Expr token);
  /// The page of paged caches that holds row `row`; of a row beyond all pages, some page.
  Halide::Expr getPage(Halide::Expr row) const;

  /// The size of a dimension.
  Halide::Expr extent(Dim dim);
  /// Whether there is something to compute, by the arguments of the native function: none of the sizes that are known
  /// at run time only is 0, or a result is of a static size and new.
  Halide::Expr getHasWork();
  std::vector<Halide::Expr> shapeOf(mlir::RankedTensorType type);

  /// A reduction of the last axis of `input`: one value per row.
  Formula reduceRows(const Formula &input, ReduceKind kind, const std::string &name);
  /// Stores `tensor` in a function of its own, whose rows are `tensor`'s: one value per row, or whole rows.
  Formula store(RowStage::Kind kind, const Formula &tensor, const std::string &name);
  /// Everything that has to be stored, each after what it reads.
  llvm::ArrayRef<RowStage> getStages() const { return stages; }

  /// Declares strides and sizes of the outputs, the last arguments of the signature.
  void constrainOutputs(llvm::ArrayRef<Halide::Func> outputs) const;

private:
  Lowering(KernelOp kernel, const TargetSpec &target) : kernel(kernel), target(target) {}
  mlir::LogicalResult addArguments();

  KernelOp kernel;
  TargetSpec target;
  llvm::SmallVector<NativeArgument> signature;
  std::vector<Halide::Argument> arguments;
  /// The views of each argument of the kernel.
  llvm::DenseMap<mlir::Value, std::vector<Halide::ImageParam>> views;
  llvm::DenseMap<mlir::Value, Formula> tensors;
  llvm::SmallVector<std::pair<mlir::StringAttr, Halide::Expr>> symbols;
  llvm::SmallVector<RowStage> stages;
  Halide::Expr visible, first;
  Halide::Expr hasRows = Halide::Internal::const_true();
  Halide::ImageParam pages;
};

/// The formula of one op over formulas of its operands (OpLowering.cpp); an error at an op that has none.
mlir::FailureOr<Formula> lowerOp(Lowering &lowering, mlir::Operation *op, llvm::ArrayRef<Formula> operands);

/// Calls `func`, whose arguments are innermost first, at `index`.
Halide::Expr callAt(Halide::Func func, const Index &index);
Halide::Expr callAt(Halide::ImageParam param, const Index &index);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_LOWERING_H
