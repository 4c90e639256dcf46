//===- Guarded.h - untrusted work, in a process of its own with limits -------------------------===//

#ifndef QUERN_RUNTIME_GUARDED_H
#define QUERN_RUNTIME_GUARDED_H

#include "quern/Result.h"

#include "runtime/File.h"

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace quern::runtime {

/// What work in a process of its own may use.
struct GuardLimits {
  /// Memory beside what was mapped when the work began.
  uint64_t memoryBytes = uint64_t{512} << 20;
  uint64_t stackBytes = uint64_t{8} << 20;
  /// Seconds of a processor, and by the clock, which goes on while others use the machine.
  uint64_t cpuSeconds = 2, clockSeconds = 9;
  /// The result's size.
  uint64_t resultBytes = uint64_t{16} << 20;
};

/// Work in a child process with limits. A crash or an exhausted limit is an error that names it;
/// its subject is "it", so that the caller can say before what was being done. Of what the work
/// changes, the caller sees nothing.
class GuardedWork {
public:
  /// Begins `work`. It may allocate, but wait for no lock that another thread of this process may
  /// hold. A result of more than 64 KiB waits, and its time goes on, until `finish` takes it.
  static Result<GuardedWork> start(const std::function<Result<std::string>()> &work, const GuardLimits &limits = {});

  GuardedWork(GuardedWork &&other) noexcept
      : limits(other.limits), child(std::exchange(other.child, -1)), output(std::move(other.output)), end(other.end) {}
  GuardedWork &operator=(GuardedWork &&) = delete;
  /// Ends what still runs.
  ~GuardedWork();

  /// Whether there is a result, or the process has ended.
  bool isReady() const;
  /// Waits for what the work gives. To be called once.
  Result<std::string> finish();

private:
  GuardedWork(const GuardLimits &limits, pid_t child, FileDescriptor output, int64_t end)
      : limits(limits), child(child), output(std::move(output)), end(end) {}

  GuardLimits limits;
  /// -1 when it was waited for.
  pid_t child;
  FileDescriptor output;
  /// When its time by the clock is over, in milliseconds of the monotonic clock.
  int64_t end;
};

/// Begins `work` and waits for it.
Result<std::string> runGuarded(const std::function<Result<std::string>()> &work, const GuardLimits &limits = {});

} // namespace quern::runtime

#endif // QUERN_RUNTIME_GUARDED_H
