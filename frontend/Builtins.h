//===- Builtins.h - the primitives of the language --------------------------------------------===//

#ifndef QUERN_FRONTEND_BUILTINS_H
#define QUERN_FRONTEND_BUILTINS_H

#include "frontend/Emitter.h"

namespace quern::frontend {

class DiagnosticEngine;
class TensorTable;

/// One call of a primitive, its arguments sorted to its parameters and checked for their kinds;
/// none is poisoned.
struct BuiltinCall {
  /// As messages name it: "`rms_norm`", "`+`".
  std::string name;
  SourceRange range;
  /// One per parameter before `...`; Nothing where an optional one is absent.
  llvm::SmallVector<Value, 4> arguments;
  llvm::SmallVector<SourceRange, 4> places;
  /// The arguments that `...` takes.
  llvm::SmallVector<Value, 4> rest;
  llvm::SmallVector<SourceRange, 4> restPlaces;

  Emitter &emitter;
  DiagnosticEngine &diagnostics;
  /// What the checkpoint holds.
  TensorTable &tensors;

  /// Argument `i`, a tensor.
  const Tensor &tensor(size_t i) const { return *arguments[i].get<Tensor>(); }
  /// Whether optional argument `i` is given.
  bool has(size_t i) const { return !arguments[i].get<Nothing>(); }
  /// Argument `i`, an integer that is known; reports it otherwise.
  std::optional<int64_t> integer(size_t i);
  /// Argument `i` as an axis of a tensor of `rank` axes, counted from the end where negative;
  /// reports others.
  std::optional<int64_t> axis(size_t i, int64_t rank);
  /// Argument `i`, a float; 1 while it is unknown.
  double number(size_t i) const;

  /// Reports an error at `place` and returns poison.
  Value fail(SourceRange place, const llvm::Twine &message);
  /// Reports shapes that do not fit, with notes at the places where the tensors come from.
  Value failShapes(llvm::ArrayRef<size_t> of, const llvm::Twine &expected);
  /// A tensor as this call's value; reports one that is too large.
  Value give(Shape shape, mlir::Type element, mlir::Value value);
};

/// The largest tensor of a known size, in elements.
inline constexpr int64_t maxElements = int64_t(1) << 32;
/// The largest table that is computed once, in elements: 1 GiB as f32.
inline constexpr int64_t maxTableElements = int64_t(1) << 28;

/// A row of Builtins.def.
struct Builtin {
  llvm::StringLiteral name;
  /// The parameters, separated by blanks: `name:kind`, the kinds t (tensor), x (tensor, or one of elements that rows
  /// choose), e (tensor or number), i (integer), f (number), b (bool), d (list of integers), p (integer, or several), s
  /// (string), w (word), c (tuple of two tensors);
  /// `?` behind for an optional one. `...` in front takes any number of tensors.
  llvm::StringLiteral signature;
  Value (*handler)(BuiltinCall &);
};

/// The primitive of that name, or null.
const Builtin *findBuiltin(llvm::StringRef name);

/// The names of all primitives.
std::vector<llvm::StringRef> builtinNames();

/// `left op right`, one of them a tensor: arguments 0 and 1.
Value applyTensorOperator(BuiltinCall &call, BinaryOp op);

/// Tensor argument 0 in the shape `dims`, in which one dimension may be nothing: inferred.
Value reshapeTensor(BuiltinCall &call, llvm::ArrayRef<std::optional<Extent>> dims);

/// One resolved subscript of a tensor's axis.
struct AxisSubscript {
  int64_t begin, size;
  /// Whether the axis disappears.
  bool drop;
  /// Whether it takes all of the axis.
  bool all;
};
/// Tensor argument 0, cut as `subscripts` say, one per axis.
Value sliceTensor(BuiltinCall &call, llvm::ArrayRef<AxisSubscript> subscripts);

/// The product of argument 0, [s, k, n], with `weight` of the elements that each row chose.
Value multiplyChosen(BuiltinCall &call, const ChosenTensor &weight);

/// The shape to which `a` and `b` broadcast, or nothing.
std::optional<Shape> broadcastShapes(llvm::ArrayRef<Extent> a, llvm::ArrayRef<Extent> b);

/// The handlers, named like their primitives.
namespace builtins {
#define QUERN_BUILTIN(Name, Signature) Value Name(BuiltinCall &call);
#include "frontend/Builtins.def"
} // namespace builtins

} // namespace quern::frontend

#endif // QUERN_FRONTEND_BUILTINS_H
