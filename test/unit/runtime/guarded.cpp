/// Work in a process of its own: its result comes back; whatever it exhausts is an error that names the limit.

#include "runtime/Guarded.h"
#include "Check.h"

#include <cerrno>
#include <cstdlib>
#include <pthread.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace quern::runtime;

namespace {

using Work = std::function<Result<std::string>()>;

/// Small limits, so that the tests end soon.
constexpr GuardLimits limits{uint64_t{64} << 20, uint64_t{1} << 20, 1, 100, uint64_t{1} << 20};

std::string refusal(const Work &work, const GuardLimits &given = limits) {
  Result<std::string> result = runGuarded(work, given);
  return result ? "a result" : result.error().message;
}

/// Uses the stack until there is none.
[[gnu::noinline]] int descend(int depth) {
  volatile char frame[256];
  frame[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : descend(depth + 1) + frame[0];
}

void checkResults(quern::test::Checks &checks) {
  int changed = 0;
  Result<std::string> text = runGuarded([&] {
    changed = 1;
    return std::string("a\0b", 3);
  });
  checks.that(text && *text == std::string("a\0b", 3));
  checks.equal(changed, 0);
  checks.equal(runGuarded([] { return std::string(); }).value(), "");
  // More than a pipe holds.
  checks.equal(runGuarded([] { return std::string(1 << 20, 'x'); }, limits).value().size(), size_t{1} << 20);
  Result<std::string> error = runGuarded([] { return Error{"so it is", ErrorKind::Usage}; });
  checks.that(!error && error.error().message == "so it is" && error.error().kind == ErrorKind::Usage);
}

/// Work goes on beside this process until its result is asked for, or nobody can ask any more.
void checkBeside(quern::test::Checks &checks) {
  int ends[2];
  checks.that(pipe(ends) == 0);
  {
    Result<GuardedWork> work = GuardedWork::start([&] {
      char letter = 0;
      return read(ends[0], &letter, 1) == 1 ? std::string(1, letter) : "nothing";
    });
    checks.that(!work->isReady());
    checks.that(write(ends[1], "q", 1) == 1);
    checks.equal(work->finish().value(), "q");
    Result<GuardedWork> dropped = GuardedWork::start([] {
      pause();
      return std::string();
    });
  }
  // No child is left.
  checks.that(waitpid(-1, nullptr, 0) < 0 && errno == ECHILD);
  close(ends[0]);
  close(ends[1]);
}

void checkLimits(quern::test::Checks &checks) {
  checks.equal(refusal([] { return std::to_string(descend(0)); }), "it needed more than 1 MiB of stack, or crashed");
  checks.equal(refusal([] {
                 std::vector<std::string> pieces;
                 while (true)
                   pieces.emplace_back(1 << 20, 'x');
                 return pieces.back();
               }),
               "it needed more than 64 MiB of memory, or gave up");
  checks.equal(refusal([] {
                 for (volatile bool goesOn = true; goesOn;)
                   ;
                 return std::string();
               }),
               "it took more than 1 s of a processor");
  checks.equal(refusal([] { return std::string((1 << 20) + 1, 'x'); }), "its result has more than 1048576 bytes");
  checks.equal(refusal([]() -> Result<std::string> { _exit(0); }), "it ended without a result");
  checks.equal(refusal([]() -> Result<std::string> { std::abort(); }),
               "it needed more than 64 MiB of memory, or gave up");
}

/// What waits uses no processor, so only the clock ends it.
void checkClock(quern::test::Checks &checks) {
  GuardLimits none = limits;
  none.clockSeconds = 0;
  checks.equal(refusal(
                   [] {
                     pause();
                     return std::string();
                   },
                   none),
               "it did not end within 0 s");
}

/// Memory counts from what is mapped, so a process that has mapped much can still work.
void checkMappedMemory(quern::test::Checks &checks) {
  std::vector<char> mapped(256 << 20);
  checks.equal(runGuarded([] { return std::string(1 << 20, 'x'); }, limits).value().size(), size_t{1} << 20);
  checks.that(mapped.back() == 0);
}

void *keepAllocating(void *stopped) {
  while (!*static_cast<volatile bool *>(stopped))
    std::free(std::malloc(64));
  return nullptr;
}

/// Another thread that is inside of the allocator when the process is copied does not lock it.
void checkThreads(quern::test::Checks &checks) {
  volatile bool stopped = false;
  pthread_t thread;
  pthread_create(&thread, nullptr, keepAllocating, const_cast<bool *>(&stopped));
  for (int i = 0; i < 50; ++i)
    checks.equal(runGuarded([] { return std::string(1000, 'x') + std::string(2000, 'y'); }).value().size(),
                 size_t{3000});
  stopped = true;
  pthread_join(thread, nullptr);
}

/// Last, since the limit stays: without room for a process there is a message.
void checkNoProcess(quern::test::Checks &checks) {
  // The limit of processes does not bind root.
  if (setuid(65534) != 0 && getuid() == 0)
    return;
  rlimit none{0, 0};
  setrlimit(RLIMIT_NPROC, &none);
  checks.that(refusal([] { return std::string(); }).starts_with("could not start a process: "));
}

} // namespace

int main() {
  quern::test::Checks checks;
  checkResults(checks);
  checkBeside(checks);
  checkLimits(checks);
  checkClock(checks);
  checkMappedMemory(checks);
  checkThreads(checks);
  checkNoProcess(checks);
  return checks.status();
}
