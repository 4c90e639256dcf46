//===- Preparation.cpp - pictures to the input of a network ------------------------------------===//

#include "runtime/vision/Preparation.h"

#include <algorithm>
#include <cmath>

namespace quern::runtime {

namespace {

/// What one output position takes of an axis: the pixels from `first` on with these weights. No weights: it
/// lies outside.
struct Taps {
  int64_t first = 0;
  std::vector<float> weights;
};

/// How one axis of a picture becomes one of the input: `from` pixels are resized to `to`, of which the input takes
/// those from `offset` on (which may be negative).
struct Axis {
  int64_t from = 0;
  int64_t to = 0;
  int64_t offset = 0;
};

/// A function of the distance in pixels (of the result, when shrinking) that is 0 from `support` on.
struct Weighting {
  double support = 0;
  double (*weigh)(double distance) = nullptr;
};

/// Rows of `columns` pixels of three floats.
struct Plane {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values;
};

} // namespace

/// The two neighbours of position `at` of `count` pixels.
static Taps interpolate(double at, int64_t count) {
  at = std::clamp(at, 0.0, static_cast<double>(count - 1));
  auto first = std::min(static_cast<int64_t>(at), count - 1);
  auto weight = static_cast<float>(at - static_cast<double>(first));
  if (weight == 0.0f)
    return {first, {1.0f}};
  return {first, {1.0f - weight, weight}};
}

/// A triangle.
static double weighBilinear(double distance) { return std::max(1.0 - distance, 0.0); }

/// Keys 1981, "Cubic convolution interpolation for digital image processing", equation 15 with a = -1/2.
static double weighBicubic(double distance) {
  constexpr double a = -0.5;
  if (distance < 1)
    return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * a : 0;
}

/// In the order of `Filter`.
static constexpr Weighting weightings[] = {{1, weighBilinear}, {2, weighBicubic}};

/// As Pillow resamples: `scale` pixels per output pixel, 1 when enlarging; nothing lies outside of the picture.
static Taps resample(double center, double scale, const Weighting &weighting, int64_t count) {
  double support = weighting.support * scale;
  auto begin = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
  auto end = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), count);
  Taps taps{begin, {}};
  float sum = 0;
  for (int64_t i = begin; i < end; ++i) {
    double distance = std::abs((static_cast<double>(i) + 0.5 - center) / scale);
    taps.weights.push_back(static_cast<float>(weighting.weigh(distance)));
    sum += taps.weights.back();
  }
  for (float &weight : taps.weights)
    weight /= sum;
  return taps;
}

/// The taps of `count` positions of an axis.
static std::vector<Taps> computeTaps(const Axis &axis, int64_t count, const ImageDescription &image) {
  std::vector<Taps> all;
  auto from = static_cast<double>(axis.from), to = static_cast<double>(axis.to);
  const Weighting &weighting = weightings[static_cast<size_t>(image.filter)];
  for (int64_t i = axis.offset; i < axis.offset + count; ++i) {
    auto place = static_cast<double>(i);
    if (i < 0 || i >= axis.to)
      all.push_back({});
    else if (image.alignCorners)
      all.push_back(interpolate(axis.to > 1 ? place * (from - 1) / (to - 1) : 0, axis.from));
    else if (image.antialias)
      all.push_back(resample((place + 0.5) * from / to, std::max(from / to, 1.0), weighting, axis.from));
    else
      all.push_back(interpolate((place + 0.5) * from / to - 0.5, axis.from));
  }
  return all;
}

/// Resizes along the rows of a picture: `get(row, column, colour)` gives its values.
template <typename Get> static Plane resizeColumns(int64_t rows, const std::vector<Taps> &taps, Get get) {
  Plane plane{rows, static_cast<int64_t>(taps.size()), {}};
  plane.values.reserve(static_cast<size_t>(3 * plane.rows * plane.columns));
  for (int64_t row = 0; row < rows; ++row)
    for (const Taps &tap : taps)
      for (int64_t colour = 0; colour < 3; ++colour) {
        float sum = 0;
        for (size_t i = 0; i < tap.weights.size(); ++i)
          sum += tap.weights[i] * get(row, tap.first + static_cast<int64_t>(i), colour);
        // Bicubic weights may be negative. Pillow cuts after each axis, too.
        plane.values.push_back(std::clamp(sum, 0.0f, 255.0f));
      }
  return plane;
}

