//===- TuneLaboratory.cpp - where plans of a model's kernels are measured ---------------------===//

#include "tools/driver/TuneLaboratory.h"

#include "dialect/Schedules.h"
#include "passes/tile/CostModel.h"
#include "passes/tile/MeasuredSchedules.h"
#include "runtime/measure/Arms.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using llvm::StringRef;
using quern::codegen::MemoryFile;

namespace quern::tool {

static volatile std::sig_atomic_t isInterruptPending = 0;

void keepOnInterrupt() {
  struct sigaction action = {};
  action.sa_handler = [](int) { isInterruptPending = 1; };
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaction(signal, &action, nullptr);
}

bool wasInterrupted() { return isInterruptPending != 0; }

double getSeconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

std::string TuneRun::getName() const {
  std::string name = entry;
  for (const std::string &size : sizes)
    name += " " + size;
  return depth ? name + " after " + std::to_string(depth) : name;
}

TuneLaboratory::TuneLaboratory(codegen::MeasuredModel &model, const codegen::TargetSpec &target,
                               std::vector<TuneRun> runs, unsigned threads, double begin)
    : model(model), target(target.getAttr(KernelOp(model.getKernels().front()).getContext())),
      device(target.getDeviceName()), runs(std::move(runs)), threads(threads), begin(begin) {}

double TuneLaboratory::now() { return getSeconds() - begin; }
bool TuneLaboratory::isInterrupted() { return wasInterrupted(); }

/// What the program that measures is told; see runtime/measure/Main.cpp.
std::string TuneLaboratory::describeRequest(unsigned run, StringRef mode, double deadline) const {
  const TuneRun &asked = runs[run];
  std::string text = "threads " + std::to_string(threads) + "\ndevice " + device + "\nentry " + asked.entry + "\n";
  for (const std::string &size : asked.sizes)
    text += "size " + size + "\n";
  text += "depth " + std::to_string(asked.depth) + "\nend " + std::to_string(int64_t((begin + deadline) * 1e9)) +
          "\nmode " + mode.str() + "\n";
  return text;
}

namespace {

/// A program that measures, at work.
class MeasuringProcess {
public:
  /// Starts `program`; `request` is its input.
  static llvm::Expected<std::unique_ptr<MeasuringProcess>> start(const MemoryFile &program, StringRef data,
                                                                 StringRef request);
  ~MeasuringProcess();

