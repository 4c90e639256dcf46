//===- Attention.cpp - meaning of rotary embedding, cache and attention -----------------------===//

#include "dialect/Ops.h"
#include "dialect/reference/Convert.h"

#include <cmath>

using namespace mlir;

#pragma STDC FP_CONTRACT OFF

namespace quern {
Evaluated RopeOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  ArrayRef<Position> at = operands[1].getAs<Position>();
  ArrayRef<float> table = operands[2].getAs<float>(); // [position, pairs, 2]
  int64_t positions = operands[2].getShape()[0], pairs = operands[2].getShape()[1];
  int64_t heads = type.getDimSize(1), d = type.getDimSize(2);
  bool half = getLayout() == RopeLayout::Half;
  Tensor result = operands[0];
  result.setState({});
  MutableArrayRef<float> out = result.getMutableAs<float>();
  for (auto [token, place] : llvm::enumerate(at)) {
    if (place.position < 0 || place.position >= positions)
      return emitError("found position ") << place.position << ", expected one of the table's " << positions;
    ArrayRef<float> angles = table.slice(place.position * pairs * 2, pairs * 2);
    for (int64_t head = 0; head < heads; ++head) {
      MutableArrayRef<float> x = out.slice((token * heads + head) * d, d);
      for (int64_t j = 0; j < pairs; ++j) {
        float &first = x[half ? j : 2 * j], &second = x[half ? j + pairs : 2 * j + 1];
        float u = first, v = second, cosine = angles[2 * j], sine = angles[2 * j + 1];
        first = u * cosine - v * sine;
        second = v * cosine + u * sine;
      }
    }
  }
  return result;
}

/// `value` as caches of `type` are given it: what f16 would round to infinity is no number.
static float limit(Type type, float value) {
  constexpr float beyond = 65520;
  return type.isF16() && !(std::abs(value) < beyond) ? NAN : value;
}

Evaluated CacheAppendOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  ArrayRef<float> input = operands[1].getAs<float>();
  int64_t rows = type.getDimSize(0), length = type.getDimSize(1) * type.getDimSize(2);
  Tensor result = operands[0]; // keeps the name of the state that it is the value of
  for (auto [token, place] : llvm::enumerate(operands[2].getAs<Position>())) {
    if (place.row < 0 || place.row >= rows)
      return emitError("found row ") << place.row << ", expected one of the cache's " << rows;
    for (int64_t i = 0; i < length; ++i)
      storeFloat(result, place.row * length + i, limit(type.getElementType(), input[token * length + i]));
  }
  return result;
}

/// out[e] = Σ_j softmax_j(scale · query · keys[j]) · values[j, e] over the rows j of one cache head that a token sees,
/// in their order; a row of keys or values begins `stride` rows after the last, and may hold more than the values. The
/// softmax is not rounded to the type of the values.
static void attendHead(ArrayRef<float> query, const Tensor &keys, const Tensor &values, int64_t head, int64_t stride,
                       ArrayRef<int64_t> rows, float scale, MutableArrayRef<float> out) {
  std::vector<float> key(query.size()), value(values.getShape().back()), scores(rows.size());
  float largest = -INFINITY, total = 0;
  for (auto [row, score] : llvm::zip(rows, scores)) {
    keys.readRow(row * stride + head, key);
    float dot = 0;
    for (auto [a, b] : llvm::zip(query, key))
      dot += a * b;
    score = scale * dot;
    largest = std::max(largest, score);
  }
  for (float &score : scores) {
    score = std::exp(score - largest);
    total += score;
  }
  for (auto [row, score] : llvm::zip(rows, scores)) {
    values.readRow(row * stride + head, value);
    for (auto [sum, element] : llvm::zip_first(out, value))
      sum += score / total * element;
  }
}

Evaluated AttendOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  const Tensor &query = operands[0], &keys = operands[1], &values = operands[2];
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  int64_t heads = query.getShape()[1], d = query.getShape()[2], e = type.getDimSize(2);
  int64_t rows = keys.getShape()[0], groups = keys.getShape()[1], window = getWindow().value_or(rows);
  std::vector<float> in(d);
  MutableArrayRef<float> out = result->getMutableAs<float>();
  for (auto [token, place] : llvm::enumerate(operands[3].getAs<Position>())) {
    if (place.row < 0 || place.row >= rows)
      return emitError("found row ") << place.row << ", expected one of the cache's " << rows;
    if (place.first < 0 || place.first > place.row)
      return emitError("found first row ") << place.first << ", expected 0 to the token's own, " << place.row;
    if (getTreeRow(place) < place.first)
      return emitError("found a tree that begins at row ")
             << getTreeRow(place) << ", expected " << place.first << " or more, the first of its sequence";
    std::vector<int64_t> seen = getSeenRows(place, window);
    for (int64_t head = 0; head < heads; ++head) {
      int64_t index = token * heads + head;
      query.readRow(index, in);
      attendHead(in, keys, values, head / (heads / groups), groups, seen, getScale().convertToDouble(),
                 out.slice(index * e, e));
    }
  }
  return result;
}

} // namespace quern
