//===- TargetChoice.cpp - which of a binary's targets this machine runs ------------------------===//

#include "runtime/TargetChoice.h"

#include <algorithm>

namespace quern::runtime {

/// Why there is no target of `device`.
static Error refuseDevice(std::span<const Target> targets, std::string_view device) {
  std::string devices;
  for (const Target &target : targets)
    if (std::string word = "`" + target.device + "`"; devices.find(word) == std::string::npos)
      devices += (devices.empty() ? "" : ", ") + word;
  return Error{"the model was not compiled for the device `" + std::string(device) + "`, only for " + devices +
               "; choose one with `--device`, or compile it with `--target`"};
}

Result<uint32_t> chooseTarget(std::span<const Target> targets, const std::optional<std::string> &wanted,
                              bool (*hasFeature)(std::string_view name), std::string_view device) {
  if (std::none_of(targets.begin(), targets.end(), [&](const Target &target) { return target.device == device; }))
    return refuseDevice(targets, device);
  std::string reasons;
  for (size_t i = 0; i < targets.size(); ++i) {
    if ((wanted && targets[i].name != *wanted) || targets[i].device != device)
      continue;
    std::string missing;
    for (const std::string &feature : targets[i].features)
      if (!hasFeature(feature))
        missing += (missing.empty() ? "`" : ", `") + feature + "`";
    if (missing.empty())
      return static_cast<uint32_t>(i);
    reasons += "; `" + targets[i].name + "` needs " + missing;
  }
  if (!reasons.empty())
    return Error{"this CPU lacks what the model was compiled for" + reasons};
  std::string names;
  for (const Target &target : targets)
    names += (names.empty() ? "`" : ", `") + target.name + "`";
  return Error{"the model was not compiled for `" + wanted.value_or("") + "`, only for " + names};
}

} // namespace quern::runtime
