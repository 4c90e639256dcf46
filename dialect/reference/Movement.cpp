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

Evaluated GatherOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  const Tensor &table = operands[0];
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result) || table.getType().getRank() == 0)
    return emitError("cannot gather from ") << table.getType();
  int64_t size = table.getShape().front(), length = table.getRowLength();
  int64_t rowsPerIndex = size == 0 ? 0 : table.getNumRows() / size;
  if (table.getType().getRank() == 1)
    rowsPerIndex = length = 1;
  std::vector<float> flat = table.getType().getRank() == 1 ? table.readFloats() : std::vector<float>();
  MutableArrayRef<float> out = result->getMutableAs<float>();
  for (int32_t index : operands[1].getAs<int32_t>()) {
    if (index < 0 || index >= size)
      return emitError("found index ") << index << ", expected one of the table's " << size << " rows";
    for (int64_t row = 0; row < rowsPerIndex; ++row, out = out.drop_front(length)) {
      if (!flat.empty())
        out[0] = flat[index];
      else
        table.readRow(index * rowsPerIndex + row, out.take_front(length));
    }
  }
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
