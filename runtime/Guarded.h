//===- Guarded.h - untrusted work, in a process of its own with limits -------------------------===//

#ifndef QUERN_RUNTIME_GUARDED_H
#define QUERN_RUNTIME_GUARDED_H

#include "quern/Result.h"

#include <cstdint>
#include <functional>
#include <string>

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

/// Runs `work` in a child process with these limits, and gives what it gives. A crash or an exhausted limit is an error
/// that names it; its subject is "it", so that the caller can say before what was being done. Of what `work` changes,
/// the caller sees nothing. `work` may allocate, but wait for no lock that another thread of this process may hold.
Result<std::string> runGuarded(const std::function<Result<std::string>()> &work, const GuardLimits &limits = {});

} // namespace quern::runtime

#endif // QUERN_RUNTIME_GUARDED_H
