//===- Statistics.h - what can be said of noisy times -----------------------------------------===//

#ifndef QUERN_TUNER_STATISTICS_H
#define QUERN_TUNER_STATISTICS_H

#include "llvm/ADT/ArrayRef.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace quern::tuner {

/// The value below which a part `part` (0 to 1) of `values` lies, between two of them where it falls there; 0 of none.
double getQuantile(llvm::ArrayRef<double> values, double part);

/// The sign test: how likely `wins` or more of `wins + losses` fair coins are. 1 without any.
double getSignTest(uint64_t wins, uint64_t losses);

/// The logarithm of a sign test's evidence that may be looked at as often as one likes: of the likelihood ratio of
/// `wins` and `losses` under coins that favour wins, all biases alike likely, to that under a fair one. Whatever is
/// tossed next, and whenever one stops, under a fair or a worse coin it ever reaches log(1/p) with a probability of at
/// most p (Ville, Étude critique de la notion de collectif, 1939; Robbins, Statistical methods related to the law of
/// the iterated logarithm, 1970).
double getLogEvidence(uint64_t wins, uint64_t losses);

/// The middle of noisy numbers, and its standard error.
struct Estimate {
  double median = 0, error = 0;
  size_t count = 0;
};

/// Estimates by the median, and by the median deviation from it, which outliers do not move. Logarithms of ratios of
/// times that stand next to each other scatter by about a twentieth: few numbers are helped by that.
Estimate estimate(llvm::ArrayRef<double> values);

/// How often the second number of a pair is less, and how often it is more.
struct Signs {
  uint64_t wins = 0, losses = 0;
};
Signs getSigns(llvm::ArrayRef<std::pair<double, double>> pairs);

/// Of runs so short that what is above the least of their times is noise: pairs in groups of `each`, as they follow
/// each other, and for each whole group the low quantiles of its first and of its second numbers.
std::vector<std::pair<double, double>> getLowQuantiles(llvm::ArrayRef<std::pair<double, double>> pairs, size_t each);

} // namespace quern::tuner

#endif // QUERN_TUNER_STATISTICS_H
