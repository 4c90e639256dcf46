//===- Epilogue.cpp - what a kernel makes of its products, as LLVM IR -------------------------===//

#include "codegen/tensorcores/Epilogue.h"
#include "codegen/Scalar.h"
#include "dialect/Shapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/IR/IntrinsicsNVPTX.h"

#include <numbers>

using namespace mlir;
using llvm::createStringError;
using llvm::Error;

namespace quern::codegen {

static RankedTensorType getType(Value value) { return cast<RankedTensorType>(value.getType()); }

bool isEpilogueElement(Type type) { return type.isF32() || type.isF16() || type.isBF16(); }

/// The constant that `op` is on each element, of f32; none where it is something else.
static std::optional<float> getConstant(Operation *op) {
  if (auto scalar = dyn_cast_or_null<arith::ConstantOp>(op))
    if (auto value = dyn_cast<FloatAttr>(scalar.getValue()); value && value.getType().isF32())
      return static_cast<float>(value.getValueAsDouble());
  if (auto tensor = dyn_cast_or_null<ConstantOp>(op))
    if (auto values = dyn_cast<DenseElementsAttr>(tensor.getValue());
        values && values.isSplat() && values.getElementType().isF32())
      return values.getSplatValue<float>();
  return std::nullopt;
}

/// LLVM's predicate of an ordered comparison that Halide has, too; none of another one.
static std::optional<llvm::CmpInst::Predicate> getPredicate(arith::CmpFOp op) {
  switch (op.getPredicate()) {
#define PREDICATE(name)                                                                                                \
  case arith::CmpFPredicate::name:                                                                                     \
    return llvm::CmpInst::FCMP_##name;
    PREDICATE(OLT)
    PREDICATE(OLE)
    PREDICATE(OGT)
    PREDICATE(OGE)
    PREDICATE(OEQ)
    PREDICATE(UNE)
#undef PREDICATE
  default:
    return std::nullopt;
  }
}

static bool hasCode(Operation &op) {
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return getPredicate(compare).has_value();
  if (isa<arith::ConstantOp>(op))
    return getConstant(&op).has_value();
  return isa<YieldOp
#define QUERN_SCALAR(Op, value) , Op
#include "codegen/tensorcores/Scalars.def"
             >(op);
}

/// Whether each element of `type` is one of a row and a column of `product`, or broadcast to them. Columns of a batch
/// are two dimensions.
static bool isRead(RankedTensorType type, RankedTensorType product) {
  if (!isEpilogueElement(type.getElementType()))
    return false;
  if (getDims(type) == getDims(product))
    return true;
  FailureOr<SmallVector<Dim>> all = broadcastDims(getDims(product), getDims(type));
  return product.getRank() == 2 && type.getRank() <= 2 && succeeded(all) && *all == getDims(product);
}

Error checkEpilogue(Operation *op, RankedTensorType product) {
  std::string missing;
  bool isScalar = visitScalars(op, [&](Block &block) {
    for (Operation &scalar : block)
      if (!hasCode(scalar))
        missing = scalar.getName().getStringRef().str();
  });
  if (!isScalar && !isa<CastOp>(op))
    return createStringError("`%s` follows a product", op->getName().getStringRef().data());
  if (!missing.empty())
    return createStringError("`%s` follows a product", missing.c_str());
  for (Value value : llvm::concat<Value>(op->getOperands(), op->getResults()))
    if (!isRead(getType(value), product) || (value.getDefiningOp<ConstantOp>() && !getConstant(value.getDefiningOp())))
      return createStringError("what follows a product has another shape, or elements other than floats");
  return Error::success();
}

namespace {

/// Builds values of scalar ops.
class ScalarBuilder {
public:
  ScalarBuilder(llvm::IRBuilder<> &builder, unsigned count) : builder(builder), count(count) {}

