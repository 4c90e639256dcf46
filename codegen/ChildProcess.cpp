//===- ChildProcess.cpp - kernels compiled in child processes ---------------------------------===//

#include "codegen/HalideBridge.h"
#include "codegen/MemoryFile.h"

#include "llvm/ADT/StringExtras.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <poll.h>
#include <sys/prctl.h>
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
  /// Where it writes the object.
  MemoryFile object;
};

/// How a job ended: the child's diagnostics, each "<index of the op in the kernel> <message>\0", its wait status, and
/// the object where it succeeded.
struct Outcome {
  std::string diagnostics;
  int status = 0;
  std::unique_ptr<llvm::MemoryBuffer> object;
  /// It was not given up.
  bool isTried = false;
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
[[noreturn]] static void runChild(const KernelJob &job, MemoryFile &object, int pipe) {
  // Nobody waits for a kernel of a compilation that was ended.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  SmallVector<Operation *> ops;
  KernelOp kernel = job.kernel;
  kernel->walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  ScopedDiagnosticHandler handler(kernel.getContext(), [&](Diagnostic &diagnostic) {
    const auto *op = llvm::find_if(ops, [&](Operation *op) { return op->getLoc() == diagnostic.getLocation(); });
    size_t index = op == ops.end() ? 0 : op - ops.begin();
    writeAll(pipe, std::to_string(index) + " " + diagnostic.str() + std::string(1, '\0'));
    return success();
  });
  llvm::SmallVector<char, 0> code;
  llvm::raw_svector_ostream os(code);
  LogicalResult result = compileKernel(job, os);
  if (succeeded(result))
    if (llvm::Error error = object.write(os.str()))
      result = kernel.emitError(llvm::toString(std::move(error)));
  _exit(failed(result) ? 1 : 0);
}

static llvm::Error systemError(StringRef what) {
  std::error_code code(errno, std::generic_category());
  return llvm::createStringError(code, "cannot " + what + ": " + code.message());
}

static llvm::Expected<Child> start(const KernelJob &job, size_t index) {
  llvm::Expected<MemoryFile> object = MemoryFile::create();
  if (!object)
    return object.takeError();
  int ends[2];
  if (pipe(ends) != 0)
    return systemError("create a pipe");
  pid_t process = fork();
  if (process == 0) {
    close(ends[0]);
    runChild(job, *object, ends[1]);
  }
  llvm::Error error = process < 0 ? systemError("start a process") : llvm::Error::success();
  close(ends[1]);
  if (error) {
    close(ends[0]);
    return error;
  }
  return Child{index, process, ends[0], std::move(*object)};
}

/// Waits for a child's end, or makes it end where the time is over.
static Outcome finish(const Child &child, StringRef symbol, llvm::function_ref<bool()> isOver) {
  constexpr int askedAgain = 100; // milliseconds
  Outcome outcome;
  outcome.isTried = true;
  char buffer[4096];
  while (true) {
    pollfd ready = {child.pipe, POLLIN, 0};
    while (outcome.isTried && poll(&ready, 1, askedAgain) == 0)
      if (isOver()) {
        kill(child.process, SIGKILL);
        outcome.isTried = false;
      }
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
  if (outcome.status == 0) {
    if (auto object = child.object.read((symbol + ".o").str()))
      outcome.object = std::move(*object);
    else
      outcome.diagnostics += "0 " + llvm::toString(object.takeError());
  }
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
  return success(outcome.object != nullptr);
}

/// All that decides the object of a job, beside the compiler itself.
static std::string getSource(const KernelJob &job) {
  std::string source =
      (job.target.name + "\n" + job.symbol + "\n" + (job.ptxas ? job.ptxas->getDigest() : "") + "\n").str();
  llvm::raw_string_ostream os(source);
  KernelOp(job.kernel)->print(os);
  return source;
}

namespace {

/// Compiles jobs in children, several at a time.
class Crew {
public:
  Crew(ArrayRef<KernelJob> jobs, unsigned processes, ObjectCache &cache, llvm::function_ref<bool()> isOver)
      : jobs(jobs), processes(std::max(processes, 1u)), cache(cache), isOver(isOver), outcomes(jobs.size()) {}

  /// How each job ended; an error where the system gives no process at all.
  llvm::Expected<SmallVector<Outcome>> run();

private:
  void finishFirst();

  ArrayRef<KernelJob> jobs;
  unsigned processes;
  ObjectCache &cache;
  llvm::function_ref<bool()> isOver;
  std::deque<Child> running;
  SmallVector<Outcome> outcomes;
  SmallVector<std::string> keys;
};

} // namespace

void Crew::finishFirst() {
  size_t job = running.front().job;
  outcomes[job] = finish(running.front(), jobs[job].symbol, isOver);
  running.pop_front();
  if (outcomes[job].object)
    cache.store(keys[job], outcomes[job].object->getBuffer());
}

llvm::Expected<SmallVector<Outcome>> Crew::run() {
  for (auto [index, job] : llvm::enumerate(jobs)) {
    keys.push_back(cache.getKey(getSource(job)));
    if (isOver())
      continue;
    if ((outcomes[index].object = cache.find(keys[index], job.symbol + ".o"))) {
      outcomes[index].isTried = true;
      continue;
    }
    if (running.size() >= processes)
      finishFirst();
    llvm::Expected<Child> child = start(job, index);
    // Where the system lets us have fewer processes or descriptors than wanted, those there are take turns.
    while (!child && !running.empty()) {
      llvm::consumeError(child.takeError());
      finishFirst();
      child = start(job, index);
    }
    // What one kernel cannot have, none can.
    if (!child)
      return child.takeError();
    running.push_back(std::move(*child));
  }
  while (!running.empty())
    finishFirst();
  return std::move(outcomes);
}

std::vector<KernelObject> tryKernels(ArrayRef<KernelJob> jobs, unsigned processes, ObjectCache &cache,
                                     llvm::function_ref<bool()> isOver) {
  std::vector<KernelObject> objects(jobs.size());
  llvm::Expected<SmallVector<Outcome>> outcomes = Crew(jobs, processes, cache, isOver).run();
  if (!outcomes) {
    llvm::consumeError(outcomes.takeError());
    return objects;
  }
  for (auto [object, outcome] : llvm::zip_equal(objects, *outcomes))
    object = {std::move(outcome.object), outcome.isTried};
  return objects;
}

FailureOr<std::vector<std::unique_ptr<llvm::MemoryBuffer>>> compileKernels(ArrayRef<KernelJob> jobs, unsigned processes,
                                                                           ObjectCache &cache) {
  llvm::Expected<SmallVector<Outcome>> outcomes = Crew(jobs, processes, cache, [] { return false; }).run();
  if (!outcomes)
    return mlir::emitError(UnknownLoc::get(KernelOp(jobs.front().kernel).getContext()))
           << llvm::toString(outcomes.takeError());
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> objects;
  LogicalResult result = success();
  for (auto [job, outcome] : llvm::zip_equal(jobs, *outcomes)) {
    if (failed(report(job.kernel, outcome)))
      result = failure();
    objects.push_back(std::move(outcome.object));
  }
  if (failed(result))
    return failure();
  return objects;
}

} // namespace quern::codegen
