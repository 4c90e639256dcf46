//===- Winograd.cpp - convolution by fewer products -------------------------------------------===//

#include "dialect/Winograd.h"

#include <cassert>
#include <cmath>

namespace quern {

/// The finite points. Their order keeps errors small for every number of them.
constexpr double finitePoints[MinimalFilter::maxPoints - 1] = {0, 1, -1, 2, -2, 0.5, -0.5, -0.25, 4};

/// The coefficients, lowest first, of Π (x - a) over the first `count` points a but number `left`.
static std::vector<double> multiplyOut(int64_t count, int64_t left) {
  std::vector<double> product = {1};
  for (int64_t k = 0; k < count; ++k) {
    if (k == left)
      continue;
    product.push_back(0);
    for (size_t i = product.size(); i-- > 0;)
      product[i] = (i > 0 ? product[i - 1] : 0) - finitePoints[k] * product[i];
  }
  return product;
}

MinimalFilter::MinimalFilter(int64_t results, int64_t taps)
    : points(results + taps - 1), output(results, std::vector<double>(points)),
      filter(points, std::vector<double>(taps)), input(points, std::vector<double>(points)) {
  assert(points <= maxPoints && "there are not so many points");
  int64_t finite = points - 1;
  for (int64_t p = 0; p < finite; ++p) {
    double difference = 1;
    for (int64_t k = 0; k < finite; ++k)
      difference *= k == p ? 1 : finitePoints[p] - finitePoints[k];
    for (int64_t i = 0; i < results; ++i)
      output[i][p] = std::pow(finitePoints[p], double(i));
    for (int64_t k = 0; k < taps; ++k)
      filter[p][k] = std::pow(finitePoints[p], double(k)) / difference;
  }
  output[results - 1][finite] = 1;
  filter[finite][taps - 1] = 1;
  for (int64_t p = 0; p < points; ++p) {
    std::vector<double> row = multiplyOut(finite, p);
    for (size_t i = 0; i < row.size(); ++i)
      input[p][i] = row[i];
  }
}

} // namespace quern
