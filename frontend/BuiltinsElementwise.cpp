//===- BuiltinsElementwise.cpp - one scalar function per element ------------------------------===//

#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace llvm;

namespace quern::frontend {

namespace {

/// What an elementwise op reads: values in f32 (bool for a condition) and the shape they broadcast
/// to.
struct Operands {
  SmallVector<mlir::Value, 3> values;
  Shape shape;
};

/// A number that is not a tensor; nothing for a tensor. 1 while it is unknown.
std::optional<double> asNumber(const Value &value) {
  if (auto *number = value.get<FloatValue>())
    return number->value.value_or(1.0);
  if (auto *integer = value.get<Extent>())
    return double(integer->constant().value_or(1));
  return std::nullopt;
}

bool isKnown(const Value &value) {
  if (auto *number = value.get<FloatValue>())
    return number->value.has_value();
  auto *integer = value.get<Extent>();
  return integer && integer->constant();
}

/// Reads argument `i`; reports an element type that no elementwise op takes.
std::optional<mlir::Value> readOperand(BuiltinCall &call, size_t i, bool isCondition) {
  if (auto number = asNumber(call.arguments[i])) {
    if (!isKnown(call.arguments[i]) && call.emitter.isActive()) {
      call.fail(call.places[i], call.arguments[i].describe() + " is known at run time only; expected a static number");
      return std::nullopt;
    }
    return call.emitter.scalar(call.places[i], *number);
  }
  const Tensor &tensor = call.tensor(i);
  bool isBool = tensor.element.isInteger(1);
  bool isNumber = isa<mlir::FloatType, BlockType>(tensor.element);
  if (isCondition ? isBool : isNumber)
    return isBool ? tensor.value : call.emitter.asF32(call.places[i], tensor);
  call.fail(call.places[i], call.name + " of `" + formatTensor(tensor) + "`; expected " +
                                (isCondition ? "`bool` elements, such as a comparison gives"
                                             : "float elements; convert with `cast(x, f32)`"));
  return std::nullopt;
}

std::optional<Operands> readOperands(BuiltinCall &call, bool hasCondition = false) {
  Operands result;
  SmallVector<size_t> tensors;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    auto value = readOperand(call, i, hasCondition && i == 0);
    if (!value)
      return std::nullopt;
    result.values.push_back(*value);
    if (!call.arguments[i].get<Tensor>())
      continue;
    tensors.push_back(i);
    auto joined = broadcastShapes(result.shape, call.tensor(i).shape);
    if (!joined) {
      call.failShapes(tensors, "shapes that broadcast: equal dimensions or 1, counted from the last");
      return std::nullopt;
    }
    result.shape = std::move(*joined);
  }
  return result;
}

template <typename Op> Value applyUnary(BuiltinCall &call, double (*function)(double)) {
  if (auto number = asNumber(call.arguments[0])) {
    std::optional<double> value;
    if (isKnown(call.arguments[0]))
      value = function(*number);
    if (value && !std::isfinite(*value))
      return call.fail(call.range, call.name + " of " + call.arguments[0].describe() + " is not a finite number");
    return Value(FloatValue{value}, call.range);
  }
  auto operands = readOperands(call);
  if (!operands)
    return Value();
  mlir::Value result = call.emitter.create<Op>(call.range, operands->values[0]);
  return call.give(operands->shape, call.emitter.f32(), result);
}

template <typename Op> Value applyBinary(BuiltinCall &call) {
  auto operands = readOperands(call);
  if (!operands)
    return Value();
  mlir::Value result = call.emitter.create<Op>(call.range, operands->values[0], operands->values[1]);
  return call.give(operands->shape, call.emitter.f32(), result);
}

template <typename Op> Value applyBinaryFunction(BuiltinCall &call, double (*function)(double, double)) {
  auto a = asNumber(call.arguments[0]), b = asNumber(call.arguments[1]);
  if (!a || !b)
    return applyBinary<Op>(call);
  bool known = isKnown(call.arguments[0]) && isKnown(call.arguments[1]);
  auto *left = call.arguments[0].get<Extent>(), *right = call.arguments[1].get<Extent>();
  if (left && right) {
    if (!known)
      return Value(Extent::symbol(call.name + "(" + left->str() + ", " + right->str() + ")", SymbolKind::Opaque),
                   call.range);
    bool takesLeft =
        function(0, 1) == 0 ? *left->constant() < *right->constant() : *left->constant() > *right->constant();
    return Value(takesLeft ? *left : *right, call.range);
  }
  return Value(FloatValue{known ? std::optional(function(*a, *b)) : std::nullopt}, call.range);
}

Value applyCompare(BuiltinCall &call, ComparePredicate predicate) {
  auto operands = readOperands(call);
  if (!operands)
    return Value();
  mlir::Value result = call.emitter.create<CompareOp>(call.range, operands->values[0], operands->values[1], predicate);
  return call.give(operands->shape, call.emitter.types().getI1Type(), result);
}

} // namespace

Value applyTensorOperator(BuiltinCall &call, BinaryOp op) {
  switch (op) {
  case BinaryOp::Add:
    return applyBinary<AddOp>(call);
  case BinaryOp::Subtract:
    return applyBinary<SubOp>(call);
  case BinaryOp::Multiply:
    return applyBinary<MulOp>(call);
  case BinaryOp::Divide:
    return applyBinary<DivOp>(call);
  case BinaryOp::Power:
    return applyBinary<PowOp>(call);
  case BinaryOp::Less:
    return applyCompare(call, ComparePredicate::LT);
  case BinaryOp::LessEqual:
    return applyCompare(call, ComparePredicate::LE);
  case BinaryOp::Greater:
    return applyCompare(call, ComparePredicate::GT);
  case BinaryOp::GreaterEqual:
    return applyCompare(call, ComparePredicate::GE);
  case BinaryOp::Equal:
    return applyCompare(call, ComparePredicate::EQ);
  case BinaryOp::NotEqual:
    return applyCompare(call, ComparePredicate::NE);
  case BinaryOp::Remainder:
  case BinaryOp::And:
  case BinaryOp::Or:
    return call.fail(call.range, call.name + " is for static values; found " + call.arguments[0].describe() + " and " +
                                     call.arguments[1].describe());
  }
  llvm_unreachable("every operator is handled");
}

namespace builtins {

#define QUERN_UNARY(Name, Op, Function)                                                                                \
  Value Name(BuiltinCall &call) { return applyUnary<Op>(call, Function); }
#define QUERN_BINARY_FUNCTION(Name, Op, Function)                                                                      \
  Value Name(BuiltinCall &call) { return applyBinaryFunction<Op>(call, Function); }
#include "frontend/Builtins.def"

Value select(BuiltinCall &call) {
  if (!call.arguments[0].get<Tensor>())
    return call.fail(call.places[0], "found " + call.arguments[0].describe() +
                                         "; expected a tensor of `bool`; choose between static values with `if`");
  auto operands = readOperands(call, /*hasCondition=*/true);
  if (!operands)
    return Value();
  auto &[values, shape] = *operands;
  return call.give(shape, call.emitter.f32(),
                   call.emitter.create<SelectOp>(call.range, values[0], values[1], values[2]));
}

} // namespace builtins

} // namespace quern::frontend
