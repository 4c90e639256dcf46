//===- Winograd.cpp - meaning of convolution by fewer products --------------------------------===//

#include "dialect/Winograd.h"
#include "dialect/Images.h"

using namespace mlir;

#pragma STDC FP_CONTRACT OFF

namespace quern {

/// vertical · in · horizontalᵀ, row-major, in the arithmetic of T; first along the height, ascending,
/// without the factors 0.
template <typename T>
static std::vector<T> transform(const Matrix &vertical, const Matrix &horizontal, const std::vector<T> &in) {
  size_t width = horizontal.front().size();
  assert(in.size() == vertical.front().size() * width && "a matrix of the size that is transformed");
  auto combine = [](const std::vector<double> &row, auto at) {
    T sum = 0;
    for (size_t k = 0; k < row.size(); ++k)
      if (row[k] != 0)
        sum += T(row[k]) * at(k);
    return sum;
  };
  std::vector<T> half(vertical.size() * width), out;
  for (size_t p = 0; p < vertical.size(); ++p)
    for (size_t x = 0; x < width; ++x)
      half[p * width + x] = combine(vertical[p], [&](size_t k) { return in[k * width + x]; });
  for (size_t p = 0; p < vertical.size(); ++p)
    for (const std::vector<double> &row : horizontal)
      out.push_back(combine(row, [&](size_t k) { return half[p * width + k]; }));
  return out;
}

Evaluated WinogradFilterOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  MinimalFilter rows(getTile()[0], getWindow()[0]), columns(getTile()[1], getWindow()[1]);
  int64_t places = getWindow()[0] * getWindow()[1], points = rows.points * columns.points;
  int64_t outputs = type.getDimSize(0), channels = type.getDimSize(1) / points;
  ArrayRef<float> weight = operands[0].getAs<float>();
  MutableArrayRef<float> values = result->getMutableAs<float>();
  std::vector<double> filter(places);
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t k = 0; k < places; ++k)
        filter[k] = weight[(o * places + k) * channels + c];
      for (auto [p, value] : llvm::enumerate(transform(rows.filter, columns.filter, filter)))
        values[(o * points + p) * channels + c] = float(value);
    }
  return result;
}

namespace {

/// Computes the tiles of one launch of `winograd`.
class TileEvaluator {
public:
  TileEvaluator(WinogradOp op, const Tensor &input, const Tensor &weight, Tensor &result)
      : rows(getWindowAxis(op, 0)), columns(getWindowAxis(op, 1)), vertical(op.getTile()[0], rows.size),
        horizontal(op.getTile()[1], columns.size), input(input), weight(weight), result(result) {}

  /// The tile of image `n` whose first result is at (top, left).
  void evaluate(int64_t n, int64_t top, int64_t left);

private:
  float getPlace(int64_t n, int64_t y, int64_t x, int64_t c) const {
    ArrayRef<int64_t> shape = input.getShape();
    if (y < 0 || y >= shape[1] || x < 0 || x >= shape[2])
      return 0;
    return input.getAs<float>()[((n * shape[1] + y) * shape[2] + x) * shape[3] + c];
  }

  WindowAxis rows, columns;
  MinimalFilter vertical, horizontal;
  const Tensor &input, &weight;
  Tensor &result;
};

} // namespace

void TileEvaluator::evaluate(int64_t n, int64_t top, int64_t left) {
  ArrayRef<int64_t> shape = result.getShape();
  int64_t points = vertical.points * horizontal.points, channels = input.getShape()[3];
  std::vector<float> image(points), values(points * channels), sums(points);
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t k = 0; k < points; ++k)
      image[k] =
          getPlace(n, top - rows.before + k / horizontal.points, left - columns.before + k % horizontal.points, c);
    for (auto [p, value] : llvm::enumerate(transform(vertical.input, horizontal.input, image)))
      values[p * channels + c] = value;
  }
  ArrayRef<float> weights = weight.getAs<float>();
  MutableArrayRef<float> out = result.getMutableAs<float>();
  int64_t width = horizontal.output.size();
  for (int64_t o = 0; o < shape[3]; ++o) {
    for (int64_t p = 0; p < points; ++p) {
      sums[p] = 0;
      for (int64_t c = 0; c < channels; ++c)
        sums[p] += values[p * channels + c] * weights[(o * points + p) * channels + c];
    }
    for (auto [k, value] : llvm::enumerate(transform(vertical.output, horizontal.output, sums))) {
      int64_t y = top + int64_t(k) / width, x = left + int64_t(k) % width;
      if (y < shape[1] && x < shape[2])
        out[((n * shape[1] + y) * shape[2] + x) * shape[3] + o] = value;
    }
  }
}

Evaluated WinogradOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  TileEvaluator tiles(*this, operands[0], operands[1], *result);
  for (int64_t n = 0; n < type.getDimSize(0); ++n)
    for (int64_t top = 0; top < type.getDimSize(1); top += getTile()[0])
      for (int64_t left = 0; left < type.getDimSize(2); left += getTile()[1])
        tiles.evaluate(n, top, left);
  return result;
}

} // namespace quern
