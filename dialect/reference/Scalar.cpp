//===- Scalar.cpp - evaluation of scalar functions over tensors -------------------------------===//

#include "dialect/reference/Scalar.h"
#include "dialect/Ops.h"
#include "dialect/reference/Convert.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

#pragma STDC FP_CONTRACT OFF

namespace quern {
namespace {

/// Elements that are evaluated together, op by op.
constexpr int64_t laneCount = 256;

/// One scalar value of the body for `laneCount` elements: floats (of every width, rounded to it) or integers.
struct Lanes {
  std::array<float, laneCount> floats;
  std::array<int64_t, laneCount> integers;
};

/// The values of a body for one group of elements.
class LaneValues {
public:
  Lanes &operator[](Value value) { return *lanes.try_emplace(value, std::make_unique<Lanes>()).first->second; }

private:
  llvm::DenseMap<Value, std::unique_ptr<Lanes>> lanes;
};

/// Where operand elements lie for the elements of the result: a stride per result axis, 0 where the operand stretches.
class Broadcast {
public:
  Broadcast(ArrayRef<int64_t> from, ArrayRef<int64_t> to) : shape(to), strides(to.size(), 0) {
    int64_t stride = 1;
    for (size_t i = 0; i < from.size(); ++i) {
      size_t axis = from.size() - 1 - i;
      if (from[axis] != 1)
        strides[to.size() - 1 - i] = stride;
      stride *= from[axis];
    }
  }

  int64_t operator()(int64_t element) const {
    int64_t index = 0;
    for (size_t axis = shape.size(); axis-- > 0; element /= shape[axis])
      index += element % shape[axis] * strides[axis];
    return index;
  }

private:
  ArrayRef<int64_t> shape;
  SmallVector<int64_t> strides;
};

/// Applies one op of a scalar body to all lanes.
class LaneEvaluator {
public:
  LaneEvaluator(Operation &op, LaneValues &values) : op(op), values(values) {}

  LogicalResult run();

private:
  template <typename Fn> LogicalResult unary(Fn fn) {
    Lanes &a = values[op.getOperand(0)], &out = values[op.getResult(0)];
    for (int64_t i = 0; i < laneCount; ++i)
      out.floats[i] = fn(a.floats[i]);
    return success();
  }
  template <typename Fn> LogicalResult binary(Fn fn) {
    Lanes &a = values[op.getOperand(0)], &b = values[op.getOperand(1)], &out = values[op.getResult(0)];
    for (int64_t i = 0; i < laneCount; ++i)
      out.floats[i] = fn(a.floats[i], b.floats[i]);
    return success();
  }
  template <typename Fn> LogicalResult integers(Fn fn) {
    Lanes &a = values[op.getOperand(0)], &b = values[op.getOperand(1)], &out = values[op.getResult(0)];
    for (int64_t i = 0; i < laneCount; ++i)
      out.integers[i] = fn(a.integers[i], b.integers[i]);
    return success();
  }
  LogicalResult constant(arith::ConstantOp constant);
  LogicalResult compare(arith::CmpFOp compare);
  LogicalResult compareIntegers(arith::CmpIOp compare);
  LogicalResult select();
  LogicalResult fusedMultiplyAdd();
  LogicalResult fromInteger();
  LogicalResult toInteger();

