//===- RandomValues.cpp - reproducible values for tests ---------------------------------------===//

#include "dialect/RandomValues.h"
#include "dialect/reference/Convert.h"

#include "llvm/Support/Endian.h"

using namespace mlir;

namespace quern {
namespace {

/// The random numbers of one tensor.
class Hash {
public:
  explicit Hash(StringRef name) {
    for (char c : name)
      seed = (seed ^ uint8_t(c)) * 0x100000001b3;
  }

  uint64_t operator()(uint64_t index) const {
    uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// Uniform in [low, high).
  float uniform(uint64_t index, float low, float high) const {
    return low + (high - low) * (float((*this)(index) >> 40) * 0x1p-24f);
  }

private:
  uint64_t seed = 0xcbf29ce484222325;
};

/// Where the stored halves of a format lie in its block; -1 for none. Of q4_k and q5_k they scale 6-bit factors, and
/// the min is subtracted.
struct HalfFields {
  int64_t scale, min;
};

} // namespace

static HalfFields getHalfFields(BlockFormat format) {
  switch (format) {
  case BlockFormat::Q8_0:
  case BlockFormat::Q4_0:
  case BlockFormat::Q5_0:
    return {0, -1};
  case BlockFormat::Q4_1:
  case BlockFormat::Q5_1:
  case BlockFormat::Q4_K:
  case BlockFormat::Q5_K:
    return {0, 2};
  case BlockFormat::Q6_K:
    return {208, -1};
  case BlockFormat::Q8_1:
    return {-1, -1};
  }
  llvm_unreachable("every format is handled");
}

static void fillBlocks(BlockFormat format, const Hash &hash, MutableArrayRef<uint8_t> bytes) {
  for (auto [i, byte] : llvm::enumerate(bytes))
    byte = hash(i) >> 56;
  const BlockTraits &traits = getTraits(format);
  HalfFields fields = getHalfFields(format);
  for (int64_t at = 0; at < int64_t(bytes.size()); at += traits.bytes) {
    uint8_t *block = bytes.data() + at;
    if (fields.scale >= 0)
      llvm::support::endian::write16le(block + fields.scale,
                                       floatToHalf(hash.uniform(~uint64_t(at), 0x1p-10f, 0x1p-9f)));
    if (fields.min >= 0)
      llvm::support::endian::write16le(block + fields.min,
                                       floatToHalf(hash.uniform(~uint64_t(at + 1), -0x1p-6f, 0x1p-6f)));
  }
}

FailureOr<Tensor> makeRandomTensor(StringRef name, RankedTensorType type, int32_t integerLimit) {
  FailureOr<Tensor> result = Tensor::zeros(type);
  auto block = dyn_cast<BlockType>(type.getElementType());
  if (failed(result) || (block && block.getFormat() == BlockFormat::Q8_1))
    return failure();
  Hash hash(name);
  if (block) {
    fillBlocks(block.getFormat(), hash, result->getMutableBytes());
    return result;
  }
  for (int64_t i = 0, count = type.getNumElements(); i < count; ++i) {
    if (isa<PositionType>(type.getElementType()))
      result->getMutableAs<Position>()[i] = {.position = int32_t(i), .row = int32_t(i)};
    else if (type.getElementType().isInteger())
      storeInteger(*result, i, (hash(i) >> 32) % integerLimit);
    else
      storeFloat(*result, i, hash.uniform(i, -1.0f, 1.0f));
  }
  return result;
}

RandomParameters::RandomParameters(ModuleOp module) {
  for (auto parameter : module.getOps<ParameterOp>())
    if (parameter.isExternal())
      types[parameter.getSymName()] = parameter.getTensorType();
}

llvm::Expected<ArrayRef<uint8_t>> RandomParameters::readRow(StringRef name, int64_t row) {
  auto type = types.find(name);
  if (type == types.end())
    return llvm::createStringError("the module has no parameter `" + name + "`");
  Tensor &value = values[name];
  if (!value.getType()) {
    FailureOr<Tensor> random = makeRandomTensor(name, type->second);
    if (failed(random))
      return llvm::createStringError("no random values of its type");
    value = *random;
  }
  if (value.getType().getRank() < 2)
    return value.getBytes();
  size_t size = value.getBytes().size() / value.getShape()[0];
  return value.getBytes().slice(row * size, size);
}

} // namespace quern
