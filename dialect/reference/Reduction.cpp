//===- Reduction.cpp - meaning of reductions, norms and softmax -------------------------------===//

#include "dialect/Ops.h"

#include <cmath>

using namespace mlir;

#pragma STDC FP_CONTRACT OFF

namespace quern {

/// Calls `fn(in, out)` for each row of `input`, f32 [.., n], and of a new tensor of `type`, f32 [.., m].
template <typename Fn>
static FailureOr<Tensor> mapRows(Operation *op, const Tensor &input, RankedTensorType type, Fn fn) {
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return op->emitError("cannot hold a tensor of type ") << type;
  int64_t n = input.getRowLength(), m = result->getRowLength();
  ArrayRef<float> in = input.getAs<float>();
  MutableArrayRef<float> out = result->getMutableAs<float>();
  for (int64_t row = 0, rows = input.getNumRows(); row < rows; ++row)
    fn(in.slice(row * n, n), out.slice(row * m, m));
  return result;
}

static float sum(ArrayRef<float> row) {
  float total = 0;
  for (float value : row)
    total += value;
  return total;
}

static float max(ArrayRef<float> row) {
  float largest = -INFINITY;
  for (float value : row)
    largest = std::max(largest, value);
  return largest;
}

Evaluated ReduceOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  return mapRows(*this, operands[0], type, [&](ArrayRef<float> in, MutableArrayRef<float> out) {
    switch (getKind()) {
    case ReduceKind::Sum:
      out[0] = sum(in);
      return;
    case ReduceKind::Max:
      out[0] = max(in);
      return;
    case ReduceKind::Mean:
      out[0] = sum(in) / float(in.size());
      return;
    }
  });
}

Evaluated RmsNormOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  ArrayRef<float> weight = operands[1].getAs<float>();
  float eps = getEps().convertToDouble();
  return mapRows(*this, operands[0], type, [&](ArrayRef<float> in, MutableArrayRef<float> out) {
    float squares = 0;
    for (float value : in)
      squares += value * value;
    float scale = 1.0f / std::sqrt(squares / float(in.size()) + eps);
    for (size_t i = 0; i < in.size(); ++i)
      out[i] = in[i] * scale * weight[i];
  });
}

Evaluated SoftmaxOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  return mapRows(*this, operands[0], type, [](ArrayRef<float> in, MutableArrayRef<float> out) {
    float largest = max(in);
    for (size_t i = 0; i < in.size(); ++i)
      out[i] = std::exp(in[i] - largest);
    float total = sum(out);
    for (float &value : out)
      value /= total;
  });
}

} // namespace quern
