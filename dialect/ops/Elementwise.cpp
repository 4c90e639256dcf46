//===- Elementwise.cpp - one scalar function per element --------------------------------------===//

#include "dialect/ops/Inference.h"
#include "dialect/reference/Scalar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace quern;

namespace quern::scalar {

static Value f32(OpBuilder &builder, Location loc, float value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
}

/// 1 / (1 + exp(-a))
static Value sigmoid(OpBuilder &builder, Location loc, Value a) {
  Value one = f32(builder, loc, 1.0f);
  Value decay = math::ExpOp::create(builder, loc, arith::NegFOp::create(builder, loc, a));
  return arith::DivFOp::create(builder, loc, one, arith::AddFOp::create(builder, loc, one, decay));
}

/// a/2 · (1 + erf(a/√2)) (Hendrycks and Gimpel 2016)
static Value gelu(OpBuilder &builder, Location loc, Value a) {
  Value scaled = arith::MulFOp::create(builder, loc, a, f32(builder, loc, 0.70710678f));
  Value sum = arith::AddFOp::create(builder, loc, f32(builder, loc, 1.0f), math::ErfOp::create(builder, loc, scaled));
  Value half = arith::MulFOp::create(builder, loc, a, f32(builder, loc, 0.5f));
  return arith::MulFOp::create(builder, loc, half, sum);
}

static Value compare(OpBuilder &builder, Location loc, ComparePredicate predicate, Value a, Value b) {
  auto ordered = [&] {
    switch (predicate) {
    case ComparePredicate::LT:
      return arith::CmpFPredicate::OLT;
    case ComparePredicate::LE:
      return arith::CmpFPredicate::OLE;
    case ComparePredicate::GT:
      return arith::CmpFPredicate::OGT;
    case ComparePredicate::GE:
      return arith::CmpFPredicate::OGE;
    case ComparePredicate::EQ:
      return arith::CmpFPredicate::OEQ;
    case ComparePredicate::NE:
      return arith::CmpFPredicate::UNE;
    }
    llvm_unreachable("every predicate is handled");
  }();
  return arith::CmpFOp::create(builder, loc, ordered, a, b);
}

} // namespace quern::scalar

LogicalResult quern::inferBroadcast(std::optional<Location> loc, ValueRange operands, Type elementType,
                                    SmallVectorImpl<Type> &inferred) {
  SmallVector<Dim> shape = getDims(tensorOf(operands.front()));
  for (Value operand : operands.drop_front()) {
    SmallVector<Dim> other = getDims(tensorOf(operand));
    FailureOr<SmallVector<Dim>> joined = broadcastDims(shape, other);
    if (failed(joined))
      return emitOptionalError(loc, "shapes ", formatDims(shape), " and ", formatDims(other), " do not broadcast");
    shape = *joined;
  }
  inferred.push_back(getTensorType(shape, elementType));
  return success();
}

SmallVector<OpOperand *> quern::getBroadcastRows(Operation *op) {
  SmallVector<Dim> shape = getDims(tensorOf(op->getResult(0)));
  SmallVector<OpOperand *> rows;
  for (OpOperand &operand : op->getOpOperands()) {
    SmallVector<Dim> dims = getDims(tensorOf(operand.get()));
    if (!shape.empty() && dims.size() == shape.size() && dims.front() == shape.front())
      rows.push_back(&operand);
  }
  return rows;
}

SmallVector<OpOperand *> quern::getRowsOf(OpOperand &operand) {
  return tensorOf(operand.get()).getRank() > 1 ? SmallVector<OpOperand *>{&operand} : SmallVector<OpOperand *>();
}

FailureOr<RankedTensorType> CastOp::inferResult() {
  return withElementType(tensorOf(getInput()), tensorOf(getResult()).getElementType());
}

LogicalResult CastOp::verify() {
  if (getDims(tensorOf(getInput())) != getDims(tensorOf(getResult())))
    return emitOpError("keeps the shape: found ") << getInput().getType() << " to " << getResult().getType();
  Type from = tensorOf(getInput()).getElementType(), to = tensorOf(getResult()).getElementType();
  if (from != to && (!to.isIntOrFloat() || !(from.isIntOrFloat() || isa<BlockType>(from))))
    return emitOpError("found elements ") << from << " to " << to << ", expected numbers or blocks to numbers";
  return success();
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  return getInput().getType() == getResult().getType() ? OpFoldResult(getInput()) : OpFoldResult();
}

FailureOr<RankedTensorType> MapOp::inferResult() {
  if (getInputs().empty())
    return tensorOf(getResult());
  SmallVector<Dim> dims;
  for (Value input : getInputs()) {
    SmallVector<Dim> other = getDims(tensorOf(input));
    FailureOr<SmallVector<Dim>> joined = broadcastDims(dims, other);
    if (failed(joined))
      return emitOpError("shapes ") << formatDims(dims) << " and " << formatDims(other) << " do not broadcast";
    dims = *joined;
  }
  return getTensorType(dims, tensorOf(getResult()).getElementType());
}

LogicalResult MapOp::verifyRegions() {
  Block &body = getBody().front();
  if (body.getNumArguments() != getInputs().size())
    return emitOpError("body has ") << body.getNumArguments() << " arguments, expected one per input, "
                                    << getInputs().size();
  for (auto [argument, input] : llvm::zip(body.getArguments(), getInputs()))
    if (argument.getType() != tensorOf(input).getElementType())
      return emitOpError("body has an argument of type ")
             << argument.getType() << ", expected " << tensorOf(input).getElementType();
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  Type element = tensorOf(getResult()).getElementType();
  if (!yield || yield->getNumOperands() != 1 || yield->getOperand(0).getType() != element)
    return emitOpError("body must yield one ") << element;
  return success();
}

// Scalar bodies and type inference of the elementwise ops, said in Elementwise.td.
#define GET_OP_CLASSES
#include "dialect/Ops.cpp.inc"

std::optional<WorkTerm> MapOp::getElementsRead(OpOperand &) { return std::nullopt; }

SmallVector<WorkTerm> MapOp::getOperations() {
  int64_t count = 0;
  for (Operation &scalar : getBody().front().without_terminator())
    count += scalar.getNumOperands() != 0;
  return {multiply(count, getDims(tensorOf(getResult())))};
}
