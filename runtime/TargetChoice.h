//===- TargetChoice.h - which of a binary's targets this machine runs --------------------------===//

#ifndef QUERN_RUNTIME_TARGETCHOICE_H
#define QUERN_RUNTIME_TARGETCHOICE_H

#include "quern/Runtime.h"

namespace quern::runtime {

/// The index of the first of `targets` (best first) of the device `device` all of whose features the machine has, or of
/// the one called `wanted` if it has them. The error names the features that are missing. `hasFeature` is hasCpuFeature
/// outside of tests.
Result<uint32_t> chooseTarget(std::span<const Target> targets, const std::optional<std::string> &wanted,
                              bool (*hasFeature)(std::string_view name), std::string_view device = "cpu");

} // namespace quern::runtime

#endif // QUERN_RUNTIME_TARGETCHOICE_H
