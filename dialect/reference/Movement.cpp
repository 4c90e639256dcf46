//===- Movement.cpp - meaning of the ops that move values -------------------------------------===//

#include "dialect/Ops.h"
#include "dialect/reference/Convert.h"

using namespace mlir;

namespace quern {

Evaluated ConstantOp::evaluate(ArrayRef<Tensor>, ArrayRef<RankedTensorType>) {
  FailureOr<Tensor> result = Tensor::fromElements(getValue());
  if (failed(result))
    return emitError("found a constant of type ") << getType() << ", expected dense numbers";
  return result;
}

Evaluated IotaOp::evaluate(ArrayRef<Tensor>, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  for (auto [i, element] : llvm::enumerate(result->getMutableAs<float>()))
    element = float(i);
  return result;
}

Evaluated ReshapeOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<int64_t> bytes = getStorageBytes(type);
  if (failed(bytes) || size_t(*bytes) != operands[0].getBytes().size())
    return emitError("found elements of ") << operands[0].getType() << ", expected as many as in " << type;
  Tensor result = operands[0].withType(type);
  result.setState({});
  return result;
}

Evaluated CastOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  bool numbers = operands[0].getElementType().isIntOrFloat() || isa<BlockType>(operands[0].getElementType());
  if (failed(result) || !type.getElementType().isIntOrFloat() || !numbers)
    return emitError("cannot cast ") << operands[0].getType() << " to " << type;
  if (operands[0].getElementType() == type.getElementType())
    return operands[0].withType(type);
  int64_t length = operands[0].getRowLength();
  std::vector<float> values(length);
  for (int64_t row = 0, rows = length == 0 ? 0 : operands[0].getNumRows(); row < rows; ++row) {
    operands[0].readRow(row, values);
    if (!type.getElementType().isInteger())
      storeFloats(*result, row * length, values);
    else
      for (auto [i, value] : llvm::enumerate(values))
        storeInteger(*result, row * length + i, truncateToInt(value));
  }
  return result;
}

Evaluated TransposeOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  const Tensor &input = operands[0];
  FailureOr<int64_t> size = getStorageBytes(type.getElementType(), 1);
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(size) || failed(result))
    return emitError("cannot transpose elements of ") << input.getType();
  SmallVector<int64_t> strides(type.getRank(), 1); // of the input, per result axis, in elements
  for (auto [axis, from] : llvm::enumerate(getPermutation()))
    for (int64_t inner : input.getShape().drop_front(from + 1))
      strides[axis] *= inner;
  uint8_t *out = result->getMutableBytes().data();
  for (int64_t i = 0, total = result->getNumElements(); i < total; ++i, out += *size) {
    int64_t index = 0, rest = i;
    for (size_t axis = strides.size(); axis-- > 0; rest /= type.getDimSize(axis))
      index += rest % type.getDimSize(axis) * strides[axis];
    memcpy(out, input.getBytes().data() + index * *size, *size);
  }
  return result;
}

/// Bytes of all elements behind one index of `axis`.
static FailureOr<int64_t> getInnerBytes(RankedTensorType type, int64_t axis) {
  SmallVector<int64_t> inner(type.getShape().drop_front(axis + 1));
  if (inner.empty())
    return getStorageBytes(type.getElementType(), 1);
  return getStorageBytes(RankedTensorType::get(inner, type.getElementType()));
}

/// The product of the sizes before `axis`.
static int64_t getOuterCount(RankedTensorType type, int64_t axis) {
  int64_t count = 1;
  for (int64_t size : type.getShape().take_front(axis))
    count *= size;
  return count;
}

Evaluated SliceOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  const Tensor &input = operands[0];
  int64_t axis = getAxis();
  FailureOr<int64_t> inner = getInnerBytes(type, axis);
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(inner) || failed(result))
    return emitError("cannot cut elements of ") << input.getType() << " along axis " << axis;
  int64_t from = input.getType().getDimSize(axis) * *inner, to = type.getDimSize(axis) * *inner;
  uint8_t *out = result->getMutableBytes().data();
  for (int64_t i = 0, outer = getOuterCount(type, axis); i < outer; ++i)
    memcpy(out + i * to, input.getBytes().data() + i * from + getOffset() * *inner, to);
  return result;
}

Evaluated ConcatOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  int64_t axis = getAxis();
  FailureOr<int64_t> inner = getInnerBytes(type, axis);
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(inner) || failed(result))
    return emitError("cannot join elements of ") << type << " along axis " << axis;
  uint8_t *out = result->getMutableBytes().data();
  for (int64_t i = 0, outer = getOuterCount(type, axis); i < outer; ++i)
    for (const Tensor &input : operands) {
      int64_t bytes = input.getType().getDimSize(axis) * *inner;
      memcpy(out, input.getBytes().data() + i * bytes, bytes);
      out += bytes;
    }
  return result;
}

/// The elements of `axis`, `inner` bytes each, that `indices` name of each batch, to `out`.
static LogicalResult gatherBytes(GatherOp op, const Tensor &table, const Tensor &indices, int64_t inner, uint8_t *out) {
  int64_t axis = op.getAxis(), batch = op.getBatch(), size = table.getShape()[axis];
  int64_t batches = getOuterCount(table.getType(), batch), outer = getOuterCount(table.getType(), axis);
  ArrayRef<int32_t> all = indices.getAs<int32_t>();
  for (int32_t index : all)
    if (index < 0 || index >= size)
      return op.emitError("found index ") << index << ", expected one of the table's " << size << " of axis " << axis;
  int64_t count = batches == 0 ? 0 : all.size() / batches, outerOfBatch = batches == 0 ? 0 : outer / batches;
  for (int64_t i = 0; i < outer; ++i)
    for (int32_t index : all.slice(i / outerOfBatch * count, count)) {
      memcpy(out, table.getBytes().data() + (i * size + index) * inner, inner);
      out += inner;
    }
  return success();
}

Evaluated GatherOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  const Tensor &table = operands[0];
  FailureOr<int64_t> inner = getInnerBytes(table.getType(), getAxis());
  // As the table has them; then as f32.
  FailureOr<Tensor> stored = Tensor::zeros(RankedTensorType::get(type.getShape(), table.getElementType()));
  if (failed(inner) || failed(stored))
    return emitError("cannot gather from ") << table.getType() << " along axis " << getAxis();
  if (failed(gatherBytes(*this, table, operands[1], *inner, stored->getMutableBytes().data())))
    return failure();
  if (table.getElementType() == type.getElementType())
    return stored;
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  llvm::copy(stored->readFloats(), result->getMutableAs<float>().begin());
  return result;
}

Evaluated AssignOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  Tensor result = operands[0]; // keeps the name of the state that it is the value of
  const Tensor &input = operands[1];
  if (!isa<FloatType>(types.front().getElementType())) {
    llvm::copy(input.getBytes(), result.getMutableBytes().begin());
    return result;
  }
  for (auto [i, value] : llvm::enumerate(input.getAs<float>()))
    storeFloat(result, i, value);
  return result;
}

} // namespace quern
