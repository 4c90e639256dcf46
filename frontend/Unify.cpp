//===- Unify.cpp - shapes against their declarations ------------------------------------------===//

#include "frontend/Elaborator.h"
#include "frontend/ElementNames.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace quern::frontend {

/// Pairs the dimensions of `pattern` with those of `shape`; `..` is left out. Nothing where the
/// ranks do not fit.
static std::optional<SmallVector<std::pair<Expr *, Extent>>> pairDims(ArrayRef<Expr *> pattern,
                                                                      ArrayRef<Extent> shape) {
  SmallVector<std::pair<Expr *, Extent>> pairs;
  const auto *rest = find_if(pattern, [](Expr *dim) { return isa<RestExpr>(dim); });
  if (rest == pattern.end() ? pattern.size() != shape.size() : pattern.size() - 1 > shape.size())
    return std::nullopt;
  size_t front = rest - pattern.begin();
  for (size_t i = 0; i < front; ++i)
    pairs.push_back({pattern[i], shape[i]});
  for (size_t i = front + 1; i < pattern.size(); ++i)
    pairs.push_back({pattern[i], shape[shape.size() - (pattern.size() - i)]});
  return pairs;
}

Elaborator::Match Elaborator::bindDims(ArrayRef<Expr *> pattern, ArrayRef<Extent> shape, Frame &frame) {
  auto pairs = pairDims(pattern, shape);
  if (!pairs)
    return Match::No;
  for (auto &[dim, extent] : *pairs) {
    auto *name = dyn_cast<NameExpr>(dim);
    if (!name || isBound(name->name, frame))
      continue;
    if (!checkNewName(*name, frame))
      return Match::Error;
    frame.locals[name->name] = Value(extent, name->range);
  }
  const auto *rest = find_if(pattern, [](Expr *dim) { return isa<RestExpr>(dim); });
  if (rest == pattern.end())
    return Match::Yes;
  ArrayRef<Extent> taken = shape.slice(rest - pattern.begin(), shape.size() + 1 - pattern.size());
  if (frame.rest && compareShapes(*frame.rest, taken) == Equality::Different)
    return Match::No;
  if (!frame.rest)
    frame.rest = Shape(taken);
  return Match::Yes;
}

Elaborator::Match Elaborator::compareDims(ArrayRef<Expr *> pattern, ArrayRef<Extent> shape, Frame &frame) {
  auto pairs = pairDims(pattern, shape);
  if (!pairs)
    return Match::No;
  Match result = Match::Yes;
  const auto *rest = find_if(pattern, [](Expr *dim) { return isa<RestExpr>(dim); });
  if (rest != pattern.end() && frame.rest) {
    ArrayRef<Extent> taken = shape.slice(rest - pattern.begin(), shape.size() + 1 - pattern.size());
    if (compareShapes(*frame.rest, taken) == Equality::Different)
      result = Match::No;
  }
  for (auto &[dim, extent] : *pairs) {
    if (isa<InferredDimExpr>(dim))
      continue;
    auto expected = evaluateExtent(*dim, frame, "a dimension");
    if (!expected)
      return Match::Error;
    if (Extent::compare(*expected, extent) == Equality::Different)
      result = Match::No;
  }
  return result;
}

std::string Elaborator::describePattern(const TensorType &type, Frame &frame) {
  std::string known = type.element.text.str() + "[";
  bool first = true, computed = false;
  for (const Expr *dim : type.dims) {
    std::string text = textOf(dim->range).str();
    auto *name = dyn_cast<NameExpr>(dim);
    if (!isa<InferredDimExpr, RestExpr>(dim) && (!name || isBound(name->name, frame)))
      if (auto extent = evaluateExtent(*dim, frame, "a dimension"); extent && extent->str() != text) {
        computed |= !isa<IntegerExpr>(dim);
        text = extent->str();
      }
    known += (first ? "" : ", ") + text;
    first = false;
  }
  known += "]";
  std::string written = textOf(type.range).str();
  return computed ? "`" + written + "` = `" + known + "`" : "`" + written + "`";
}

Elaborator::Match Elaborator::matchTensor(const TensorType &type, const Tensor &tensor, Frame &frame, bool bindsNames,
                                          std::string &expected) {
  if (type.element) {
    mlir::Type element = findElement(type.element.text, emitter.context());
    if (!element) {
      fail(type.element.range, "unknown element type `" + type.element.text +
                                   "`; expected `f32`, `f16`, `bf16`, `i32`, `bool` or `Positions`");
      return Match::Error;
    }
    if (element != tensor.element) {
      expected = describePattern(type, frame);
      return Match::No;
    }
  } else if (!isa<mlir::FloatType, BlockType>(tensor.element)) {
    expected = describePattern(type, frame) + " of floats";
    return Match::No;
  }
  Match bound = bindsNames ? bindDims(type.dims, tensor.shape, frame) : Match::Yes;
  if (bound == Match::Error)
    return bound;
  Match same = bound == Match::Yes ? compareDims(type.dims, tensor.shape, frame) : Match::No;
  if (same == Match::No)
    expected = describePattern(type, frame);
  return same;
}

} // namespace quern::frontend
