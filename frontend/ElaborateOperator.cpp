//===- ElaborateOperator.cpp - operators on static values and tensors -------------------------===//

#include "frontend/Elaborator.h"

#include <cmath>

using namespace llvm;

namespace quern::frontend {

namespace {

/// Static values as numbers; nothing inside while unknown.
std::optional<double> toDouble(const Value &value) {
  if (auto *number = value.get<FloatValue>())
    return number->value;
  auto constant = value.get<Extent>()->constant();
  return constant ? std::optional(double(*constant)) : std::nullopt;
}

bool isNumber(const Value &value) { return value.get<Extent>() || value.get<FloatValue>(); }

/// a to the power b, 0 <= b; nothing where it leaves 64 bits.
std::optional<Extent> power(const Extent &a, int64_t b) {
  if (!a.constant() && b > 64)
    return Extent::opaque(a, "**", Extent(b));
  std::optional<Extent> result = Extent(1);
  for (int64_t i = 0; i < b && result; ++i) {
    // 2 to the 64th already left, so that a is -1, 0 or 1.
    if (i > 64)
      return a.constant() == -1 ? Extent(b % 2 ? -1 : 1) : *result;
    result = Extent::multiply(*result, a);
  }
  return result;
}

/// Integer arithmetic; an error text where there is no result.
std::variant<Extent, std::string> applyIntegers(BinaryOp op, const Extent &a, const Extent &b) {
  std::optional<Extent> result;
  auto x = a.constant(), y = b.constant();
  switch (op) {
  case BinaryOp::Add:
    result = Extent::add(a, b);
    break;
  case BinaryOp::Subtract:
    result = Extent::subtract(a, b);
    break;
  case BinaryOp::Multiply:
    result = Extent::multiply(a, b);
    break;
  case BinaryOp::Divide:
    if (y == 0)
      return "division of " + a.str() + " by zero";
    result = Extent::divide(a, b);
    if (!result && x && y)
      return a.str() + " is not a multiple of " + b.str() + "; the division of integers must be exact";
    break;
  case BinaryOp::Remainder:
    if (y == 0)
      return "remainder of " + a.str() + " by zero";
    if (x && y) // INT64_MIN % -1 traps.
      result = Extent(*y == -1 ? 0 : ((*x % *y) + *y) % *y);
    else
      result = Extent::opaque(a, "%", b);
    break;
  case BinaryOp::Power:
    if (y && *y < 0)
      return "power " + b.str() + " of an integer; expected at least 0";
    result = y ? power(a, *y) : Extent::opaque(a, "**", b);
    break;
  default:
    llvm_unreachable("not arithmetic");
  }
  if (!result)
    return std::string("the result leaves 64 bits");
  return *result;
}

double applyDoubles(BinaryOp op, double a, double b) {
  switch (op) {
  case BinaryOp::Add:
    return a + b;
  case BinaryOp::Subtract:
    return a - b;
  case BinaryOp::Multiply:
    return a * b;
  case BinaryOp::Divide:
    return a / b;
  case BinaryOp::Remainder:
    return a - b * std::floor(a / b);
  case BinaryOp::Power:
    return std::pow(a, b);
  default:
    llvm_unreachable("not arithmetic");
  }
}

bool isComparison(BinaryOp op) {
  switch (op) {
  case BinaryOp::Equal:
  case BinaryOp::NotEqual:
  case BinaryOp::Less:
  case BinaryOp::LessEqual:
  case BinaryOp::Greater:
  case BinaryOp::GreaterEqual:
    return true;
  default:
    return false;
  }
}

template <typename T> bool compareWith(BinaryOp op, const T &a, const T &b) {
  switch (op) {
  case BinaryOp::Equal:
    return a == b;
  case BinaryOp::NotEqual:
    return a != b;
  case BinaryOp::Less:
    return a < b;
  case BinaryOp::LessEqual:
    return a <= b;
  case BinaryOp::Greater:
    return a > b;
  case BinaryOp::GreaterEqual:
    return a >= b;
  default:
    llvm_unreachable("not a comparison");
  }
}

/// a op b of static values; nothing where they do not compare, nothing inside while that is
/// unknown.
std::optional<std::optional<bool>> compareStatic(BinaryOp op, const Value &a, const Value &b) {
  bool isEquality = op == BinaryOp::Equal || op == BinaryOp::NotEqual;
  auto compareOptional = [&](const auto &x, const auto &y) -> std::optional<bool> {
    if (!x || !y)
      return std::nullopt;
    return compareWith(op, *x, *y);
  };
  if (a.get<Extent>() && b.get<Extent>()) {
    if (isEquality && Extent::compare(*a.get<Extent>(), *b.get<Extent>()) == Equality::Equal)
      return std::optional(op == BinaryOp::Equal);
    return compareOptional(a.get<Extent>()->constant(), b.get<Extent>()->constant());
  }
  if (isNumber(a) && isNumber(b))
    return compareOptional(toDouble(a), toDouble(b));
  if (isEquality && a.get<BoolValue>() && b.get<BoolValue>())
    return compareOptional(a.get<BoolValue>()->value, b.get<BoolValue>()->value);
  if (isEquality && a.get<StringValue>() && b.get<StringValue>())
    return compareOptional(a.get<StringValue>()->value, b.get<StringValue>()->value);
  return std::nullopt;
}

} // namespace

Value Elaborator::evaluateUnary(const UnaryExpr &expr, Frame &frame) {
  if (expr.op == UnaryOp::Not) {
    auto condition = evaluateCondition(*expr.operand, frame);
    if (!condition)
      return Value();
    return Value(BoolValue{*condition ? std::optional(!**condition) : std::nullopt}, expr.range);
  }
  Value operand = evaluate(*expr.operand, frame);
  if (operand.isPoison())
    return operand;
  if (auto *number = operand.get<FloatValue>())
    return Value(FloatValue{number->value ? std::optional(-*number->value) : std::nullopt}, expr.range);
  if (auto *integer = operand.get<Extent>()) {
    auto negated = Extent::subtract(Extent(0), *integer);
    return negated ? Value(*negated, expr.range) : fail(expr.range, "the result leaves 64 bits");
  }
  auto *tensor = operand.get<Tensor>();
  if (!tensor || !isa<mlir::FloatType, BlockType>(tensor->element))
    return fail(expr.range, "`-` of " + operand.describe() + "; expected a number or a tensor of floats");
  mlir::Value result = emitter.create<NegOp>(expr.range, emitter.asF32(expr.range, *tensor));
  return Value(Tensor{tensor->shape, emitter.f32(), result}, expr.range);
}

Value Elaborator::evaluateBinary(const BinaryExpr &expr, Frame &frame) {
  if (expr.op == BinaryOp::And || expr.op == BinaryOp::Or) {
    // What decides alone: the other side may rely on it.
    bool decisive = expr.op == BinaryOp::Or;
    auto left = evaluateCondition(*expr.left, frame);
    if (left && *left == decisive)
      return Value(BoolValue{decisive}, expr.range);
    auto right = evaluateCondition(*expr.right, frame);
    if (!left || !right)
      return Value();
    if (*right == decisive)
      return Value(BoolValue{decisive}, expr.range);
    return Value(BoolValue{*left && *right ? std::optional(!decisive) : std::nullopt}, expr.range);
  }
  Value left = evaluate(*expr.left, frame), right = evaluate(*expr.right, frame);
  if (left.isPoison() || right.isPoison())
    return Value();
  std::string name = ("`" + spelling(expr.op) + "`").str();
  auto mismatch = [&] { return fail(expr.opRange, name + " of " + left.describe() + " and " + right.describe()); };
  if (left.get<Tensor>() || right.get<Tensor>()) {
    bool fits = (left.get<Tensor>() || isNumber(left)) && (right.get<Tensor>() || isNumber(right));
    if (!fits)
      return mismatch();
    BuiltinCall call{name,    expr.range,  {left, right}, {expr.left->range, expr.right->range}, {}, {},
                     emitter, diagnostics, table};
    return applyTensorOperator(call, expr.op);
  }
  if (isComparison(expr.op)) {
    auto result = compareStatic(expr.op, left, right);
    auto isRuntime = [](const Value &value) {
      return value.get<Extent>() && value.get<Extent>()->mentions(SymbolKind::Runtime);
    };
    bool unknown = result && !*result && (isRuntime(left) || isRuntime(right));
    return result ? Value(BoolValue{*result, unknown}, expr.range) : mismatch();
  }
  if (left.get<StringValue>() && right.get<StringValue>() && expr.op == BinaryOp::Add) {
    auto &a = left.get<StringValue>()->value, &b = right.get<StringValue>()->value;
    if (pay(left, expr.range).isPoison() || pay(right, expr.range).isPoison())
      return Value();
    return Value(StringValue{a && b ? std::optional(*a + *b) : std::nullopt}, expr.range);
  }
  if (!isNumber(left) || !isNumber(right))
    return mismatch();
  if (left.get<Extent>() && right.get<Extent>()) {
    if (!budget.spend(Resource::Steps, expr.range, left.get<Extent>()->size() * right.get<Extent>()->size() - 1))
      return Value();
    auto result = applyIntegers(expr.op, *left.get<Extent>(), *right.get<Extent>());
    if (auto *message = std::get_if<std::string>(&result))
      return fail(expr.range, "`" + textOf(expr.range) + "`: " + *message);
    return Value(std::get<Extent>(result), expr.range);
  }
  auto a = toDouble(left), b = toDouble(right);
  if (!a || !b)
    return Value(FloatValue{}, expr.range);
  double result = applyDoubles(expr.op, *a, *b);
  if (!std::isfinite(result))
    return fail(expr.range, name + " of " + left.describe() + " and " + right.describe() + " is not a finite number");
  return Value(FloatValue{result}, expr.range);
}

} // namespace quern::frontend
