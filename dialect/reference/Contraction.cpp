//===- Contraction.cpp - meaning of matmul and activation quantisation ------------------------===//

#include "dialect/Ops.h"
#include "llvm/Support/Endian.h"

#include <cmath>
#include <numeric>

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

namespace {

/// Rows of the left, those of the weight that each is multiplied by, and where the results go: row rows[i] · weights
/// [first, first + count) is out [results[i] · count, …).
struct Products {
  std::vector<int64_t> rows, results;
  int64_t first, count;
};

} // namespace

/// result[m, n] = Σ_k lhs[m, k] · weight[n, k], all sums f32; bf16 in pairs of which the second is added first.
static void contractFloats(const Tensor &lhs, const Tensor &weight, const Products &products,
                           MutableArrayRef<float> out) {
  int64_t k = lhs.getRowLength(), n = products.count;
  std::vector<float> x = lhs.readFloats();
  int64_t swap = lhs.getElementType().isBF16() ? 1 : 0;
  std::vector<float> row(k), columns(k * outputsAtOnce, 0.0f); // columns: [k][outputsAtOnce]
  for (int64_t first = 0; first < n; first += outputsAtOnce) {
    int64_t count = std::min(outputsAtOnce, n - first);
    for (int64_t j = 0; j < count; ++j) {
      weight.readRow(products.first + first + j, row);
      for (int64_t i = 0; i < k; ++i)
        columns[i * outputsAtOnce + j] = row[i];
    }
    for (auto [m, result] : llvm::zip_equal(products.rows, products.results)) {
      std::array<float, outputsAtOnce> sums = {};
      for (int64_t step = 0; step < k; ++step) {
        int64_t i = std::min(step ^ swap, k - 1);
        for (int64_t j = 0; j < outputsAtOnce; ++j)
          sums[j] += x[m * k + i] * columns[i * outputsAtOnce + j];
      }
      std::copy_n(sums.begin(), count, out.begin() + result * n + first);
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
static void contractQuantised(const Tensor &lhs, const Tensor &weight, const Products &products,
                              MutableArrayRef<float> out) {
  BlockFormat format = cast<BlockType>(weight.getElementType()).getFormat();
  const BlockTraits &traits = getTraits(format);
  int64_t k = lhs.getRowLength(), n = products.count;
  std::vector<DecodedBlock> decoded(k / traits.elements);
  for (int64_t column = 0; column < n; ++column) {
    ArrayRef<uint8_t> bytes = weight.getRowBytes(products.first + column);
    for (auto [i, block] : llvm::enumerate(decoded))
      decodeBlock(format, bytes.slice(i * traits.bytes, traits.bytes), block);
    for (auto [m, result] : llvm::zip_equal(products.rows, products.results)) {
      auto *activations = reinterpret_cast<const ActivationBlock *>(lhs.getRowBytes(m).data());
      float total = 0;
      for (auto [i, block] : llvm::enumerate(decoded))
        addBlock(traits, block, activations + i * (traits.elements / 32), total);
      out[result * n + column] = total;
    }
  }
}

/// The products of each group; all rows in their order where there are none. Failure for groups that are no order of
/// the slots.
static FailureOr<SmallVector<Products>> getProducts(MatmulOp op, ArrayRef<Tensor> operands, int64_t batch) {
  int64_t rows = operands[0].getNumRows();
  if (batch > 1) {
    SmallVector<Products> products;
    int64_t outputs = operands[1].getShape()[0] / batch;
    for (int64_t b = 0; b < batch; ++b) {
      Products own = {{}, {}, b * outputs, outputs};
      for (int64_t row = b; row < rows; row += batch)
        own.rows.push_back(row);
      own.results = own.rows;
      products.push_back(std::move(own));
    }
    return products;
  }
  Products all = {std::vector<int64_t>(rows), std::vector<int64_t>(rows), 0, operands[1].getShape()[0]};
  std::iota(all.rows.begin(), all.rows.end(), 0);
  all.results = all.rows;
  if (!op.isGrouped())
    return SmallVector<Products>{all};
  ArrayRef<int32_t> order = operands[2].getAs<int32_t>(), begins = operands[3].getAs<int32_t>();
  int64_t slots = operands[2].getShape()[1], each = operands[0].getType().getRank() == 2 ? slots : 1;
  int64_t groups = begins.size() - 1, outputs = all.count / groups;
  SmallVector<Products> products;
  for (int64_t group = 0; group < groups; ++group) {
    if (begins[group] < 0 || begins[group] > begins[group + 1] || size_t(begins[group + 1]) > order.size())
      return failure();
    Products own = {{}, {}, group * outputs, outputs};
    for (int32_t slot : order.slice(begins[group], begins[group + 1] - begins[group])) {
      if (slot < 0 || size_t(slot) >= order.size())
        return failure();
      own.rows.push_back(slot / each);
      own.results.push_back(slot);
    }
    products.push_back(std::move(own));
  }
  return products;
}

/// A weight that is transposed, or of rank 3, as rows of f32 one behind the other, [b · n, k].
static FailureOr<Tensor> toRows(const Tensor &weight, bool transposed) {
  ArrayRef<int64_t> shape = weight.getShape();
  int64_t rank = shape.size(), n = shape[rank - (transposed ? 1 : 2)], k = shape[rank - (transposed ? 2 : 1)];
  int64_t batch = rank == 3 ? shape[0] : 1;
  FailureOr<Tensor> rows =
      Tensor::zeros(RankedTensorType::get({batch * n, k}, Float32Type::get(weight.getType().getContext())));
  if (failed(rows))
    return failure();
  std::vector<float> values = weight.readFloats();
  MutableArrayRef<float> out = rows->getMutableAs<float>();
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t row = 0; row < n; ++row)
      for (int64_t column = 0; column < k; ++column)
        out[(b * n + row) * k + column] = values[b * n * k + (transposed ? column * n + row : row * k + column)];
  return rows;
}

Evaluated MatmulOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  SmallVector<Tensor> rows(operands);
  int64_t batch = getBatchSize();
  if (!hasRows()) {
    FailureOr<Tensor> weight = toRows(operands[1], getTransposed());
    if (failed(weight))
      return emitError("cannot hold the rows of a weight of type ") << operands[1].getType();
    batch = operands[1].getType().getRank() == 3 ? operands[1].getShape()[0] : 1;
    rows[1] = *weight;
  }
  FailureOr<SmallVector<Products>> all = getProducts(*this, rows, batch);
  if (failed(all))
    return emitError("the groups are no order of the slots");
  auto contract = isa<BlockType>(operands[0].getElementType()) ? contractQuantised : contractFloats;
  for (const Products &products : *all)
    if (!products.rows.empty())
      contract(rows[0], rows[1], products, result->getMutableAs<float>());
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
