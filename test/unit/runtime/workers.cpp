/// Work that copies of a process share: all of it is done, once, and what a copy that died had taken is known.

#include "runtime/Workers.h"
#include "Check.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace quern::runtime;

namespace {

void checkResults(quern::test::Checks &checks) {
  for (unsigned processes : {0u, 1u, 2u, 5u, 40u})
    for (size_t count : {0, 1, 2, 7, 33}) {
      std::vector<int32_t> results = shareOut(count, processes, [](size_t i) { return static_cast<int32_t>(3 * i); });
      checks.equal(results.size(), count);
      for (size_t i = 0; i < results.size(); ++i)
        checks.equal(results[i], static_cast<int32_t>(3 * i));
    }
  // No child is left.
  checks.that(waitpid(-1, nullptr, 0) < 0 && errno == ECHILD);
}

/// Copies are others than this process, which alone works where one is wanted.
void checkProcesses(quern::test::Checks &checks) {
  pid_t own = getpid();
  auto isOwn = [&](size_t) -> int32_t { return getpid() == own; };
  checks.that(shareOut(2, 1, isOwn) == std::vector<int32_t>{1, 1});
  checks.that(shareOut(1, 2, isOwn) == std::vector<int32_t>{1});
  checks.that(shareOut(2, 2, isOwn) == std::vector<int32_t>{0, 0});
}

/// A copy that dies loses what it had taken; others do the rest, if there are any.
void checkLoss(quern::test::Checks &checks) {
  auto work = [](size_t i) -> int32_t {
    if (i == 0)
      raise(SIGKILL);
    return 1;
  };
  std::vector<int32_t> results = shareOut(5, 2, work);
  checks.that(results == std::vector<int32_t>{lostWork, 1, 1, 1, 1});
  results = shareOut(3, 2, [](size_t) -> int32_t { _exit(1); });
  checks.equal(results.back(), lostWork);
}

} // namespace

int main() {
  quern::test::Checks checks;
  checkResults(checks);
  checkProcesses(checks);
  checkLoss(checks);
  checks.equal(countWorkers(0, 4), 1u);
  checks.equal(countWorkers(uint64_t{1} << 40, 4), 4u);
  checks.equal(countWorkers(uint64_t{64} << 20, 4), 2u);
  checks.equal(countWorkers(uint64_t{1} << 40, 0), 1u);
  return checks.status();
}
