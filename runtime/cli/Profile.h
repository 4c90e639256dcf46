//===- Profile.h - where the time of a run went ------------------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_PROFILE_H
#define QUERN_RUNTIME_CLI_PROFILE_H

#include "quern/Runtime.h"
#include "runtime/Limits.h"
#include "runtime/cli/Option.h"

#include <span>
#include <string>

namespace quern::runtime {

/// A table with a row per kernel, the slowest first: its line of the model file, launches, time, what it achieved in
/// bytes and operations per second, and how much of what `roofline` allows that is.
std::string formatProfile(const Session &session, std::span<const KernelLaunch> launches, const Roofline &roofline);

/// Writes the launches as a Chrome trace (JSON of the Trace Event Format) to the file `path`: one event per launch,
/// with the least time that `roofline` allows.
Result<void> writeTrace(const Session &session, std::span<const KernelLaunch> launches, const Roofline &roofline,
                        const std::string &path);

/// What is told of the launches of kernels; whoever takes these options measures and tells by itself.
class LaunchOptions : public SharedOptions {
public:
  const char *getTitle() const override { return "Times of kernels"; }
  std::vector<Option> getOptions() override;
  /// Refuses a trace that could not be written.
  Result<void> begin(Session &session) override;

  bool isAsked() const { return profile || trace; }

  bool profile = false;
  /// The file of the trace.
  std::optional<std::string> trace;
};

/// The same of the whole run of a command: the table goes to the standard error.
class ProfileOptions : public LaunchOptions {
public:
  Result<void> begin(Session &session) override;
  Result<void> end(Session &session) override;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_PROFILE_H
