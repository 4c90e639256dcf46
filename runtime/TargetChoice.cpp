//===- TargetChoice.cpp - which of a binary's targets this machine runs ------------------------===//

#include "runtime/TargetChoice.h"

namespace quern::runtime {

Result<uint32_t> chooseTarget(std::span<const Target> targets, const std::optional<std::string> &wanted,
                              bool (*hasFeature)(std::string_view name)) {
  std::string reasons;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (wanted && targets[i].name != *wanted)
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