  /// The type of `count` elements of the type `element`.
  llvm::Type *getType(Type element) {
    llvm::Type *type = element.isF32()    ? builder.getFloatTy()
                       : element.isF16()  ? builder.getHalfTy()
                       : element.isBF16() ? builder.getBFloatTy()
                                          : builder.getInt1Ty();
    return llvm::FixedVectorType::get(type, count);
  }
  llvm::Value *getConstant(double value) {
    return llvm::ConstantFP::get(llvm::FixedVectorType::get(builder.getFloatTy(), count), value);
  }
  llvm::Value *emit(Operation *op, ArrayRef<llvm::Value *> in);
  /// What `block` yields.
  llvm::Value *emitBlock(Block &block, ArrayRef<llvm::Value *> arguments);

private:
  /// a / b, by the instruction whose result is at most 2 of the last places off.
  llvm::Value *divide(llvm::Value *a, llvm::Value *b) { return call(llvm::Intrinsic::nvvm_div_full, {a, b}); }
  /// 2^(a · log₂ e): relative to it, 2^-22 and |a| · 2^-24 off.
  llvm::Value *exponential(llvm::Value *a) {
    return call(llvm::Intrinsic::nvvm_ex2_approx, {builder.CreateFMul(a, getConstant(std::numbers::log2e))},
                {builder.getFloatTy()});
  }
  /// 1 - 2 / (e^2a + 1), 2^-22 off.
  llvm::Value *tangent(llvm::Value *a) {
    llvm::Value *power = exponential(builder.CreateFAdd(a, a)), *one = getConstant(1);
    return builder.CreateFSub(one, divide(getConstant(2), builder.CreateFAdd(power, one)));
  }
  /// 1 - (polynomial in t) · e^-a², t = 1 / (1 + p · |a|), with the sign of a: 2e-7 off (Abramowitz and Stegun,
  /// Handbook of Mathematical Functions, 7.1.26).
  llvm::Value *errorFunction(llvm::Value *a) {
    llvm::Value *size = builder.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, a), *one = getConstant(1);
    llvm::Value *t = divide(one, multiplyAdd(size, getConstant(0.3275911), one)), *sum = getConstant(1.061405429);
    for (double factor : {-1.453152027, 1.421413741, -0.284496736, 0.254829592, 0.0})
      sum = multiplyAdd(sum, t, getConstant(factor));
    llvm::Value *power = exponential(builder.CreateFNeg(builder.CreateFMul(a, a)));
    llvm::Value *value = builder.CreateFSub(one, builder.CreateFMul(sum, power));
    return builder.CreateCopySign(value, a);
  }
  llvm::Value *multiplyAdd(llvm::Value *a, llvm::Value *b, llvm::Value *c) {
    return builder.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, c});
  }
  /// The intrinsic on each element.
  llvm::Value *call(llvm::Intrinsic::ID id, ArrayRef<llvm::Value *> in, ArrayRef<llvm::Type *> types = {}) {
    llvm::Value *all = llvm::PoisonValue::get(in.front()->getType());
    for (unsigned i = 0; i < count; ++i) {
      SmallVector<llvm::Value *> one;
      for (llvm::Value *value : in)
        one.push_back(builder.CreateExtractElement(value, i));
      all = builder.CreateInsertElement(all, builder.CreateIntrinsic(id, types, one), i);
    }
    return all;
  }

  llvm::IRBuilder<> &builder;
  unsigned count;
};

} // namespace

llvm::Value *ScalarBuilder::emit(Operation *op, ArrayRef<llvm::Value *> in) {
  llvm::Value *a = in.size() > 0 ? in[0] : nullptr, *b = in.size() > 1 ? in[1] : nullptr,
              *c = in.size() > 2 ? in[2] : nullptr;
  llvm::Type *type = getType(op->getResult(0).getType());
  ScalarBuilder &make = *this;
  (void)c;
  return llvm::TypeSwitch<Operation *, llvm::Value *>(op)
      .Case([&](arith::ConstantOp constant) { return getConstant(*codegen::getConstant(constant)); })
      .Case([&](arith::CmpFOp compare) { return builder.CreateFCmp(*getPredicate(compare), a, b); })
#define QUERN_SCALAR(Op, value) .Case([&](Op) { return value; })
#include "codegen/tensorcores/Scalars.def"
      .Default([](Operation *) -> llvm::Value * { llvm_unreachable("checkEpilogue refuses it"); });
}

