//===- Convolution.cpp - meaning of convolution and pooling -----------------------------------===//

#include "dialect/Images.h"

#include <cmath>

using namespace mlir;

#pragma STDC FP_CONTRACT OFF

namespace quern {
namespace {

/// Where the elements of an image lie, and how large it is.
struct ImageView {
  ImageView(RankedTensorType type, ImageLayout layout) {
    ImageAxes axes(layout);
    SmallVector<int64_t> strides(4, 1);
    for (int64_t axis = 3; axis-- > 0;)
      strides[axis] = strides[axis + 1] * type.getDimSize(axis + 1);
    batch = type.getDimSize(0), channels = type.getDimSize(axes.channel);
    height = type.getDimSize(axes.height), width = type.getDimSize(axes.width);
    batchStride = strides[0], channelStride = strides[axes.channel];
    rowStride = strides[axes.height], columnStride = strides[axes.width];
  }

  int64_t at(int64_t n, int64_t c, int64_t y, int64_t x) const {
    return n * batchStride + c * channelStride + y * rowStride + x * columnStride;
  }
  bool holds(int64_t y, int64_t x) const { return y >= 0 && y < height && x >= 0 && x < width; }

  int64_t batch, channels, height, width, batchStride, channelStride, rowStride, columnStride;
};

} // namespace

/// Calls `fn(n, c, y, x)` for each element of `image`.
template <typename Fn> static void forEachElement(const ImageView &image, Fn fn) {
  for (int64_t n = 0; n < image.batch; ++n)
    for (int64_t c = 0; c < image.channels; ++c)
      for (int64_t y = 0; y < image.height; ++y)
        for (int64_t x = 0; x < image.width; ++x)
          fn(n, c, y, x);
}

/// The weight in the order of the sum, [o, ky, kx, c], as f32.
static std::vector<float> orderWeight(const Tensor &weight, ImageLayout layout) {
  std::vector<float> values = weight.readFloats();
  if (layout == ImageLayout::NHWC)
    return values;
  int64_t channels = weight.getShape()[1], places = weight.getShape()[2] * weight.getShape()[3];
  std::vector<float> ordered(values.size());
  for (int64_t o = 0; o < weight.getShape()[0]; ++o)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < places; ++p)
        ordered[(o * places + p) * channels + c] = values[(o * channels + c) * places + p];
  return ordered;
}

Evaluated Conv2dOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  ImageView in(operands[0].getType(), getLayout()), out(type, getLayout());
  WindowAxis rows = getWindowAxis(*this, 0), columns = getWindowAxis(*this, 1);
  std::vector<float> weight = orderWeight(operands[1], getLayout());
  std::vector<float> x = operands[0].readFloats();
  int64_t swap = operands[0].getElementType().isBF16() ? 1 : 0;
  MutableArrayRef<float> y = result->getMutableAs<float>();
  int64_t channels = in.channels / getGroups(), outputs = out.channels / getGroups();
  forEachElement(out, [&](int64_t n, int64_t o, int64_t top, int64_t left) {
    float sum = 0;
    const float *factor = weight.data() + o * rows.size * columns.size * channels;
    for (int64_t ky = 0; ky < rows.size; ++ky)
      for (int64_t kx = 0; kx < columns.size; ++kx, factor += channels) {
        int64_t row = top * rows.stride - rows.before + ky * rows.dilation;
        int64_t column = left * columns.stride - columns.before + kx * columns.dilation;
        if (!in.holds(row, column))
          continue;
        const float *value = x.data() + in.at(n, o / outputs * channels, row, column);
        for (int64_t step = 0; step < channels; ++step) {
          int64_t c = step ^ swap;
          sum += value[c * in.channelStride] * factor[c];
        }
      }
    y[out.at(n, o, top, left)] = sum;
  });
  return result;
}

/// Calls `fn(index)` for each place of the image in the window at (top, left), in ascending order.
template <typename Fn>
static void forEachPlace(ImageOpInterface op, const ImageView &in, int64_t n, int64_t c, int64_t top, int64_t left,
                         Fn fn) {
  WindowAxis rows = getWindowAxis(op, 0), columns = getWindowAxis(op, 1);
  for (int64_t ky = 0; ky < rows.size; ++ky)
    for (int64_t kx = 0; kx < columns.size; ++kx) {
      int64_t row = top * rows.stride - rows.before + ky, column = left * columns.stride - columns.before + kx;
      if (in.holds(row, column))
        fn(in.at(n, c, row, column));
    }
}

Evaluated MaxPoolOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  ImageView in(operands[0].getType(), getLayout()), out(type, getLayout());
  ArrayRef<float> x = operands[0].getAs<float>();
  MutableArrayRef<float> y = result->getMutableAs<float>();
  forEachElement(out, [&](int64_t n, int64_t c, int64_t top, int64_t left) {
    float largest = -INFINITY;
    forEachPlace(*this, in, n, c, top, left, [&](int64_t place) { largest = std::max(largest, x[place]); });
    y[out.at(n, c, top, left)] = largest;
  });
  return result;
}

/// How many places of the padded axis the window number `index` covers.
static int64_t countPadded(const WindowAxis &window, int64_t extent, int64_t index) {
  int64_t begin = index * window.stride - window.before;
  return std::min(begin + window.size, extent + window.after) - begin;
}

Evaluated AvgPoolOp::evaluate(ArrayRef<Tensor> operands, ArrayRef<RankedTensorType> types) {
  RankedTensorType type = types.front();
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return emitError("cannot hold a tensor of type ") << type;
  ImageView in(operands[0].getType(), getLayout()), out(type, getLayout());
  WindowAxis rows = getWindowAxis(*this, 0), columns = getWindowAxis(*this, 1);
  ArrayRef<float> x = operands[0].getAs<float>();
  MutableArrayRef<float> y = result->getMutableAs<float>();
  forEachElement(out, [&](int64_t n, int64_t c, int64_t top, int64_t left) {
    float sum = 0;
    int64_t count = 0;
    forEachPlace(*this, in, n, c, top, left, [&](int64_t place) {
      sum += x[place];
      ++count;
    });
    if (getIncludePad())
      count = countPadded(rows, in.height, top) * countPadded(columns, in.width, left);
    y[out.at(n, c, top, left)] = sum / float(count);
  });
  return result;
}

} // namespace quern
