//===- Scalar.cpp - scalar regions as Halide expressions --------------------------------------===//

#include "codegen/Scalar.h"
#include "dialect/Ops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace quern::codegen {

FailureOr<Halide::Type> getHalideType(Type type) {
  if (type.isF32())
    return Halide::Float(32);
  if (type.isF16())
    return Halide::Float(16);
  if (type.isBF16())
    return Halide::BFloat(16);
  if (type.isInteger(32))
    return Halide::Int(32);
  if (type.isInteger(1))
    return Halide::Bool();
  return failure();
}

Halide::Expr getBits(Halide::Expr value) {
  // What was rounded just now are bits under another type.
  if (const auto *typed = value.as<Halide::Internal::Reinterpret>())
    return Halide::reinterpret<uint16_t>(typed->value);
  return Halide::reinterpret<uint16_t>(value);
}

Halide::Expr toFloat(Halide::Expr value) {
  using namespace Halide;
  if (value.type().is_bfloat())
    return reinterpret<float>(cast<uint32_t>(getBits(value)) << 16);
  return cast<float>(value);
}

/// f32 to the upper half of its bits, rounded to nearest even; a NaN stays a quiet NaN.
static Halide::Expr toBFloat(Halide::Expr value) {
  using namespace Halide;
  Expr bits = reinterpret<uint32_t>(cast<float>(value));
  auto word = [](uint32_t value) { return Expr(value); };
  Expr rounded = bits + word(0x7fff) + ((bits >> 16) & word(1));
  Expr kept = select((bits & word(0x7fffffff)) > word(0x7f800000), bits | word(0x400000), rounded);
  return reinterpret(BFloat(16), cast<uint16_t>(kept >> 16));
}

// A product and a sum become one operation where the sum is this 0; the next sum finds no product any more.
Halide::Expr multiply(Halide::Expr a, Halide::Expr b) {
  Halide::Expr product = a * b;
  return Halide::Internal::Add::make(product, Halide::Internal::make_zero(product.type()));
}

Halide::Expr exponential(Halide::Expr a) {
  constexpr float beyond = 89; // e^88.72 is the largest that f32 has
  return select(a < beyond, exp(a), a * std::numeric_limits<float>::max());
}

Halide::Expr logarithm(Halide::Expr a) { return select(a < std::numeric_limits<float>::infinity(), log(a), a); }

Halide::Expr errorFunction(Halide::Expr a) {
  constexpr float beyond = 6; // it is 1 from 3.9 on
  return select(a > beyond, 1.0f, a < -beyond, -1.0f, erf(a));
}

Halide::Expr convert(Halide::Type type, Halide::Expr value) {
  if (value.type() == type)
    return value;
  if (type.is_bfloat())
    return toBFloat(toFloat(value));
  return value.type().is_bfloat() ? Halide::cast(type, toFloat(value)) : Halide::cast(type, value);
}

/// An ordered comparison. The unordered predicates are true where either side is NaN.
static FailureOr<Halide::Expr> lowerCompare(arith::CmpFOp op, Halide::Expr a, Halide::Expr b) {
  switch (op.getPredicate()) {
  case arith::CmpFPredicate::OLT:
    return a < b;
  case arith::CmpFPredicate::OLE:
    return a <= b;
  case arith::CmpFPredicate::OGT:
    return a > b;
  case arith::CmpFPredicate::OGE:
    return a >= b;
  case arith::CmpFPredicate::OEQ:
    return a == b;
  case arith::CmpFPredicate::UNE:
    return a != b;
  default:
    return op.emitError("no kernel code for the predicate `")
           << arith::stringifyCmpFPredicate(op.getPredicate()) << "`";
  }
}

static FailureOr<Halide::Expr> lowerConstant(arith::ConstantOp op) {
  if (auto value = dyn_cast<FloatAttr>(op.getValue()); value && value.getType().isF32())
    return Halide::Expr(static_cast<float>(value.getValueAsDouble()));
  if (auto value = dyn_cast<IntegerAttr>(op.getValue()); value && value.getType().isInteger(32))
    return Halide::Expr(static_cast<int32_t>(value.getInt()));
  if (auto value = dyn_cast<BoolAttr>(op.getValue()))
    return value.getValue() ? Halide::Internal::const_true() : Halide::Internal::const_false();
  return op.emitError("no kernel code for a constant of type ") << op.getType() << ", expected f32, i32 or i1";
}

/// The value of `op` for its operands `in`.
static FailureOr<Halide::Expr> lowerScalar(Operation *op, ArrayRef<Halide::Expr> in) {
  using namespace Halide;
  using Result = FailureOr<Expr>;
  Expr a = in.size() > 0 ? in[0] : Expr(), b = in.size() > 1 ? in[1] : Expr(), c = in.size() > 2 ? in[2] : Expr();
  FailureOr<Halide::Type> resultType =
      op->getNumResults() == 1 ? getHalideType(op->getResult(0).getType()) : FailureOr<Halide::Type>();
  if (failed(resultType))
    return op->emitError("a kernel's scalar op yields other than one f32, f16, bf16, i32 or i1");
  Halide::Type type = *resultType;
  return TypeSwitch<Operation *, Result>(op)
      .Case([](arith::ConstantOp constant) { return lowerConstant(constant); })
      .Case([&](arith::CmpFOp compare) { return lowerCompare(compare, a, b); })
#define QUERN_SCALAR(Op, expression) .Case([&](Op) { return Result(Expr(expression)); })
#include "codegen/Scalars.def"
      .Default([](Operation *other) {
        return Result(other->emitError("no kernel code for the scalar op `") << other->getName() << "`");
      });
}

FailureOr<Halide::Expr> lowerScalarBlock(Block &block, ArrayRef<Halide::Expr> arguments) {
  llvm::DenseMap<Value, Halide::Expr> values;
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = value;
  for (Operation &op : block) {
    SmallVector<Halide::Expr> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    if (isa<YieldOp>(op))
      return operands.front();
    FailureOr<Halide::Expr> result = lowerScalar(&op, operands);
    if (failed(result))
      return failure();
    values[op.getResult(0)] = *result;
  }
  llvm_unreachable("a map's region ends with quern.yield");
}

bool visitScalars(Operation *op, llvm::function_ref<void(Block &)> action) {
  if (auto map = dyn_cast<MapOp>(op)) {
    action(map.getBody().front());
    return true;
  }
  auto scalar = dyn_cast<ScalarBodyOpInterface>(op);
  if (!scalar)
    return false;
  Region region(op);
  Block &block = region.emplaceBlock();
  for (Value operand : op->getOperands())
    block.addArgument(cast<RankedTensorType>(operand.getType()).getElementType(), op->getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(&block);
  Value result = scalar.buildScalar(builder, block.getArguments());
  YieldOp::create(builder, op->getLoc(), result);
  action(block);
  return true;
}

} // namespace quern::codegen