llvm::Value *ScalarBuilder::emitBlock(Block &block, ArrayRef<llvm::Value *> arguments) {
  llvm::DenseMap<Value, llvm::Value *> values;
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = value;
  for (Operation &op : block.without_terminator())
    values[op.getResult(0)] =
        emit(&op, llvm::map_to_vector(op.getOperands(), [&](Value operand) { return values.lookup(operand); }));
  return values.lookup(block.back().getOperand(0));
}

/// Where the elements of a tensor of `type`, broadcast to rows and columns, are in `memory`.
llvm::Value *Epilogue::getAddress(RankedTensorType type, llvm::Value *memory, const EpiloguePlace &place) {
  ArrayRef<int64_t> shape = type.getShape();
  llvm::Type *i64 = builder.getInt64Ty();
  llvm::Value *index = builder.getInt64(0);
  if (shape.size() > 1 && shape[0] != 1)
    index = builder.CreateMul(builder.CreateZExt(place.row, i64),
                              builder.getInt64(ShapedType::getNumElements(shape.drop_front())));
  if (!shape.empty() && shape.back() != 1)
    index = builder.CreateAdd(index, builder.CreateZExt(place.column, i64));
  uint64_t bytes = type.getElementTypeBitWidth() / 8;
  return builder.CreateGEP(builder.getInt8Ty(), memory, builder.CreateMul(index, builder.getInt64(bytes)));
}

llvm::Value *Epilogue::load(BlockArgument argument, const EpiloguePlace &place) {
  RankedTensorType type = getType(argument);
  size_t at = llvm::find(contraction.operands, argument) - contraction.operands.begin();
  llvm::Value *address = getAddress(type, operands[at], place);
  bool isOne = type.getRank() == 0 || type.getShape().back() == 1;
  unsigned count = isOne ? 1 : place.count;
  llvm::Align align(count * type.getElementTypeBitWidth() / 8);
  llvm::Type *loaded = ScalarBuilder(builder, count).getType(type.getElementType());
  llvm::Value *value = builder.CreateAlignedLoad(loaded, address, align);
  if (count == place.count)
    return value;
  return builder.CreateVectorSplat(place.count, builder.CreateExtractElement(value, uint64_t(0)));
}

void Epilogue::store(const EpiloguePlace &place, ArrayRef<llvm::Value *> sums) {
  ScalarBuilder scalars(builder, place.count);
  llvm::DenseMap<Value, llvm::Value *> values;
  for (auto [product, sum] : llvm::zip_equal(contraction.products, sums))
    values[MatmulOp(product).getResult()] = sum;
  auto get = [&](Value value) -> llvm::Value * {
    if (auto argument = dyn_cast<BlockArgument>(value); argument && !values.contains(argument))
      values[argument] = load(argument, place);
    if (std::optional<float> constant = getConstant(value.getDefiningOp()))
      return scalars.getConstant(*constant);
    return values.lookup(value);
  };
  for (Operation *op : contraction.epilogue) {
    SmallVector<llvm::Value *> in = llvm::map_to_vector(op->getOperands(), get);
    llvm::Value *&value = values[op->getResult(0)];
    if (isa<CastOp>(op))
      value = builder.CreateFPCast(in.front(), scalars.getType(getType(op->getResult(0)).getElementType()));
    visitScalars(op, [&](Block &block) { value = scalars.emitBlock(block, in); });
  }
  RankedTensorType type = getType(contraction.yielded);
  llvm::Value *address = getAddress(type, result, place);
  builder.CreateAlignedStore(get(contraction.yielded), address,
                             llvm::Align(place.count * type.getElementTypeBitWidth() / 8));
}

} // namespace quern::codegen
