//===- MedianGain.h - how many times as fast one of two is ------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_MEDIANGAIN_H
#define QUERN_TOOLS_DRIVER_MEDIANGAIN_H

#include "llvm/ADT/STLExtras.h"

#include <utility>
#include <vector>

namespace quern::tool {

/// The median of how many times as fast the second of each pair of times is; 1 without pairs.
template <typename TimeT> double getMedianGain(const std::vector<std::pair<TimeT, TimeT>> &samples) {
  std::vector<double> gains;
  for (const auto &[base, plan] : samples)
    gains.push_back(double(base) / double(plan));
  llvm::sort(gains);
  return gains.empty() ? 1 : gains[gains.size() / 2];
}

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_MEDIANGAIN_H
