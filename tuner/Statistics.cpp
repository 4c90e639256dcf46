//===- Statistics.cpp -------------------------------------------------------------------------===//

#include "tuner/Statistics.h"

#include <algorithm>
#include <cmath>

using namespace quern::tuner;

double quern::tuner::getQuantile(llvm::ArrayRef<double> values, double part) {
  if (values.empty())
    return 0;
  std::vector<double> sorted(values.begin(), values.end());
  double place = part * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<size_t>(place);
  auto at = sorted.begin() + static_cast<ptrdiff_t>(below);
  std::nth_element(sorted.begin(), at, sorted.end());
  if (static_cast<double>(below) == place)
    return *at;
  double above = *std::min_element(at + 1, sorted.end());
  return *at + (place - static_cast<double>(below)) * (above - *at);
}

double quern::tuner::getSignTest(uint64_t wins, uint64_t losses) {
  // The smaller tail is summed: its terms fall.
  if (wins <= losses)
    return wins == 0 ? 1 : 1 - getSignTest(losses + 1, wins - 1);
  auto tosses = static_cast<double>(wins + losses);
  double term = std::exp(std::lgamma(tosses + 1) - std::lgamma(static_cast<double>(wins) + 1) -
                         std::lgamma(static_cast<double>(losses) + 1) - tosses * std::log(2.0));
  double sum = 0;
  for (uint64_t heads = wins; heads <= wins + losses; ++heads) {
    sum += term;
    term *= static_cast<double>(wins + losses - heads) / static_cast<double>(heads + 1);
  }
  return sum;
}

double quern::tuner::getLogEvidence(uint64_t wins, uint64_t losses) {
  // The integral of 2 p^wins (1 - p)^losses over p from 1/2 to 1 is an incomplete beta function, which at 1/2 is a tail
  // of coins; by 2^-(wins + losses).
  auto won = static_cast<double>(wins), lost = static_cast<double>(losses);
  return (won + lost + 1) * std::log(2.0) + std::lgamma(won + 1) + std::lgamma(lost + 1) - std::lgamma(won + lost + 2) +
         std::log(getSignTest(losses + 1, wins));
}

Estimate quern::tuner::estimate(llvm::ArrayRef<double> values) {
  if (values.empty())
    return {};
  double median = getQuantile(values, 0.5);
  std::vector<double> deviations;
  for (double value : values)
    deviations.push_back(std::abs(value - median));
  // Of a normal distribution: the standard deviation by the median one, and the variance of a median by that of a mean.
  constexpr double perMedianDeviation = 1.4826, perMeanError = 1.2533;
  constexpr double usual = 0.05, usualCount = 4;
  double scatter = perMedianDeviation * getQuantile(deviations, 0.5);
  auto count = static_cast<double>(values.size());
  double variance = (count * scatter * scatter + usualCount * usual * usual) / (count + usualCount);
  return {median, perMeanError * std::sqrt(variance / count), values.size()};
}

Signs quern::tuner::getSigns(llvm::ArrayRef<std::pair<double, double>> pairs) {
  Signs signs;
  for (auto [first, second] : pairs) {
    signs.wins += second < first;
    signs.losses += second > first;
  }
  return signs;
}

std::vector<std::pair<double, double>> quern::tuner::getLowQuantiles(llvm::ArrayRef<std::pair<double, double>> pairs,
                                                                     size_t each) {
  constexpr double low = 0.1;
  std::vector<std::pair<double, double>> quantiles;
  for (size_t begin = 0; begin + each <= pairs.size(); begin += each) {
    std::vector<double> first, second;
    for (auto [a, b] : pairs.slice(begin, each)) {
      first.push_back(a);
      second.push_back(b);
    }
    quantiles.emplace_back(getQuantile(first, low), getQuantile(second, low));
  }
  return quantiles;
}