/// Both axes, [row, column, colour] in row-major order; the axis first that leaves less to the other.
static std::vector<float> resize(const Picture &picture, const std::vector<Taps> &rows,
                                 const std::vector<Taps> &columns) {
  auto pixel = [&](int64_t row, int64_t column, int64_t colour) {
    return static_cast<float>(picture.rgb[static_cast<size_t>(3 * (row * picture.width + column) + colour)]);
  };
  // A resized plane is read across: its rows are the columns of what it was made of.
  auto across = [](const Plane &plane) {
    return [&plane](int64_t row, int64_t column, int64_t colour) {
      return plane.values[static_cast<size_t>(3 * (column * plane.columns + row) + colour)];
    };
  };
  auto rowCount = static_cast<int64_t>(rows.size()), columnCount = static_cast<int64_t>(columns.size());
  if (picture.height * columnCount > picture.width * rowCount) {
    Plane tall = resizeColumns(picture.width, rows,
                               [&](int64_t column, int64_t row, int64_t colour) { return pixel(row, column, colour); });
    return resizeColumns(rowCount, columns, across(tall)).values;
  }
  Plane wide = resizeColumns(picture.height, columns, pixel);
  Plane turned = resizeColumns(columnCount, rows, across(wide));
  std::vector<float> values;
  values.reserve(turned.values.size());
  for (int64_t row = 0; row < rowCount; ++row)
    for (int64_t column = 0; column < columnCount; ++column)
      for (int64_t colour = 0; colour < 3; ++colour)
        values.push_back(across(turned)(row, column, colour));
  return values;
}

/// Sizes after resizing; the crop, or the input, is cut from the middle.
static std::pair<Axis, Axis> planAxes(const Picture &picture, const ImageDescription &image, const InputSize &size) {
  Axis rows{picture.height, picture.height, 0}, columns{picture.width, picture.width, 0};
  if (image.shortestEdge) {
    int64_t shortest = std::min(picture.height, picture.width);
    rows.to = *image.shortestEdge * picture.height / shortest;
    columns.to = *image.shortestEdge * picture.width / shortest;
  } else if (image.resize) {
    rows.to = image.resize->height;
    columns.to = image.resize->width;
  }
  // Rounded down, also where the part is larger.
  auto middle = [](int64_t all, int64_t part) { return (all - part) >> 1; };
  rows.offset = middle(rows.to, size.height);
  columns.offset = middle(columns.to, size.width);
  return {rows, columns};
}

Result<void> checkPreparation(const ImageDescription &image, const InputSize &size) {
  std::optional<ImageSize> made = image.crop ? image.crop : image.resize;
  std::string wanted = std::to_string(size.height) + " x " + std::to_string(size.width);
  if (!made)
    return Error{"the model's files leave images at sizes of their own, the model takes " + wanted +
                 "; say `size` or `crop_size` in `preprocessor_config.json`"};
  if (made->height != size.height || made->width != size.width)
    return Error{"the model's files make images of " + std::to_string(made->height) + " x " +
                 std::to_string(made->width) + ", the model takes " + wanted};
  for (const std::vector<double> *list : {&image.mean, &image.std})
    if (!list->empty() && list->size() != static_cast<size_t>(size.channels))
      return Error{"the model's files give " + std::to_string(list->size()) + " means or deviations, the model takes " +
                   std::to_string(size.channels) + " channels"};
  return {};
}

void preparePicture(const Picture &picture, const ImageDescription &image, const InputSize &size,
                    std::span<float> values) {
  auto [rows, columns] = planAxes(picture, image, size);
  std::vector<float> pixels =
      resize(picture, computeTaps(rows, size.height, image), computeTaps(columns, size.width, image));
  auto plane = static_cast<size_t>(size.height * size.width);
  for (size_t channel = 0; channel < static_cast<size_t>(size.channels); ++channel) {
    double mean = image.mean.empty() ? 0 : image.mean[channel];
    double deviation = image.std.empty() ? 1 : image.std[channel];
    auto scale = static_cast<float>(image.rescaleFactor / deviation), shift = static_cast<float>(-mean / deviation);
    for (size_t i = 0; i < plane; ++i) {
      const float *rgb = &pixels[3 * i];
      float value = size.channels == 1 ? 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2] : rgb[channel];
      values[channel * plane + i] = value * scale + shift;
    }
  }
}

} // namespace quern::runtime
