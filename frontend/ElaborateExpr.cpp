//===- ElaborateExpr.cpp - expressions --------------------------------------------------------===//

#include "frontend/Elaborator.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace llvm;

namespace quern::frontend {

Value Elaborator::evaluate(const Expr &expr, Frame &frame) {
  if (!budget.spend(Resource::Steps, expr.range))
    return Value();
  ++evaluationDepth;
  auto leave = scope_exit([&] { --evaluationDepth; });
  if (evaluationDepth > maxEvaluationDepth)
    return stop(expr.range, "expressions and calls nest deeper than " + Twine(maxEvaluationDepth));
  Value value = evaluateInner(expr, frame);
  if (uint64_t operations = emitter.takeEmitted())
    budget.spend(Resource::Operations, expr.range, operations);
  return value;
}

Value Elaborator::evaluateInner(const Expr &expr, Frame &frame) {
  SourceRange range = expr.range;
  return TypeSwitch<const Expr *, Value>(&expr)
      .Case([&](const IntegerExpr *e) { return Value(Extent(e->value), range); })
      .Case([&](const FloatExpr *e) { return Value(FloatValue{e->value}, range); })
      .Case([&](const BoolExpr *e) { return Value(BoolValue{e->value}, range); })
      .Case([&](const StringExpr *e) { return evaluateString(*e, frame); })
      .Case([&](const NameExpr *e) { return evaluateName(*e, frame); })
      .Case([&](const MemberExpr *e) { return evaluateMember(*e, frame); })
      .Case([&](const CallExpr *e) { return evaluateCall(*e, frame); })
      .Case([&](const IndexExpr *e) { return evaluateIndex(*e, frame); })
      .Case([&](const UnaryExpr *e) { return evaluateUnary(*e, frame); })
      .Case([&](const BinaryExpr *e) { return evaluateBinary(*e, frame); })
      .Case([&](const ReshapeExpr *e) { return evaluateReshape(*e, frame); })
      .Case([&](const TupleExpr *e) { return evaluateSequence(e->elements, /*isList=*/false, range, frame); })
      .Case([&](const ListExpr *e) { return evaluateSequence(e->elements, /*isList=*/true, range, frame); })
      .Case([&](const IfExpr *e) { return evaluateIf(*e, frame); })
      .Case([&](const ForExpr *e) { return evaluateFor(*e, frame); })
      .Default([&](const Expr *) { return fail(range, "expected a value; found `" + textOf(range) + "`"); });
}

Value Elaborator::evaluateString(const StringExpr &expr, Frame &frame) {
  std::string text;
  bool known = true;
  for (const StringPart &part : expr.parts) {
    if (!part.value) {
      text += part.text;
      continue;
    }
    Value value = evaluate(*part.value, frame);
    if (value.isPoison())
      return Value();
    if (auto *inner = value.get<StringValue>()) {
      if (pay(value, part.value->range).isPoison())
        return Value();
      known &= inner->value.has_value();
      text += inner->value.value_or("");
    } else if (auto *integer = value.get<Extent>()) {
      known &= integer->constant().has_value();
      text += integer->str();
    } else if (value.get<FloatValue>() || value.get<BoolValue>()) {
      text += StringRef(value.describe()).split(' ').second;
    } else {
      return fail(part.value->range, "found " + value.describe() + "; expected a static value in a string");
    }
  }
  return Value(StringValue{known ? std::optional(text) : std::nullopt}, expr.range);
}

Value Elaborator::evaluateSequence(ArrayRef<Expr *> elements, bool isList, SourceRange range, Frame &frame) {
  auto values = std::make_shared<std::vector<Value>>();
  bool poisoned = false, isOpen = false;
  for (const Expr *element : elements) {
    Value value = evaluate(*element, frame);
    poisoned |= value.isPoison();
    auto *inner = value.get<Sequence>();
    if (budget.isSpent())
      return Value();
    isOpen |= isa<ForExpr>(element) && inner && inner->isOpen;
    if (isa<ForExpr>(element) && inner)
      values->insert(values->end(), inner->elements->begin(), inner->elements->end());
    else
      values->push_back(std::move(value));
  }
  return poisoned ? Value() : pay(Value(Sequence{isList, std::move(values), isOpen}, range), range);
}

Value Elaborator::evaluateIf(const IfExpr &expr, Frame &frame) {
  auto condition = evaluateCondition(*expr.condition, frame);
  if (!condition)
    return Value();
  if (*condition)
    return evaluate(**condition ? *expr.thenValue : *expr.elseValue, frame);
  Value taken = evaluate(*expr.thenValue, frame), other = evaluate(*expr.elseValue, frame);
  return taken.isPoison() ? other : taken;
}

Value Elaborator::evaluateFor(const ForExpr &expr, Frame &frame) {
  auto elements = iterate(*expr.iterable, frame);
  if (!elements)
    return Value();
  auto values = std::make_shared<std::vector<Value>>();
  for (size_t i = 0; i < elements->size; ++i) {
    if (!budget.spend(Resource::Steps, expr.range) ||
        !bindLoop(expr.variables, elements->at(i), expr.iterable->range, frame))
      return Value();
    Value value = evaluate(*expr.body, frame);
    if (value.isPoison())
      return value;
    values->push_back(std::move(value));
  }
  return pay(Value(Sequence{/*isList=*/true, std::move(values), elements->isOpen}, expr.range), expr.range);
}

Value Elaborator::evaluateReshape(const ReshapeExpr &expr, Frame &frame) {
  Value input = evaluate(*expr.value, frame);
  SmallVector<std::optional<Extent>> dims;
  size_t inferred = 0;
  bool poisoned = input.isPoison();
  for (const Expr *dim : expr.dims) {
    if (isa<InferredDimExpr>(dim)) {
      ++inferred;
      dims.push_back(std::nullopt);
    } else if (isa<RestExpr>(dim)) {
      if (!frame.rest)
        return fail(dim->range, "`..` stands for nothing here; no parameter's shape has it");
      dims.append(frame.rest->begin(), frame.rest->end());
    } else {
      auto extent = evaluateExtent(*dim, frame, "a dimension");
      poisoned |= !extent;
      dims.push_back(extent.value_or(Extent(1)));
    }
  }
  if (poisoned)
    return Value();
  if (!input.get<Tensor>())
    return fail(expr.value->range, "found " + input.describe() + "; expected a tensor before `as`");
  if (inferred > 1)
    return fail(expr.dimsRange, "found " + Twine(inferred) + " dimensions `*`; expected at most one");
  BuiltinCall call{"`as`", expr.range, {input}, {expr.value->range}, {}, {}, emitter, diagnostics, table};
  return reshapeTensor(call, dims);
}

std::optional<Extent> Elaborator::evaluateExtent(const Expr &expr, Frame &frame, StringRef what) {
  Value value = evaluate(expr, frame);
  if (value.isPoison())
    return std::nullopt;
  if (auto *extent = value.get<Extent>())
    return *extent;
  fail(expr.range, "found " + value.describe() + "; expected an integer as " + what);
  return std::nullopt;
}

std::optional<int64_t> Elaborator::evaluateInteger(const Expr &expr, Frame &frame, StringRef what) {
  auto extent = evaluateExtent(expr, frame, what);
  if (!extent)
    return std::nullopt;
  if (auto constant = extent->constant())
    return constant;
  if (extent->mentions(SymbolKind::Runtime))
    fail(expr.range, "`" + extent->str() + "` is known at run time only; expected a static integer as " + what);
  return std::nullopt;
}

std::optional<std::optional<bool>> Elaborator::evaluateCondition(const Expr &expr, Frame &frame) {
  Value value = evaluate(expr, frame);
  if (value.isPoison())
    return std::nullopt;
  auto *truth = value.get<BoolValue>();
  if (!truth) {
    fail(expr.range, "found " + value.describe() + "; expected a static condition, true or false");
    return std::nullopt;
  }
  if (truth->isRuntime || (!truth->value && emitter.isActive())) {
    fail(expr.range, "the condition depends on a run-time dimension; expected a static one");
    return std::nullopt;
  }
  return truth->value;
}

//===--- Indexing
//------------------------------------------------------------------------------===//

/// Index `i` into `size` elements, counted from the end where negative; nothing outside.
static std::optional<int64_t> wrapIndex(int64_t i, int64_t size) {
  if (i < -size || i >= size)
    return std::nullopt;
  return i < 0 ? i + size : i;
}

Value Elaborator::evaluateIndex(const IndexExpr &expr, Frame &frame) {
  Value base = evaluate(*expr.base, frame);
  if (base.isPoison())
    return base;
  if (base.get<Tensor>())
    return sliceAxes(base, expr, frame);
  auto *array = base.get<ArrayValue>();
  auto *sequence = base.get<Sequence>();
  if (!array && !sequence)
    return fail(expr.base->range,
                "found " + base.describe() + "; expected a tensor, a list, a tuple or an array to index");
  if (expr.subscripts.size() != 1 || expr.subscripts[0].kind != Subscript::Kind::Index)
    return fail(expr.range, "expected one index into " + base.describe());
  auto extent = evaluateExtent(*expr.subscripts[0].begin, frame, "an index");
  if (!extent)
    return Value();
  int64_t size = array ? array->array->elements.size() : sequence->elements->size();
  bool isOpen = array ? !array->array->countKnown : sequence->isOpen;
  std::optional<int64_t> index = extent->constant();
  if (!index && (emitter.isActive() || extent->mentions(SymbolKind::Runtime)))
    return fail(expr.subscripts[0].range,
                "`" + extent->str() + "` is known at run time only; expected a static integer as an index");
  bool isUnknown = isOpen || !index;
  if (isUnknown && size == 0)
    return Value();
  if (isUnknown && sequence)
    return unknownLike(sequence->elements->front(), textOf(expr.range));
  auto wrapped = isUnknown ? std::optional<int64_t>(0) : wrapIndex(*index, size);
  if (!wrapped)
    return fail(expr.subscripts[0].range, "index " + Twine(*index) + " is outside of " + base.describe());
  return array ? nodeValue(*array->array->elements[*wrapped], expr.range) : (*sequence->elements)[*wrapped];
}

std::optional<SmallVector<AxisSubscript, 4>> Elaborator::resolveSubscripts(const IndexExpr &expr, const Tensor &tensor,
                                                                           Frame &frame) {
  size_t rank = tensor.shape.size(), named = 0;
  const Subscript *rest = nullptr;
  for (const Subscript &subscript : expr.subscripts) {
    if (subscript.kind != Subscript::Kind::Rest) {
      ++named;
      continue;
    }
    if (rest) {
      diagnostics.error(subscript.range, "found `..` twice; expected `:` for one axis each")
          .note(rest->range, "the first stands for all axes without a subscript");
      return std::nullopt;
    }
    rest = &subscript;
  }
  if (named > rank) {
    fail(expr.range,
         "found " + Twine(named) + " subscripts of `" + formatTensor(tensor) + "`; expected at most " + Twine(rank));
    return std::nullopt;
  }
  SmallVector<AxisSubscript, 4> result;
  auto addAll = [&](size_t count) {
    for (size_t i = 0; i < count; ++i)
      result.push_back({0, 0, /*drop=*/false, /*all=*/true});
  };
  for (const Subscript &subscript : expr.subscripts) {
    if (subscript.kind == Subscript::Kind::Rest) {
      addAll(rank - named);
      continue;
    }
    if (!subscript.begin && !subscript.end) {
      addAll(1);
      continue;
    }
    auto size = tensor.shape[result.size()].constant();
    auto &dim = tensor.shape[result.size()];
    if (!size && (emitter.isActive() || dim.mentions(SymbolKind::Runtime))) {
      fail(subscript.range, "axis " + Twine(result.size()) + " of `" + formatTensor(tensor) +
                                "` is known at run time only; expected `:`");
      return std::nullopt;
    }
    int64_t extent = size.value_or(INT32_MAX);
    bool drop = subscript.kind == Subscript::Kind::Index;
    std::optional<int64_t> begin = 0, end = extent;
    if (subscript.begin)
      begin = evaluateInteger(*subscript.begin, frame, "a subscript");
    if (subscript.end)
      end = evaluateInteger(*subscript.end, frame, "a subscript");
    if (!begin || !end)
      return std::nullopt;
    int64_t first = *begin < 0 ? *begin + extent : *begin;
    int64_t last = drop ? first + 1 : (*end < 0 ? *end + extent : *end);
    if (first < 0 || last > extent || last <= first) {
      fail(subscript.range, "`" + textOf(subscript.range) + "` is outside of axis " + Twine(result.size()) + " of `" +
                                formatTensor(tensor) + "`");
      return std::nullopt;
    }
    result.push_back({first, last - first, drop, /*all=*/false});
  }
  if (!rest)
    addAll(rank - named);
  return result;
}

Value Elaborator::sliceAxes(const Value &base, const IndexExpr &expr, Frame &frame) {
  auto subscripts = resolveSubscripts(expr, *base.get<Tensor>(), frame);
  if (!subscripts)
    return Value();
  BuiltinCall call{"indexing", expr.range, {base}, {expr.base->range}, {}, {}, emitter, diagnostics, table};
  return sliceTensor(call, *subscripts);
}

} // namespace quern::frontend
