//===- Routing.cpp - meaning of routing -------------------------------------------------------===//

#include "dialect/Ops.h"

#include <cmath>
#include <numeric>

using namespace mlir;

#pragma STDC FP_CONTRACT OFF

namespace quern {

/// Whether `a` comes before `b` among the largest; a NaN before every number.
static bool isLarger(float a, float b) { return std::isnan(a) ? !std::isnan(b) : a > b; }

Evaluated TopKOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  FailureOr<Tensor> values = Tensor::zeros(types[0]), indices = Tensor::zeros(types[1]);
  if (failed(values) || failed(indices))
    return emitError("cannot hold a tensor of type ") << types[0];
  int64_t n = operands[0].getRowLength(), k = getK();
  ArrayRef<float> input = operands[0].getAs<float>();
  std::vector<int32_t> order(n);
  for (int64_t row = 0, rows = operands[0].getNumRows(); row < rows; ++row) {
    ArrayRef<float> in = input.slice(row * n, n);
    std::iota(order.begin(), order.end(), 0);
    llvm::sort(order,
               [&](int32_t a, int32_t b) { return isLarger(in[a], in[b]) || (!isLarger(in[b], in[a]) && a < b); });
    for (int64_t j = 0; j < k; ++j) {
      values->getMutableAs<float>()[row * k + j] = in[order[j]];
      indices->getMutableAs<int32_t>()[row * k + j] = order[j];
    }
  }
  return SmallVector<Tensor>{*values, *indices};
}

Evaluated GroupRowsOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  FailureOr<Tensor> order = Tensor::zeros(types[0]), begins = Tensor::zeros(types[1]);
  if (failed(order) || failed(begins))
    return emitError("cannot hold a tensor of type ") << types[0];
  ArrayRef<int32_t> chosen = operands[0].getAs<int32_t>();
  int64_t groups = getGroups();
  for (int32_t group : chosen)
    if (group < 0 || group >= groups)
      return emitError("found the choice ") << group << ", expected 0 to " << groups - 1;
  MutableArrayRef<int32_t> slots = order->getMutableAs<int32_t>(), first = begins->getMutableAs<int32_t>();
  std::iota(slots.begin(), slots.end(), 0);
  llvm::sort(slots, [&](int32_t a, int32_t b) { return std::pair(chosen[a], a) < std::pair(chosen[b], b); });
  for (int32_t group : chosen)
    for (int64_t after = group + 1; after <= groups; ++after)
      ++first[after];
  return SmallVector<Tensor>{*order, *begins};
}

Evaluated BroadcastOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  FailureOr<Tensor> result = Tensor::zeros(types.front());
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << types.front();
  int64_t outer = 1, size = getSize();
  for (int64_t extent : operands[0].getShape().take_front(getAxis()))
    outer *= extent;
  ArrayRef<uint8_t> in = operands[0].getBytes();
  size_t bytes = outer == 0 ? 0 : in.size() / outer;
  uint8_t *out = result->getMutableBytes().data();
  for (int64_t i = 0; i < outer * size; ++i)
    memcpy(out + i * bytes, in.data() + i / size * bytes, bytes);
  return result;
}

Evaluated CombineOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  FailureOr<Tensor> result = Tensor::zeros(types.front());
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << types.front();
  int64_t rows = operands[1].getShape()[0], slots = operands[1].getShape()[1];
  ArrayRef<float> input = operands[0].getAs<float>(), weights = operands[1].getAs<float>();
  MutableArrayRef<float> out = result->getMutableAs<float>();
  int64_t inner = rows == 0 ? 0 : out.size() / rows;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < inner; ++i) {
      float sum = 0;
      for (int64_t j = 0; j < slots; ++j)
        sum += weights[row * slots + j] * input[(row * slots + j) * inner + i];
      out[row * inner + i] = sum;
    }
  return result;
}

} // namespace quern
