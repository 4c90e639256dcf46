//===- Profile.h - where the time of a run went ------------------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_PROFILE_H
#define QUERN_RUNTIME_CLI_PROFILE_H

#include "quern/Runtime.h"

#include <span>
#include <string>

namespace quern::runtime {

/// A table with a row per kernel, the slowest first: its line of the model file, launches, time, and what it achieved in
/// bytes and operations per second.
std::string formatProfile(const Session &session, std::span<const KernelLaunch> launches);

/// Writes the launches as a Chrome trace (JSON of the Trace Event Format) to the file `path`: one event per launch.
Result<void> writeTrace(const Session &session, std::span<const KernelLaunch> launches, const std::string &path);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_PROFILE_H
