//===- ChildProcess.cpp - kernels compiled in child processes ---------------------------------===//

#include "codegen/HalideBridge.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <cerrno>
#include <cstring>
#include <deque>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;

namespace quern::codegen {

namespace {

/// A child at work on one job.
struct Child {
  size_t job;
  pid_t process;
  /// Where its diagnostics come from.
  int pipe;
};

/// How a job ended: the child's diagnostics, each "<index of the op in the kernel> <message>\0", and its wait status.
struct Outcome {
  std::string diagnostics;
  int status = 0;
};

} // namespace

static void writeAll(int file, StringRef text) {
  while (!text.empty()) {
    ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;
    text = text.drop_front(written);
  }
}

/// The child: compiles, writes its diagnostics into `pipe`, and ends without running the parent's destructors.
[[noreturn]] static void runChild(const KernelJob &job, StringRef objectPath, int pipe) {
  SmallVector<Operation *> ops;
  KernelOp kernel = job.kernel;
  kernel->walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  ScopedDiagnosticHandler handler(kernel.getContext(), [&](Diagnostic &diagnostic) {
    const auto *op = llvm::find_if(ops, [&](Operation *op) { return op->getLoc() == diagnostic.getLocation(); });
    size_t index = op == ops.end() ? 0 : op - ops.begin();
    writeAll(pipe, std::to_string(index) + " " + diagnostic.str() + std::string(1, '\0'));
    return success();
  });
  LogicalResult result = compileKernel(kernel, job.target, job.symbol, objectPath);
  _exit(failed(result) ? 1 : 0);
}

/// Starts a child; a negative process when the system refuses.
static Child start(const KernelJob &job, size_t index, StringRef objectPath) {
  int ends[2];
  if (pipe(ends) != 0)
    return {index, -1, -1};
  pid_t process = fork();
  if (process == 0) {
    close(ends[0]);
    runChild(job, objectPath, ends[1]);
  }
  close(ends[1]);
  if (process < 0)
    close(ends[0]);
  return {index, process, ends[0]};
}

/// Waits for a child's end.
static Outcome finish(const Child &child) {
  Outcome outcome;
  char buffer[4096];
  while (true) {
    ssize_t size = read(child.pipe, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      break;
    outcome.diagnostics.append(buffer, size);
  }
  close(child.pipe);
  while (waitpid(child.process, &outcome.status, 0) < 0 && errno == EINTR)
    continue;
  return outcome;
}

/// Emits what the child had to say.
static LogicalResult report(KernelOp kernel, const Outcome &outcome) {
  SmallVector<Operation *> ops;
  kernel->walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  SmallVector<StringRef> messages;
  StringRef(outcome.diagnostics).split(messages, '\0', -1, /*KeepEmpty=*/false);
  for (StringRef message : messages) {
    size_t index = 0;
    message.consumeInteger(10, index);
    mlir::emitError(ops[index]->getLoc()) << message.trim();
  }
  if (WIFSIGNALED(outcome.status))
    return kernel.emitError("the back end died of `")
           << strsignal(WTERMSIG(outcome.status)) << "` on kernel `" << kernel.getSymName() << "`";
  if (WEXITSTATUS(outcome.status) != 0 && messages.empty())
    return kernel.emitError("the back end failed on kernel `") << kernel.getSymName() << "`";
  return success(WEXITSTATUS(outcome.status) == 0);
}

LogicalResult compileKernels(ArrayRef<KernelJob> jobs, StringRef directory, unsigned processes) {
  std::deque<Child> running;
  SmallVector<Outcome> outcomes(jobs.size());
  auto finishFirst = [&] {
    outcomes[running.front().job] = finish(running.front());
    running.pop_front();
  };
  LogicalResult result = success();
  for (auto [index, job] : llvm::enumerate(jobs)) {
    if (running.size() >= std::max(processes, 1u))
      finishFirst();
    llvm::SmallString<128> path(directory);
    llvm::sys::path::append(path, job.symbol + ".o");
    Child child = start(job, index, path);
    if (child.process < 0) {
      result = mlir::emitError(KernelOp(job.kernel).getLoc(), "cannot start a process: ") << std::strerror(errno);
      break;
    }
    running.push_back(child);
  }
  while (!running.empty())
    finishFirst();
  for (auto [job, outcome] : llvm::zip_equal(jobs, outcomes))
    if (failed(report(job.kernel, outcome)))
      result = failure();
  return result;
}

} // namespace quern::codegen