  /// Waits for at most `milliseconds` for more output, which it appends to `output`; false at its end.
  bool read(std::string &output, int milliseconds);
  void end() { kill(process, SIGKILL); }
  /// How it ended, as waitpid gives it.
  int wait();
  QuernMeasureState getState() const { return *state; }
  /// What it said on the standard error.
  std::string getMessage() const;

private:
  pid_t process = -1;
  int pipe = -1;
  std::optional<MemoryFile> stateFile, messages, input;
  QuernMeasureState *state = nullptr;
};

} // namespace

static llvm::Error systemError(StringRef what) {
  return llvm::createStringError(std::error_code(errno, std::generic_category()), "cannot " + what);
}

llvm::Expected<std::unique_ptr<MeasuringProcess>> MeasuringProcess::start(const MemoryFile &program, StringRef data,
                                                                          StringRef request) {
  auto child = std::make_unique<MeasuringProcess>();
  for (std::optional<MemoryFile> *file : {&child->stateFile, &child->messages, &child->input}) {
    llvm::Expected<MemoryFile> created = MemoryFile::create();
    if (!created)
      return created.takeError();
    file->emplace(std::move(*created));
  }
  if (llvm::Error error = child->stateFile->write(StringRef("\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0", 16)))
    return error;
  if (llvm::Error error = child->input->write(request))
    return error;
  static_assert(sizeof(QuernMeasureState) == 16);
  int file = open(child->stateFile->path().c_str(), O_RDWR | O_CLOEXEC);
  void *memory = mmap(nullptr, sizeof(QuernMeasureState), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  int ends[2];
  if (memory == MAP_FAILED || ::pipe2(ends, O_CLOEXEC) != 0)
    return systemError("start a program that measures");
  child->state = static_cast<QuernMeasureState *>(memory);
  child->pipe = ends[0];
  std::string path = program.path(), statePath = child->stateFile->path(), dataPath = data.str();
  char *arguments[] = {path.data(), dataPath.data(), statePath.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, child->input->path().c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, child->messages->path().c_str(), O_WRONLY, 0);
  errno = posix_spawn(&child->process, path.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (errno) {
    child->process = -1;
    return systemError("start a program that measures");
  }
  return child;
}

MeasuringProcess::~MeasuringProcess() {
  if (process > 0) {
    end();
    wait();
  }
  if (pipe >= 0)
    close(pipe);
  if (state)
    munmap(state, sizeof(QuernMeasureState));
}

bool MeasuringProcess::read(std::string &output, int milliseconds) {
  pollfd ready = {pipe, POLLIN, 0};
  if (poll(&ready, 1, milliseconds) <= 0)
    return true;
  char buffer[1 << 16];
  ssize_t size = ::read(pipe, buffer, sizeof buffer);
  if (size > 0)
    output.append(buffer, size_t(size));
  return size > 0 || (size < 0 && errno == EINTR);
}

int MeasuringProcess::wait() {
  int status = 0;
  while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR)
    continue;
  process = -1;
  return status;
}

std::string MeasuringProcess::getMessage() const {
  auto text = messages->read("messages");
  if (!text) {
    llvm::consumeError(text.takeError());
    return "";
  }
  return (*text)->getBuffer().trim().str();
}

/// Takes the whole lines from `text` and hands each to `onLine`, in words.
static void takeLines(std::string &text, llvm::function_ref<void(llvm::ArrayRef<StringRef>)> onLine) {
  StringRef rest = text;
  while (rest.contains('\n')) {
    auto [line, next] = rest.split('\n');
    llvm::SmallVector<StringRef> words;
    line.split(words, ' ', -1, /*KeepEmpty=*/false);
    if (!words.empty())
      onLine(words);
    rest = next;
  }
  text.erase(0, text.size() - rest.size());
}

/// Whether a program ended by what its own code did, not because somebody wanted it to.
static bool hasCrashed(int status) {
  return WIFSIGNALED(status) &&
         llvm::is_contained({SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}, WTERMSIG(status));
}

TuneLaboratory::Ending TuneLaboratory::execute(unsigned run, llvm::ArrayRef<codegen::MeasuredArm> arms, StringRef mode,
                                               double deadline,
                                               llvm::function_ref<void(llvm::ArrayRef<StringRef>)> onLine) {
  // A launch that takes so long does not end; neither does a program that is so late.
  constexpr double longestLaunch = 10, latest = 10;
  Ending ending;
  llvm::Expected<MemoryFile> program = model.link(arms);
  llvm::Expected<std::unique_ptr<MeasuringProcess>> started =
      program ? MeasuringProcess::start(*program, model.getDataPath(), describeRequest(run, mode, deadline))
              : program.takeError();
  if (!started) {
    ending.message = complaint = llvm::toString(started.takeError());
    return ending;
  }
  MeasuringProcess &process = **started;
  std::string output;
  uint64_t launches = 0;
  double since = now();
  bool isEnded = false;
  while (process.read(output, 100)) {
    takeLines(output, onLine);
    QuernMeasureState state = process.getState();
    if (std::exchange(launches, state.launches) != state.launches || state.kernel < 0)
      since = now();
    bool isStuck = now() - since > longestLaunch;
    isEnded = isStuck || isInterrupted() || now() > deadline + latest;
    if (!isEnded)
      continue;
    process.end();
    if (isStuck) {
      ending.culprit = {unsigned(state.kernel), unsigned(state.arm)};
      ending.hasHung = true;
    }
    break;
  }
  QuernMeasureState state = process.getState();
  int status = process.wait();
  ending.isGood = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  // On a device a launch that fails ends the program with an error.
  bool hasFailed = hasCrashed(status) || (WIFEXITED(status) && !ending.isGood);
  if (!isEnded && hasFailed && state.kernel >= 0)
    ending.culprit = {unsigned(state.kernel), unsigned(state.arm)};
  ending.message = process.getMessage();
  if (ending.message.empty() && WIFSIGNALED(status))
    ending.message = std::string("the program that measures died of `") + strsignal(WTERMSIG(status)) + "`";
  takeLines(output, onLine);
  if (!ending.isGood && !isEnded && !ending.culprit)
    complaint = ending.message;
  return ending;
}

static double toNumber(StringRef word) {
  double number = 0;
  return word.getAsDouble(number) ? 0 : number;
}

void TuneLaboratory::addKernel(unsigned kernel, unsigned run, llvm::ArrayRef<double> profile, ScheduleAttr first) {
  constexpr size_t mostPlans = 400;
  KernelOp op = model.getKernels()[kernel];
  ScheduleKind kind = getScheduleKind(target);
  std::vector<CandidatePlan> plans = listPlans(op, target);
  // Without tuning it has the plan that it was compiled with, which rows of an installation may have given it.
  auto isOwn = [&](const CandidatePlan &plan) {
    return makeSchedule(op.getContext(), op.getForm(), kind, plan.values) == op.getScheduleAttr();
  };
  if (auto own = llvm::find_if(plans, isOwn); own != plans.end()) {
    std::rotate(plans.begin(), own, own + 1);
  } else {
    // One that the model would not have tried.
    CandidatePlan given{{}, plans.front().cost};
    for (const Knob &knob : getKnobs(op.getForm(), kind))
      given.values.push_back(*op.getSchedule()->getInt(knob.name));
    plans.insert(plans.begin(), given);
  }
  tuner::KernelSpace space;
  space.name = op.getSymName().str();
  space.family = getFamily(op, target);
  space.run = run;
  space.launches = unsigned(profile[0]);
  space.time = profile[1];
  space.bound = profile[4];
  Space own{kernel, {}};
  for (const CandidatePlan &plan : llvm::ArrayRef(plans).take_front(mostPlans)) {
    ScheduleAttr schedule = makeSchedule(op.getContext(), op.getForm(), kind, plan.values);
    std::vector<int64_t> places;
    for (auto [knob, value] : llvm::zip_equal(getKnobs(op.getForm(), kind), plan.values))
      places.push_back(llvm::find(knob.legal, value) - knob.legal.begin());
    // What another file found is believed to be better than all else.
    space.costs.push_back(schedule == first ? 0.9 * plans.front().cost : plan.cost);
    space.plans.push_back(std::move(places));
    own.plans.push_back(schedule);
  }
  problem.kernels.push_back(std::move(space));
  spaces.push_back(std::move(own));
}

Trials TuneLaboratory::getTrials(unsigned index, const tuner::KernelResult &result) const {
  KernelOp kernel = getKernel(index);
  auto describe = [&](unsigned candidate) {
    llvm::SmallVector<int64_t> values;
    for (const Knob &knob : getKnobs(kernel.getForm(), getScheduleKind(target)))
      values.push_back(*getSchedule({index, candidate}).getInt(knob.name));
    return describePlan(kernel, values, target);
  };
  Features base = describe(0);
  Trials trials{problem.kernels[index].family, {base.getNames().begin(), base.getNames().end()}, {}};
  // What was seen too seldom to say how wrong it may be teaches nothing.
  constexpr double mostVariance = 0.25;
  for (const tuner::Observation &seen : result.observations)
    if (seen.candidate != 0 && seen.variance < mostVariance && trials.plans.size() < ScheduleDatabase::maxTrials) {
      // Four digits are more than a measurement has.
      auto round = [](double value) { return std::round(value * 1e4) / 1e4; };
      trials.plans.push_back({toPlan(getSchedule({index, seen.candidate})), round(std::exp(seen.value)),
                              round(std::sqrt(seen.variance)), describe(seen.candidate).minus(base)});
    }
  return trials;
}

llvm::Error TuneLaboratory::prepare(const llvm::Regex *wanted, const std::map<unsigned, ScheduleAttr> &first,
                                    double deadline) {
  // What each kernel takes in the run in which it takes most.
  std::map<unsigned, std::pair<unsigned, std::vector<double>>> profiles;
  for (unsigned run = 0; run < runs.size(); ++run) {
    llvm::SmallVector<double> times;
    Ending ending = execute(run, {}, "profile", deadline, [&](llvm::ArrayRef<StringRef> words) {
      if (words[0] == "device")
        deviceName = llvm::join(words.drop_front(), " ");
      if (words[0] == "run" && words.size() == 2)
        times.push_back(toNumber(words[1]));
      if (words[0] != "kernel" || words.size() != 7)
        return;
      std::vector<double> numbers;
      for (StringRef word : words.drop_front(2))
        numbers.push_back(toNumber(word));
      auto &profile = profiles[unsigned(toNumber(words[1]))];
      if (profile.second.empty() || profile.second[1] < numbers[1])
        profile = {run, numbers};
    });
    if (!ending.isGood || times.empty())
      return llvm::createStringError("cannot run `" + runs[run].getName() +
                                     "`: " + (ending.message.empty() ? "it did not end" : ending.message));
    llvm::sort(times);
    problem.runs.push_back({runs[run].getName(), times[times.size() / 2]});
  }
  for (const auto &[kernel, profile] : profiles) {
    KernelOp op = model.getKernels()[kernel];
    if (wanted && !wanted->match(op.getSymName()))
      continue;
    auto found = first.find(kernel);
    indices[kernel] = unsigned(problem.kernels.size());
    addKernel(kernel, profile.first, profile.second, found == first.end() ? ScheduleAttr() : found->second);
  }
  return llvm::Error::success();
}

std::vector<tuner::Fate> TuneLaboratory::build(llvm::ArrayRef<tuner::Arm> arms, double deadline) {
  std::vector<codegen::Candidate> candidates;
  std::vector<size_t> places;
  std::vector<tuner::Fate> fates(arms.size(), tuner::Fate::Fine);
  for (auto [i, arm] : llvm::enumerate(arms))
    if (arm.candidate != 0 && !objects.count({arm.kernel, arm.candidate})) {
      candidates.push_back({spaces[arm.kernel].kernel, getSchedule(arm)});
      places.push_back(i);
    }
  std::vector<codegen::KernelObject> built =
      model.compile(candidates, [&] { return now() > deadline || isInterrupted(); });
  for (auto [place, object] : llvm::zip_equal(places, built)) {
    fates[place] = object.object ? tuner::Fate::Fine : object.isTried ? tuner::Fate::Refused : tuner::Fate::Untried;
    if (object.object)
      objects[{arms[place].kernel, arms[place].candidate}] = std::move(object.object);
  }
  return fates;
}

double TuneLaboratory::estimateBuildTime(unsigned builders) {
  constexpr size_t tried = 8;
  std::vector<unsigned> kernels;
  for (unsigned i = 0; i < spaces.size(); ++i)
    if (spaces[i].plans.size() > 1)
      kernels.push_back(i);
  llvm::stable_sort(kernels, [&](unsigned a, unsigned b) { return problem.kernels[a].time > problem.kernels[b].time; });
  kernels.resize(std::min(kernels.size(), tried));
  std::vector<tuner::Arm> arms;
  for (unsigned kernel : kernels)
    arms.push_back({kernel, 1});
  double start = now();
  build(arms, std::numeric_limits<double>::infinity());
  return arms.empty() ? 0 : (now() - start) * double(builders) / double(arms.size());
}

std::vector<codegen::MeasuredArm> TuneLaboratory::getArms(llvm::ArrayRef<tuner::Trial> trials) const {
  std::vector<codegen::MeasuredArm> arms;
  for (const tuner::Trial &trial : trials)
    for (unsigned candidate : llvm::ArrayRef(trial.candidates).drop_front())
      arms.push_back({spaces[trial.kernel].kernel, objects.at({trial.kernel, candidate})->getMemBufferRef()});
  return arms;
}

tuner::Measurement TuneLaboratory::measure(unsigned run, llvm::ArrayRef<tuner::Trial> trials, double deadline) {
  tuner::Measurement measurement;
  llvm::DenseMap<unsigned, const tuner::Trial *> byKernel;
  for (const tuner::Trial &trial : trials)
    byKernel[trial.kernel] = &trial;
  double start = now();
  auto fail = [&](unsigned kernel, unsigned arm, tuner::Fate fate) {
    auto index = indices.find(kernel);
    const tuner::Trial *trial = index == indices.end() ? nullptr : byKernel.lookup(index->second);
    bool isTried = trial && arm > 0 && arm < trial->candidates.size();
    if (isTried)
      measurement.failures.push_back({{trial->kernel, trial->candidates[arm]}, fate});
    return isTried;
  };
  Ending ending = execute(run, getArms(trials), "trials", deadline, [&](llvm::ArrayRef<StringRef> words) {
    if (words[0] == "ready") {
      measurement.setup = now() - start;
    } else if (words[0] == "differs" && words.size() == 3) {
      fail(unsigned(toNumber(words[1])), unsigned(toNumber(words[2])), tuner::Fate::Differs);
    } else if (words[0] == "block" && words.size() > 2) {
      auto index = indices.find(unsigned(toNumber(words[1])));
      if (index == indices.end() || !byKernel.lookup(index->second))
        return;
      tuner::Block block{index->second, {}};
      for (StringRef word : words.drop_front(2))
        block.times.push_back(toNumber(word));
      measurement.blocks.push_back(std::move(block));
    }
  });
  tuner::Fate fate = ending.hasHung ? tuner::Fate::Hung : tuner::Fate::Died;
  // A default plan that fails is nothing to learn from.
  if (ending.culprit && !fail(ending.culprit->first, ending.culprit->second, fate))
    complaint = ending.message;
  return measurement;
}

std::vector<std::pair<double, double>> TuneLaboratory::compare(unsigned run, llvm::ArrayRef<tuner::Arm> chosen,
                                                               double deadline) {
  std::vector<tuner::Trial> trials;
  for (tuner::Arm arm : chosen)
    if (arm.candidate != 0)
      trials.push_back({arm.kernel, {0, arm.candidate}});
  std::vector<std::pair<double, double>> pairs;
  Ending ending = execute(run, getArms(trials), "pairs", deadline, [&](llvm::ArrayRef<StringRef> words) {
    if (words[0] == "pair" && words.size() == 3)
      pairs.emplace_back(toNumber(words[1]), toNumber(words[2]));
  });
  if (!ending.isGood)
    pairs.clear();
  return pairs;
}

} // namespace quern::tool
