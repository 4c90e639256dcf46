//===- Tensor.cpp - the value of a tensor -----------------------------------------------------===//

#include "dialect/Tensor.h"
#include "dialect/Dialect.h"
#include "dialect/reference/Convert.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace quern {

/// The most bytes a tensor may have: 2^40, above every checkpoint and below every overflow.
static constexpr int64_t maxBytes = int64_t(1) << 40;

FailureOr<int64_t> getStorageBytes(Type elementType, int64_t count) {
  if (count < 0 || count > maxBytes)
    return failure();
  if (auto block = dyn_cast<BlockType>(elementType)) {
    const BlockTraits &traits = getTraits(block.getFormat());
    if (count % traits.elements != 0)
      return failure();
    return count / traits.elements * traits.bytes;
  }
  if (isa<PositionType>(elementType))
    return count * positionFields * int64_t(sizeof(int32_t));
  if (elementType.isF32() || elementType.isF16() || elementType.isBF16() || elementType.isInteger(32))
    return count * elementType.getIntOrFloatBitWidth() / 8;
  if (elementType.isInteger(1))
    return count;
  return failure();
}

FailureOr<int64_t> getStorageBytes(RankedTensorType type) {
  if (!type.hasStaticShape())
    return failure();
  int64_t rowLength = type.getRank() == 0 ? 1 : type.getShape().back();
  FailureOr<int64_t> bytes = getStorageBytes(type.getElementType(), rowLength);
  if (failed(bytes))
    return failure();
  for (int64_t size : type.getShape().drop_back(type.getRank() != 0))
    if (llvm::MulOverflow(*bytes, size, *bytes) || *bytes > maxBytes)
      return failure();
  return *bytes;
}

FailureOr<Tensor> Tensor::zeros(RankedTensorType type) {
  FailureOr<int64_t> size = getStorageBytes(type);
  if (failed(size))
    return failure();
  Tensor result;
  result.type = type;
  result.storage = std::make_shared<std::vector<uint8_t>>(*size);
  return result;
}

FailureOr<Tensor> Tensor::fromBytes(RankedTensorType type, ArrayRef<uint8_t> bytes) {
  FailureOr<int64_t> size = getStorageBytes(type);
  if (failed(size) || size_t(*size) != bytes.size())
    return failure();
  Tensor result;
  result.type = type;
  result.storage = std::make_shared<std::vector<uint8_t>>(bytes.begin(), bytes.end());
  return result;
}

FailureOr<Tensor> Tensor::fromElements(ElementsAttr elements) {
  auto type = dyn_cast<RankedTensorType>(elements.getShapedType());
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!type || !dense)
    return failure();
  FailureOr<Tensor> result = zeros(type);
  if (failed(result))
    return failure();
  int64_t width = type.getElementTypeBitWidth();
  uint8_t *at = result->getMutableBytes().data();
  auto store = [&](uint64_t bits) {
    if (width == 32)
      llvm::support::endian::write32le(at, bits);
    else if (width == 16)
      llvm::support::endian::write16le(at, bits);
    else
      *at = bits;
    at += std::max<int64_t>(width / 8, 1);
  };
  if (isa<FloatType>(type.getElementType()))
    for (const APFloat &value : dense.getValues<APFloat>())
      store(value.bitcastToAPInt().getZExtValue());
  else
    for (const APInt &value : dense.getValues<APInt>())
      store(value.getZExtValue());
  return result;
}

int64_t Tensor::getNumRows() const {
  int64_t rows = 1;
  for (int64_t size : getShape().drop_back(type.getRank() != 0))
    rows *= size;
  return rows;
}

ArrayRef<uint8_t> Tensor::getBytes() const { return storage ? ArrayRef<uint8_t>(*storage) : ArrayRef<uint8_t>(); }

ArrayRef<uint8_t> Tensor::getRowBytes(int64_t row) const {
  int64_t size = *getStorageBytes(getElementType(), getRowLength());
  return getBytes().slice(row * size, size);
}

MutableArrayRef<uint8_t> Tensor::getMutableBytes() {
  if (storage.use_count() > 1)
    storage = std::make_shared<std::vector<uint8_t>>(*storage);
  return *storage;
}

/// `bytes` as elements of type T, each turned into f32 by `convert`.
template <typename T, typename Fn>
static void convertRow(ArrayRef<uint8_t> bytes, MutableArrayRef<float> out, Fn convert) {
  const T *values = reinterpret_cast<const T *>(bytes.data());
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = convert(values[i]);
}

void Tensor::readRow(int64_t row, MutableArrayRef<float> out) const {
  assert(int64_t(out.size()) == getRowLength() && "needs one float per element");
  ArrayRef<uint8_t> bytes = getRowBytes(row);
  Type element = getElementType();
  if (auto block = dyn_cast<BlockType>(element))
    return dequantizeRow(block.getFormat(), bytes, out);
  if (element.isF16())
    return convertRow<uint16_t>(bytes, out, [](uint16_t bits) { return halfToFloat(bits); });
  if (element.isBF16())
    return convertRow<uint16_t>(bytes, out, [](uint16_t bits) { return bfloatToFloat(bits); });
  if (element.isF32())
    return convertRow<float>(bytes, out, [](float value) { return value; });
  if (element.isInteger(32))
    return convertRow<int32_t>(bytes, out, [](int32_t value) { return float(value); });
  assert(element.isInteger(1) && "positions are not numbers");
  convertRow<uint8_t>(bytes, out, [](uint8_t value) { return float(value & 1); });
}

std::vector<float> Tensor::readFloats() const {
  std::vector<float> result(getNumElements());
  int64_t length = getRowLength();
  for (int64_t row = 0, rows = length == 0 ? 0 : getNumRows(); row < rows; ++row)
    readRow(row, MutableArrayRef<float>(result).slice(row * length, length));
  return result;
}

Tensor Tensor::withType(RankedTensorType other) const {
  assert(succeeded(getStorageBytes(other)) && size_t(*getStorageBytes(other)) == getBytes().size() &&
         "the types differ in size");
  Tensor result = *this;
  result.type = other;
  return result;
}

} // namespace quern

int32_t quern::truncateToInt(float value) {
  if (!(value == value))
    return 0;
  if (value >= 0x1p31f)
    return std::numeric_limits<int32_t>::max();
  return value <= -0x1p31f ? std::numeric_limits<int32_t>::min() : int32_t(value);
}

void quern::storeFloats(Tensor &tensor, int64_t index, ArrayRef<float> values) {
  Type element = tensor.getElementType();
  if (element.isF16())
    llvm::transform(values, tensor.getMutableAs<uint16_t>().begin() + index, [](float v) { return floatToHalf(v); });
  else if (element.isBF16())
    llvm::transform(values, tensor.getMutableAs<uint16_t>().begin() + index, [](float v) { return floatToBfloat(v); });
  else
    llvm::copy(values, tensor.getMutableAs<float>().begin() + index);
}

void quern::storeInteger(Tensor &tensor, int64_t index, int64_t value) {
  if (tensor.getElementType().isInteger(1))
    tensor.getMutableAs<uint8_t>()[index] = value & 1;
  else
    tensor.getMutableAs<int32_t>()[index] = int32_t(value);
}