  Operation &op;
  LaneValues &values;
};

/// IEEE 754-2019 maximum: a NaN wins, and +0 is above -0.
float maximum(float a, float b) {
  if (std::isnan(a) || std::isnan(b))
    return a + b;
  return a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
}

float minimum(float a, float b) { return -maximum(-a, -b); }

LogicalResult LaneEvaluator::constant(arith::ConstantOp constant) {
  Lanes &out = values[constant.getResult()];
  if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
    out.floats.fill(number.getValue().convertToDouble());
  else if (auto number = dyn_cast<IntegerAttr>(constant.getValue()))
    out.integers.fill(number.getType().isInteger(1) ? number.getValue().getZExtValue() : number.getInt());
  else
    return constant.emitError("found a constant of type ") << constant.getType() << ", expected a scalar";
  return success();
}

LogicalResult LaneEvaluator::compare(arith::CmpFOp compare) {
  Lanes &a = values[compare.getLhs()], &b = values[compare.getRhs()], &out = values[compare.getResult()];
  for (int64_t i = 0; i < laneCount; ++i)
    out.integers[i] = arith::applyCmpPredicate(compare.getPredicate(), APFloat(a.floats[i]), APFloat(b.floats[i]));
  return success();
}

LogicalResult LaneEvaluator::compareIntegers(arith::CmpIOp compare) {
  Lanes &a = values[compare.getLhs()], &b = values[compare.getRhs()], &out = values[compare.getResult()];
  for (int64_t i = 0; i < laneCount; ++i)
    out.integers[i] = arith::applyCmpPredicate(compare.getPredicate(), APInt(64, a.integers[i], true),
                                               APInt(64, b.integers[i], true));
  return success();
}

LogicalResult LaneEvaluator::select() {
  Lanes &condition = values[op.getOperand(0)], &a = values[op.getOperand(1)], &b = values[op.getOperand(2)];
  Lanes &out = values[op.getResult(0)];
  for (int64_t i = 0; i < laneCount; ++i) {
    out.floats[i] = condition.integers[i] & 1 ? a.floats[i] : b.floats[i];
    out.integers[i] = condition.integers[i] & 1 ? a.integers[i] : b.integers[i];
  }
  return success();
}

LogicalResult LaneEvaluator::fusedMultiplyAdd() {
  Lanes &a = values[op.getOperand(0)], &b = values[op.getOperand(1)], &c = values[op.getOperand(2)];
  Lanes &out = values[op.getResult(0)];
  for (int64_t i = 0; i < laneCount; ++i)
    out.floats[i] = std::fma(a.floats[i], b.floats[i], c.floats[i]);
  return success();
}

LogicalResult LaneEvaluator::fromInteger() {
  Lanes &a = values[op.getOperand(0)], &out = values[op.getResult(0)];
  for (int64_t i = 0; i < laneCount; ++i)
    out.floats[i] = float(a.integers[i]);
  return success();
}

LogicalResult LaneEvaluator::toInteger() {
  Lanes &a = values[op.getOperand(0)], &out = values[op.getResult(0)];
  for (int64_t i = 0; i < laneCount; ++i)
    out.integers[i] = truncateToInt(a.floats[i]);
  return success();
}

LogicalResult LaneEvaluator::run() {
  using R = LogicalResult;
  return TypeSwitch<Operation *, R>(&op)
      .Case([&](arith::ConstantOp c) { return constant(c); })
      .Case([&](arith::CmpFOp c) { return compare(c); })
      .Case([&](arith::CmpIOp c) { return compareIntegers(c); })
      .Case<arith::SelectOp>([&](auto) { return select(); })
      .Case<math::FmaOp>([&](auto) { return fusedMultiplyAdd(); })
      .Case<arith::AddFOp>([&](auto) { return binary([](float a, float b) { return a + b; }); })
      .Case<arith::SubFOp>([&](auto) { return binary([](float a, float b) { return a - b; }); })
      .Case<arith::MulFOp>([&](auto) { return binary([](float a, float b) { return a * b; }); })
      .Case<arith::DivFOp>([&](auto) { return binary([](float a, float b) { return a / b; }); })
      .Case<arith::MaximumFOp>([&](auto) { return binary(maximum); })
      .Case<arith::MinimumFOp>([&](auto) { return binary(minimum); })
      .Case<arith::MaxNumFOp>([&](auto) { return binary([](float a, float b) { return std::fmax(a, b); }); })
      .Case<arith::MinNumFOp>([&](auto) { return binary([](float a, float b) { return std::fmin(a, b); }); })
      .Case<math::PowFOp>([&](auto) { return binary([](float a, float b) { return std::pow(a, b); }); })
      .Case<arith::NegFOp>([&](auto) { return unary([](float a) { return -a; }); })
      .Case<math::AbsFOp>([&](auto) { return unary([](float a) { return std::fabs(a); }); })
      .Case<math::FloorOp>([&](auto) { return unary([](float a) { return std::floor(a); }); })
      .Case<math::ExpOp>([&](auto) { return unary([](float a) { return std::exp(a); }); })
      .Case<math::LogOp>([&](auto) { return unary([](float a) { return std::log(a); }); })
      .Case<math::SqrtOp>([&](auto) { return unary([](float a) { return std::sqrt(a); }); })
      .Case<math::RsqrtOp>([&](auto) { return unary([](float a) { return 1.0f / std::sqrt(a); }); })
      .Case<math::SinOp>([&](auto) { return unary([](float a) { return std::sin(a); }); })
      .Case<math::CosOp>([&](auto) { return unary([](float a) { return std::cos(a); }); })
      .Case<math::TanhOp>([&](auto) { return unary([](float a) { return std::tanh(a); }); })
      .Case<math::ErfOp>([&](auto) { return unary([](float a) { return std::erf(a); }); })
      .Case<arith::ExtFOp>([&](auto) { return unary([](float a) { return a; }); })
      .Case([&](arith::TruncFOp truncate) {
        bool half = truncate.getType().isF16();
        return unary([half](float a) { return half ? halfToFloat(floatToHalf(a)) : bfloatToFloat(floatToBfloat(a)); });
      })
      .Case<arith::SIToFPOp, arith::UIToFPOp>([&](auto) { return fromInteger(); })
      .Case<arith::FPToSIOp>([&](auto) { return toInteger(); })
      .Case<arith::AndIOp>([&](auto) { return integers([](int64_t a, int64_t b) { return a & b; }); })
      .Case<arith::OrIOp>([&](auto) { return integers([](int64_t a, int64_t b) { return a | b; }); })
      .Case<arith::XOrIOp>([&](auto) { return integers([](int64_t a, int64_t b) { return a ^ b; }); })
      .Default([](Operation *op) {
        return op->emitError("`") << op->getName() << "` is no scalar function of the reference evaluator";
      });
}

/// Whether elements of this type are integers in their lanes.
bool isInteger(Type type) { return isa<IntegerType>(type); }

/// Lane values of `operand` for the result's elements from `first` on.
void load(const Tensor &operand, ArrayRef<float> floats, const Broadcast &where, int64_t first, int64_t count,
          Lanes &out) {
  for (int64_t i = 0; i < count; ++i) {
    int64_t index = where(first + i);
    if (operand.getElementType().isInteger(1))
      out.integers[i] = operand.getAs<uint8_t>()[index] & 1;
    else if (isInteger(operand.getElementType()))
      out.integers[i] = operand.getAs<int32_t>()[index];
    else
      out.floats[i] = floats[index];
  }
}

} // namespace

FailureOr<Tensor> evaluateScalarBody(Operation *op, Block &body, Value yielded, ArrayRef<Tensor> operands,
                                     RankedTensorType resultType) {
  FailureOr<Tensor> result = Tensor::zeros(resultType);
  if (failed(result))
    return op->emitError("found result type ") << resultType << ", expected numbers";
  SmallVector<Broadcast> where;
  SmallVector<std::vector<float>> floats;
  for (const Tensor &operand : operands) {
    if (!operand.getElementType().isIntOrFloat())
      return op->emitError("found operand type ") << operand.getType() << ", expected numbers";
    where.emplace_back(operand.getShape(), resultType.getShape());
    floats.push_back(operand.readFloats());
  }
  LaneValues values;
  for (Value argument : body.getArguments())
    values[argument] = {};
  for (int64_t first = 0, total = result->getNumElements(); first < total; first += laneCount) {
    int64_t count = std::min(laneCount, total - first);
    for (auto [i, argument] : llvm::enumerate(body.getArguments()))
      load(operands[i], floats[i], where[i], first, count, values[argument]);
    for (Operation &scalar : body)
      if (!scalar.hasTrait<OpTrait::IsTerminator>() && failed(LaneEvaluator(scalar, values).run()))
        return failure();
    const Lanes &lanes = values[yielded];
    for (int64_t i = 0; i < count; ++i)
      if (isInteger(resultType.getElementType()))
        storeInteger(*result, first + i, lanes.integers[i]);
      else
        storeFloat(*result, first + i, lanes.floats[i]);
  }
  return result;
}

FailureOr<Tensor> evaluateElementwise(ScalarBodyOpInterface op, ArrayRef<Tensor> operands, RankedTensorType result) {
  Block body;
  for (const Tensor &operand : operands)
    body.addArgument(operand.getElementType(), op.getLoc());
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&body);
  Value yielded = op.buildScalar(builder, body.getArguments());
  return evaluateScalarBody(op, body, yielded, operands, result);
}

Evaluated MapOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType result = types.front();
  Block &body = getBody().front();
  return evaluateScalarBody(*this, body, body.getTerminator()->getOperand(0), operands, result);
}

} // namespace quern
