//===- MedianGain.h - medians of times, and how many times as fast one of two is --------------===//

#ifndef QUERN_TOOLS_DRIVER_MEDIANGAIN_H
#define QUERN_TOOLS_DRIVER_MEDIANGAIN_H

#include "llvm/ADT/STLExtras.h"

#include <utility>
#include <vector>

namespace quern::tool {

/// The median of `values`; 0 without any.
template <typename RangeT> double getMedian(const RangeT &values) {
  std::vector<double> sorted(values.begin(), values.end());
  llvm::sort(sorted);
  size_t middle = sorted.size() / 2;
  if (sorted.empty())
    return 0;
  return sorted.size() % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/// The median of how many times as fast the second of each pair of times is; 1 without pairs.
template <typename TimeT> double getMedianGain(const std::vector<std::pair<TimeT, TimeT>> &samples) {
  auto getGain = [](const auto &pair) { return double(pair.first) / double(pair.second); };
  return samples.empty() ? 1 : getMedian(llvm::map_range(samples, getGain));
}

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_MEDIANGAIN_H
