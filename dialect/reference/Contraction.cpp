//===- Contraction.cpp - meaning of matmul and activation quantisation ------------------------===//

#include "dialect/Ops.h"
#include "llvm/Support/Endian.h"

#include <cmath>

using namespace mlir;

#pragma STDC FP_CONTRACT OFF

namespace quern {
namespace {

/// Outputs computed side by side; each sum is still its own, in ascending order of k.
constexpr int64_t outputsAtOnce = 16;

/// 32 quantised activations: x ≈ scale * quants.
struct ActivationBlock {
  std::array<int8_t, 32> quants;
  float scale;
  int32_t sum;
};
static_assert(sizeof(ActivationBlock) == 40, "a stored q8_1 block");

} // namespace

/// result[m, n] = Σ_k lhs[m, k] · weight[n, k], all sums f32; bf16 in pairs of which the second is added first.
static void contractFloats(const Tensor &lhs, const Tensor &weight, MutableArrayRef<float> out) {
  int64_t k = lhs.getRowLength(), rows = lhs.getNumRows(), n = weight.getShape().front();
  std::vector<float> x = lhs.readFloats();
  int64_t swap = lhs.getElementType().isBF16() ? 1 : 0;
  std::vector<float> row(k), columns(k * outputsAtOnce, 0.0f); // columns: [k][outputsAtOnce]
  for (int64_t first = 0; first < n; first += outputsAtOnce) {
    int64_t count = std::min(outputsAtOnce, n - first);
    for (int64_t j = 0; j < count; ++j) {
      weight.readRow(first + j, row);
      for (int64_t i = 0; i < k; ++i)
        columns[i * outputsAtOnce + j] = row[i];
    }
    for (int64_t m = 0; m < rows; ++m) {
      std::array<float, outputsAtOnce> sums = {};
      for (int64_t step = 0; step < k; ++step) {
        int64_t i = std::min(step ^ swap, k - 1);
        for (int64_t j = 0; j < outputsAtOnce; ++j)
          sums[j] += x[m * k + i] * columns[i * outputsAtOnce + j];
      }
      std::copy_n(sums.begin(), count, out.begin() + m * n + first);
    }
  }
}

/// One stored weight block against its activations: adds the block's groups to `total` in ascending order.
static void addBlock(const BlockTraits &traits, const DecodedBlock &weight, const ActivationBlock *activations,
                     float &total) {
  for (int64_t g = 0; g < traits.groups(); ++g) {
    int64_t first = g * traits.group;
    const ActivationBlock &block = activations[first / 32];
    int32_t dot = 0, sum = 0;
    for (int64_t i = 0; i < traits.group; ++i) {
      int32_t quant = block.quants[(first + i) % 32];
      dot += (weight.quants[first + i] - traits.zero) * quant;
      sum += quant;
    }
    float term = weight.scales[g] * (block.scale * float(dot));
    if (traits.hasMins)
      term += weight.mins[g] * (block.scale * float(sum));
    total += term;
  }
}

/// The same on q8_1 activations: per group, Σ in i32 and one f32 term.
static void contractQuantised(const Tensor &lhs, const Tensor &weight, MutableArrayRef<float> out) {
  BlockFormat format = cast<BlockType>(weight.getElementType()).getFormat();
  const BlockTraits &traits = getTraits(format);
  int64_t k = lhs.getRowLength(), rows = lhs.getNumRows(), n = weight.getShape().front();
  std::vector<DecodedBlock> decoded(k / traits.elements);
  for (int64_t column = 0; column < n; ++column) {
    ArrayRef<uint8_t> bytes = weight.getRowBytes(column);
    for (auto [i, block] : llvm::enumerate(decoded))
      decodeBlock(format, bytes.slice(i * traits.bytes, traits.bytes), block);
    for (int64_t m = 0; m < rows; ++m) {
      auto *activations = reinterpret_cast<const ActivationBlock *>(lhs.getRowBytes(m).data());
      float total = 0;
      for (auto [i, block] : llvm::enumerate(decoded))
        addBlock(traits, block, activations + i * (traits.elements / 32), total);
      out[m * n + column] = total;
    }
  }
}

Evaluated MatmulOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  if (isa<BlockType>(operands[0].getElementType()))
    contractQuantised(operands[0], operands[1], result->getMutableAs<float>());
  else
    contractFloats(operands[0], operands[1], result->getMutableAs<float>());
  return result;
}

/// What quants up to 127 are multiples of: 22 bits, and none below the smallest normal number.
static float getScale(float largest) {
  float scale = llvm::bit_cast<float>(llvm::bit_cast<uint32_t>(largest / 127.0f) & ~3u);
  return scale < std::numeric_limits<float>::min() ? 0 : scale;
}

/// The nearest quant, ties to even; a NaN becomes 0.
static int8_t quantise(float value, float inverse) {
  float quant = std::nearbyint(value * inverse);
  return quant == quant ? int8_t(std::clamp(quant, -127.0f, 127.0f)) : 0;
}

Evaluated QuantizeOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  ArrayRef<float> x = operands[0].getAs<float>();
  for (ActivationBlock &block : result->getMutableAs<ActivationBlock>()) {
    float largest = 0;
    for (float value : x.take_front(32))
      largest = std::max(largest, std::fabs(value));
    block.scale = getScale(largest);
    float inverse = block.scale == 0 ? 0 : 1 / block.scale;
    for (auto [quant, value] : llvm::zip(block.quants, x)) {
      quant = quantise(value, inverse);
      block.sum += quant;
    }
    x = x.drop_front(32);
  }
  return result;
}

} // namespace quern
