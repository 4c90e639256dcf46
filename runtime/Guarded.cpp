//===- Guarded.cpp - untrusted work, in a process of its own with limits -----------------------===//

#include "runtime/Guarded.h"

#include "runtime/Memory.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace quern::runtime {

static int64_t nowInMilliseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

/// Lowers a limit of this process; one that is lower stays.
static void lowerLimit(int resource, uint64_t soft, uint64_t hard) {
  rlimit limit;
  getrlimit(resource, &limit);
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, hard);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, soft);
  setrlimit(resource, &limit);
}

/// The size of this process's address space: the least limit under which it still gets a page, to within a MiB. Asking
/// the system that way needs no `/proc`.
static uint64_t measureAddressSpace() {
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  uint64_t low = 0, high = std::min<uint64_t>(limit.rlim_max, uint64_t{1} << 48);
  while (high - low > uint64_t{1} << 20) {
    limit.rlim_cur = low + (high - low) / 2;
    setrlimit(RLIMIT_AS, &limit);
    void *page = mmap(nullptr, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (page == MAP_FAILED ? low : high) = limit.rlim_cur;
    if (page != MAP_FAILED)
      munmap(page, 1);
  }
  return high;
}

/// What the child does. Nothing may leave this function: above it stands the parent's code.
[[noreturn]] static void runChild(const std::function<Result<std::string>()> &work, const GuardLimits &limits,
                                  pid_t parent, int output) noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(1);
  // A crash is the parent's to report, and so is what libraries would print before they abort.
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGXCPU, SIGPIPE, SIGTERM, SIGINT})
    std::signal(signal, SIG_DFL);
  std::set_new_handler(std::abort);
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0 && output != STDERR_FILENO)
    dup2(nowhere, STDERR_FILENO);
  lowerLimit(RLIMIT_CORE, 0, 0);
  lowerLimit(RLIMIT_CPU, limits.cpuSeconds, limits.cpuSeconds + 1);
  lowerLimit(RLIMIT_STACK, limits.stackBytes, limits.stackBytes);
  uint64_t addressSpace = measureAddressSpace() + limits.memoryBytes;
  lowerLimit(RLIMIT_AS, addressSpace, addressSpace);
  Result<std::string> result = work();
  // First whether there is a value, or of which kind the error is.
  char kind = result ? 0 : static_cast<char>(result.error().kind);
  const std::string &text = result ? *result : result.error().message;
  bool isWritten = writeAll(output, &kind, 1) == 0 && writeAll(output, text.data(), text.size()) == 0;
  _exit(isWritten ? 0 : 1);
}

/// Reads what the child writes to its end, until the time is over.
static Result<std::string> readAnswer(int input, const GuardLimits &limits, int64_t end) {
  std::string answer;
  while (true) {
    int64_t left = std::max<int64_t>(end - nowInMilliseconds(), 0);
    pollfd waiting{input, POLLIN, 0};
    int ready = poll(&waiting, 1, static_cast<int>(left));
    if (ready == 0)
      return Error{"it did not end within " + std::to_string(limits.clockSeconds) + " s"};
    char buffer[1 << 16];
    ssize_t count = ready < 0 ? -1 : read(input, buffer, sizeof(buffer));
    if (count < 0 && errno != EINTR)
      return Error{"could not read its result: " + describeSystemError(errno)};
    if (count == 0)
      return answer;
    answer.append(buffer, static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (answer.size() > limits.resultBytes + 1)
      return Error{"its result has more than " + std::to_string(limits.resultBytes) + " bytes"};
  }
}

/// Why a child that was not stopped ended without an answer.
static Error explainEnd(int status, const GuardLimits &limits) {
  auto inMebibytes = [](uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; };
  if (!WIFSIGNALED(status))
    return Error{"it ended without a result"};
  switch (WTERMSIG(status)) {
  case SIGSEGV:
    return Error{"it needed more than " + inMebibytes(limits.stackBytes) + " of stack, or crashed"};
  case SIGABRT:
    return Error{"it needed more than " + inMebibytes(limits.memoryBytes) + " of memory, or gave up"};
  case SIGXCPU:
    return Error{"it took more than " + std::to_string(limits.cpuSeconds) + " s of a processor"};
  case SIGKILL:
    return Error{"it was killed, as when the machine has no memory left"};
  default:
    return Error{"it was ended by signal " + std::to_string(WTERMSIG(status))};
  }
}

/// Waits for the end of a child.
static int waitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

Result<GuardedWork> GuardedWork::start(const std::function<Result<std::string>()> &work, const GuardLimits &limits) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Error{"could not make a pipe: " + describeSystemError(errno)};
  FileDescriptor input(ends[0]), output(ends[1]);
  const int64_t end = nowInMilliseconds() + static_cast<int64_t>(limits.clockSeconds) * 1000;
  pid_t parent = getpid(), child = fork();
  if (child < 0)
    return Error{"could not start a process: " + describeSystemError(errno)};
  if (child == 0)
    runChild(work, limits, parent, output.get());
  return GuardedWork(limits, child, std::move(input), end);
}

GuardedWork::~GuardedWork() {
  if (child < 0)
    return;
  kill(child, SIGKILL);
  waitFor(child);
}

bool GuardedWork::isReady() const {
  pollfd waiting{output.get(), POLLIN, 0};
  return poll(&waiting, 1, 0) > 0;
}

Result<std::string> GuardedWork::finish() {
  Result<std::string> answer = readAnswer(output.get(), limits, end);
  if (!answer)
    return answer;
  int status = waitFor(std::exchange(child, -1));
  if (status != 0 || answer->empty())
    return explainEnd(status, limits);
  auto kind = static_cast<ErrorKind>(answer->front());
  answer->erase(0, 1);
  return kind == ErrorKind{} ? std::move(answer) : Error{std::move(*answer), kind};
}

Result<std::string> runGuarded(const std::function<Result<std::string>()> &work, const GuardLimits &limits) {
  Result<GuardedWork> started = GuardedWork::start(work, limits);
  return started ? started->finish() : started.error();
}

} // namespace quern::runtime
