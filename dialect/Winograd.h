//===- Winograd.h - convolution by fewer products ---------------------------------------------===//

#ifndef QUERN_DIALECT_WINOGRAD_H
#define QUERN_DIALECT_WINOGRAD_H

#include <cstdint>
#include <vector>

namespace quern {

/// Rows of a matrix.
using Matrix = std::vector<std::vector<double>>;

/// The minimal filtering algorithm F(m, r) (Winograd 1980; Lavin and Gray 2016): m neighbouring results of a filter g
/// of r values over d, m + r - 1 values, by as many products:
///   y = Aᵀ ((G g) ⊙ (Bᵀ d))
/// Polynomials are evaluated at the points 0, ±1, ±2, ±1/2, -1/4, 4 and infinity, as many as it takes: the elements of
/// Aᵀ and Bᵀ are sums of few powers of two, and their sizes stay close to each other. F(1, 1) is the identity.
struct MinimalFilter {
  /// The most points, m + r - 1, that there are.
  static constexpr int64_t maxPoints = 10;

  /// `results` + `taps` - 1 is at most maxPoints.
  MinimalFilter(int64_t results, int64_t taps);

  int64_t points;
  /// Aᵀ [m][points], G [points][r], Bᵀ [points][points].
  Matrix output, filter, input;
};

} // namespace quern

#endif // QUERN_DIALECT_WINOGRAD_H
