//===- TuneModel.cpp - `quern tune MODEL` -----------------------------------------------------===//

#include "tools/driver/TuneModel.h"

#include "tools/driver/MedianGain.h"
#include "tools/driver/TuneLaboratory.h"

#include "codegen/Program.h"
#include "dialect/Schedules.h"
#include "passes/Signature.h"
#include "passes/tile/MeasuredSchedules.h"
#include "passes/tile/ScheduleFit.h"
#include "quern/Version.h"
#include "runtime/CpuFeatures.h"
#include "runtime/Guarded.h"
#include "runtime/Inputs.h"
#include "runtime/Limits.h"
#include "runtime/OutputFile.h"
#include "runtime/devices/Device.h"
#include "tuner/Duration.h"
#include "tuner/Search.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/WithColor.h"

#include <CLI/CLI.hpp>

#include <cmath>
#include <unistd.h>

using namespace mlir;
using llvm::StringRef;

namespace quern::tool {
namespace {

/// What a shell gives a command that an interrupt ended.
constexpr int interruptedStatus = 130;

/// One run of `quern tune MODEL`.
class TuneSession {
public:
  explicit TuneSession(const TuneOptions &options) : options(options), compiler(options), begin(getSeconds()) {}

  ExitStatus run();

private:
  LogicalResult checkUsage();
  LogicalResult checkMachine();
  LogicalResult checkFiles();
  LogicalResult prepare();
  llvm::Expected<std::vector<TuneRun>> chooseRuns();
  int64_t countRows(ProgramOp program);
  int64_t getLargest(ProgramOp program, StringRef name);
  TuneRun makeRun(ProgramOp program, StringRef name, int64_t size);
  std::map<unsigned, ScheduleAttr> findFirst();
  bool isOver() const { return wasInterrupted() || getSeconds() - begin > end; }
  LogicalResult refuseLateness() const;
  LogicalResult write(const tuner::SearchResult &result, size_t &rows);
  void showProgress(const tuner::Progress &progress);
  void fill(ScheduleDatabase &database, const tuner::SearchResult &result);
  ScheduleKey getKey(KernelOp kernel) const;
  unsigned countTried(unsigned run, const tuner::SearchResult &result) const;
  void report(const tuner::SearchResult &result, size_t rows);
  void reportJson(const tuner::SearchResult &result);
  void describePlan();

  const TuneOptions &options;
  Compiler compiler;
  double begin, end = 0;
  double lastProgress = 0;
  bool hasProgress = false;
  std::optional<llvm::Regex> wanted;
  std::vector<std::pair<std::string, int64_t>> sizes;
  unsigned threads = 1;
  OwningOpRef<ModuleOp> module;
  std::optional<ScheduleDatabase> from;
  std::unique_ptr<codegen::MeasuredModel> model;
  std::unique_ptr<TuneLaboratory> laboratory;
  runtime::Roofline roofline;
};

} // namespace

LogicalResult TuneSession::checkUsage() {
  runtime::Result<double> duration = tuner::parseDuration(options.time);
  if (!duration)
    return refuse("`--time`: " + duration.error().message);
  end = *duration;
  if (failed(compiler.checkUsage()))
    return failure();
  if (compiler.getTargets().size() != 1)
    return refuse("`--target` is `" + options.targets + "`, expected one name");
  for (const std::string &text : options.sizes) {
    auto [name, number] = StringRef(text).split('=');
    int64_t size = 0;
    if (name.empty() || number.getAsInteger(10, size) || size < 1 || size > INT32_MAX)
      return refuse("`--size` is `" + text + "`, expected NAME=N, N at least 1");
    sizes.emplace_back(name.str(), size);
  }
  if (!options.kernels.empty()) {
    wanted.emplace(options.kernels);
    std::string reason;
    if (!wanted->isValid(reason))
      return refuse("`--kernel` is `" + options.kernels + "`, no regular expression: " + reason);
  }
  // Beside a device, one thread asks for what it is to do.
  bool isDevice = compiler.getTargets().front().isDevice();
  threads = isDevice ? 1 : options.threads ? options.threads : llvm::hardware_concurrency().compute_thread_count();
  return success();
}

/// Plans are measured by running them.
LogicalResult TuneSession::checkMachine() {
  const codegen::TargetSpec &target = compiler.getTargets().front();
  for (StringRef feature : target.getFeatures())
    if (!runtime::hasCpuFeature(std::string_view(feature)))
      return refuse("this processor cannot run `" + target.name + "`: it lacks `" + feature + "`");
  if (!target.isDevice())
    return success();
  // In a process of its own: a driver that was started does not go along into those that compile kernels. Drivers map
  // much more than they use, and some take seconds to start.
  constexpr runtime::GuardLimits limits{.memoryBytes = uint64_t{1} << 46, .cpuSeconds = 60, .clockSeconds = 60};
  auto start = [&]() -> runtime::Result<std::string> {
    auto device = runtime::createDevice(std::string_view(target.getDeviceName()));
    return device ? runtime::Result<std::string>("") : device.error();
  };
  if (runtime::Result<std::string> started = runtime::runGuarded(start, limits); !started)
    return refuse(started.error().message);
  return success();
}

/// Files that are wrong, or a place that cannot be written, are found before the work.
LogicalResult TuneSession::checkFiles() {
  if (!options.from.empty()) {
    llvm::Expected<ScheduleDatabase> read = ScheduleDatabase::read(options.from);
    if (!read)
      return refuse(read.takeError());
    from = std::move(*read);
  }
  if (options.dryRun)
    return success();
  if (runtime::Result<void> valid = runtime::checkOutput(options.output); !valid)
    return refuse(valid.error().message);
  if (access(options.output.c_str(), F_OK) == 0)
    if (llvm::Expected<ScheduleDatabase> old = ScheduleDatabase::read(options.output); !old)
      return refuse(old.takeError());
  return success();
}

/// The symbol that says how many tokens or images a run of `program` takes; null where it has no symbols.
static StringAttr getMainSymbol(ProgramOp program) {
  for (Type type : program.getArgumentTypes()) {
    RankedTensorType tensor = cast<BufferType>(type).getTensor();
    if (isa<PositionType>(tensor.getElementType()) && !getDims(tensor).front().isStatic())
      return getDims(tensor).front().name();
  }
  llvm::SmallVector<StringAttr> symbols = codegen::getSymbols(program);
  return symbols.empty() ? StringAttr() : symbols.front();
}

static bool hasPositions(ProgramOp program) {
  return llvm::any_of(program.getArgumentTypes(),
                      [](Type type) { return isa<PositionType>(cast<BufferType>(type).getTensor().getElementType()); });
}

/// How many rows the shortest cache has, where `program` has positions; else no fewer than there can be.
int64_t TuneSession::countRows(ProgramOp program) {
  int64_t rows = INT32_MAX;
  for (auto state : module->getOps<StateOp>())
    if (state.isCache() && hasPositions(program))
      rows = std::min(rows, state.getTensorType().getDimSize(0));
  return rows;
}

/// The largest value of symbol `name` that runs of `program` can have; 0 where it has no such symbol.
int64_t TuneSession::getLargest(ProgramOp program, StringRef name) {
  DictionaryAttr bounds = program.getBoundsAttr();
  auto bound = bounds ? bounds.getAs<IntegerAttr>(name) : IntegerAttr();
  return std::min(bound ? bound.getInt() : 0, countRows(program));
}

/// A run with `size` for symbol `name`, after some tokens where it has few itself. All other sizes are 1.
TuneRun TuneSession::makeRun(ProgramOp program, StringRef name, int64_t size) {
  constexpr int64_t before = 256, few = 8;
  TuneRun run{program.getSymName().str(), {}, 0};
  for (StringAttr symbol : codegen::getSymbols(program))
    run.sizes.push_back(symbol.str() + "=" + std::to_string(symbol == name ? size : 1));
  if (hasPositions(program) && size <= few)
    run.depth = std::max<int64_t>(std::min(before, countRows(program) - size), 0);
  return run;
}

/// The runs of all entries: those that are asked for; where none are, one token and a prompt, or one image and a batch.
llvm::Expected<std::vector<TuneRun>> TuneSession::chooseRuns() {
  constexpr int64_t prompt = 128, batch = 8;
  std::vector<TuneRun> runs;
  auto add = [&](TuneRun run) {
    if (llvm::none_of(runs, [&](const TuneRun &other) { return other.getName() == run.getName(); }))
      runs.push_back(std::move(run));
  };
  llvm::SmallVector<ProgramOp> programs;
  for (auto program : module->getOps<ProgramOp>())
    if (!program.getVariantOfAttr())
      programs.push_back(program);
  for (ProgramOp program : programs) {
    StringAttr main = getMainSymbol(program);
    if (!main)
      add(makeRun(program, "", 1));
    else if (sizes.empty())
      for (int64_t size : {int64_t(1), hasPositions(program) ? prompt : batch})
        add(makeRun(program, main, std::min(size, getLargest(program, main))));
  }
  for (const auto &[name, size] : sizes) {
    int64_t largest = 0;
    for (ProgramOp program : programs) {
      int64_t own = getLargest(program, name);
      largest = std::max(largest, own);
      if (size <= own)
        add(makeRun(program, name, size));
    }
    if (largest == 0)
      return llvm::createStringError("`--size` names `" + name + "`, which no entry of `" + options.model + "` has");
    if (size > largest)
      return llvm::createStringError("`--size` is `" + name + "=" + llvm::Twine(size) + "`, expected 1 to " +
                                     llvm::Twine(largest));
  }
  return runs;
}

/// The plans that the database of `--from` has for the kernels, by their index.
std::map<unsigned, ScheduleAttr> TuneSession::findFirst() {
  std::map<unsigned, ScheduleAttr> first;
  if (!from)
    return first;
  MeasuredSchedules measured(std::move(*from), options.from);
  TargetAttr target = compiler.getTargets().front().getAttr(compiler.getContext());
  for (auto [i, kernel] : llvm::enumerate(model->getKernels()))
    if (auto found = measured.find(kernel, target))
      first[i] = found->schedule;
  return first;
}

LogicalResult TuneSession::prepare() {
  const codegen::TargetSpec &target = compiler.getTargets().front();
  FailureOr<OwningOpRef<ModuleOp>> lowered = compiler.lower(target, Phase::Kernels);
  if (failed(lowered))
    return failure();
  module = std::move(*lowered);
  llvm::Expected<std::vector<TuneRun>> runs = chooseRuns();
  if (!runs)
    return refuse(runs.takeError());
  if (runs->empty())
    return refuse("`" + options.model + "` has no entry to run");
  llvm::SmallString<128> directory(llvm::sys::path::parent_path(options.output));
  auto measured = compiler.makeMeasured(target, *module, directory.empty() ? StringRef(".") : StringRef(directory),
                                        [&] { return isOver(); });
  if (isOver())
    return refuseLateness();
  if (failed(measured))
    return failure();
  model = std::move(*measured);
  if (model->getKernels().empty())
    return refuse("`" + options.model + "` has no kernels");
  compiler.getTiming().begin("profile");
  // What a device can do at most is not measured: no kernel is known to be near it.
  if (!target.isDevice())
    roofline = runtime::measureRoofline(threads);
  laboratory = std::make_unique<TuneLaboratory>(*model, target, std::move(*runs), threads, begin);
  if (llvm::Error error = laboratory->prepare(wanted ? &*wanted : nullptr, findFirst(), end)) {
    if (!isOver())
      return refuse(std::move(error));
    llvm::consumeError(std::move(error));
    return refuseLateness();
  }
  if (laboratory->getProblem().kernels.empty())
    return refuse("`--kernel` is `" + options.kernels + "`, which matches no kernel that runs");
  compiler.getTiming().begin("search");
  return success();
}

/// The end came before anything could be measured; of an interrupt nothing is said.
LogicalResult TuneSession::refuseLateness() const {
  if (wasInterrupted())
    return failure();
  return refuse("`--time` is `" + options.time +
                "`, which was over before anything could be measured; expected more: " +
                llvm::Twine(int64_t(std::ceil(getSeconds() - begin))) + " s went by");
}

LogicalResult TuneSession::write(const tuner::SearchResult &result, size_t &rows) {
  llvm::Error written = ScheduleDatabase::update(options.output, [&](ScheduleDatabase &database) {
    fill(database, result);
    fitModels(database);
    rows = database.rows.size();
    return llvm::Error::success();
  });
  return written ? refuse(std::move(written)) : success();
}

/// A line on the standard error: again and again in its place on a terminal, every ten seconds elsewhere.
void TuneSession::showProgress(const tuner::Progress &progress) {
  bool isTerminal = isatty(STDERR_FILENO);
  double now = getSeconds();
  if (now - lastProgress < (isTerminal ? 0.2 : 10))
    return;
  lastProgress = now;
  hasProgress = true;
  llvm::errs() << (isTerminal ? "\r\033[K" : "")
               << llvm::format("quern: %u of %u kernels done, %.0f s left, %.3f times as fast so far", progress.done,
                               progress.kernels, std::max(progress.left, 0.0), progress.gain)
               << (isTerminal ? "" : "\n");
}

ScheduleKey TuneSession::getKey(KernelOp kernel) const {
  const codegen::TargetSpec &target = compiler.getTargets().front();
  int64_t version = getScheduleVersion(kernel.getForm(), getScheduleKind(target.getAttr(kernel.getContext())));
  return {getFullDigest(kernel), stringifyKernelForm(kernel.getForm()).str(), version, target.name.str(), threads};
}

/// Times in whole nanoseconds, of many an even choice.
static TimePairs toPairs(llvm::ArrayRef<std::pair<double, double>> samples) {
  constexpr size_t most = 64;
  TimePairs pairs;
  size_t count = std::min(samples.size(), most);
  for (size_t i = 0; i < count; ++i) {
    const auto &[base, plan] = samples[i * samples.size() / count];
    if (std::isfinite(base) && std::isfinite(plan))
      pairs.emplace_back(std::max<int64_t>(std::llround(base), 1), std::max<int64_t>(std::llround(plan), 1));
  }
  return pairs;
}

/// The name of this machine's processor, as Linux gives it.
static std::string findProcessor() {
  auto file = llvm::MemoryBuffer::getFileAsStream("/proc/cpuinfo");
  if (file)
    for (llvm::line_iterator line(**file); !line.is_at_end(); ++line)
      if (auto [key, value] = line->split(':'); key.trim() == "model name")
        return value.trim().str();
  return "unknown";
}

/// A line of a file of the system's about cache number `index` of the first processor; empty without one.
static std::string readCacheFact(int index, StringRef name) {
  auto file =
      llvm::MemoryBuffer::getFileAsStream("/sys/devices/system/cpu/cpu0/cache/index" + llvm::Twine(index) + "/" + name);
  return file ? (*file)->getBuffer().trim().str() : "";
}

static Machine describeMachine() {
  Machine machine{findProcessor(), std::max<int64_t>(sysconf(_SC_NPROCESSORS_ONLN), 1), 0, 0, 0};
  for (int index = 0; index < 8; ++index) {
    std::string size = readCacheFact(index, "size"), level = readCacheFact(index, "level");
    int64_t kilobytes = 0;
    if (readCacheFact(index, "type") == "Instruction" || !StringRef(size).consume_back("K") ||
        StringRef(size).drop_back().getAsInteger(10, kilobytes))
      continue;
    if (level == "1" || level == "2" || level == "3")
      (level == "1" ? machine.l1Bytes : level == "2" ? machine.l2Bytes : machine.l3Bytes) = kilobytes << 10;
  }
  return machine;
}

/// What was found, and what was found to be best as it is.
void TuneSession::fill(ScheduleDatabase &database, const tuner::SearchResult &result) {
  MachineLimits limits;
  if (roofline.bandwidth > 0)
    limits["memory"] = roofline.bandwidth;
  for (auto kind : {runtime::Arithmetic::F32, runtime::Arithmetic::I8, runtime::Arithmetic::BF16})
    if (double peak = roofline.peaks[size_t(kind)]; peak > 0)
      limits[runtime::toString(kind)] = peak;
  ScheduleDatabase found;
  found.versions = {runtime::getVersion(), LLVM_VERSION_STRING,
                    (llvm::Twine(HALIDE_VERSION_MAJOR) + "." + llvm::Twine(HALIDE_VERSION_MINOR) + "." +
                     llvm::Twine(HALIDE_VERSION_PATCH))
                        .str()};
  bool isDevice = compiler.getTargets().front().isDevice();
  found.machines[isDevice ? Machine{laboratory->getDeviceName().str(), 1, 0, 0, 0} : describeMachine()] = limits;
  for (auto [i, kernel] : llvm::enumerate(result.kernels)) {
    bool wasTried = llvm::is_contained(llvm::ArrayRef(kernel.fates).drop_front(), tuner::Fate::Fine);
    bool isKept = kernel.chosen && !kernel.samples.empty();
    if (!isKept && !(wasTried && !result.isInterrupted))
      continue;
    KernelOp op = laboratory->getKernel(i);
    unsigned chosen = isKept ? kernel.chosen : 0;
    ScheduleRow row;
    row.kernel = op.getSymName().str();
    row.plan = toPlan(laboratory->getSchedule({unsigned(i), chosen}));
    row.base = toPlan(laboratory->getSchedule({unsigned(i), 0}));
    if (chosen)
      row.samples = toPairs(kernel.samples);
    row.trials = laboratory->getTrials(i, kernel);
    found.add(getKey(op), std::move(row));
  }
  for (auto [i, run] : llvm::enumerate(result.runs))
    if (run.isKept) {
      const TuneRun &asked = laboratory->getRuns()[i];
      std::string text = llvm::join(asked.sizes, ",") + (asked.depth ? " after " + std::to_string(asked.depth) : "");
      EntryKey key{llvm::sys::path::stem(options.model).str(), asked.entry, text,
                   compiler.getTargets().front().name.str(), threads};
      found.add(key, EntryGain{toPairs(run.samples)});
    }
  database.merge(found);
}

static unsigned countFates(const tuner::SearchResult &result, tuner::Fate fate) {
  unsigned count = 0;
  for (const tuner::KernelResult &kernel : result.kernels)
    count += llvm::count(llvm::ArrayRef(kernel.fates).drop_front(), fate);
  return count;
}

/// Plans that were measured of the kernels of a run.
unsigned TuneSession::countTried(unsigned run, const tuner::SearchResult &result) const {
  unsigned tried = 0;
  for (auto [space, kernel] : llvm::zip_equal(laboratory->getProblem().kernels, result.kernels))
    if (space.run == run)
      tried += llvm::count(llvm::ArrayRef(kernel.fates).drop_front(), tuner::Fate::Fine);
  return tried;
}

void TuneSession::report(const tuner::SearchResult &result, size_t rows) {
  llvm::raw_ostream &os = llvm::outs();
  const tuner::Problem &problem = laboratory->getProblem();
  bool isFaster = false;
  for (auto [i, run] : llvm::enumerate(result.runs)) {
    os << problem.runs[i].name << llvm::format(": %.3f ms by default", problem.runs[i].time * 1e-6);
    isFaster |= run.isKept;
    if (run.isKept)
      os << llvm::format(", %.3f times as fast with the measured plans, in %zu pairs of runs\n",
                         getMedianGain(run.samples), run.samples.size());
    else
      os << (countTried(i, result) ? ", which nothing that was tried makes faster\n"
                                   : ", of which there was nothing to try, or no time for it\n");
  }
  unsigned changed = 0, atBound = 0;
  for (const tuner::KernelResult &kernel : result.kernels) {
    changed += kernel.chosen != 0;
    atBound += kernel.isAtBound;
  }
  os << llvm::format("%u of %zu kernels have another plan, %u are within a twentieth of what the machine can do; ",
                     changed, result.kernels.size(), atBound)
     << countFates(result, tuner::Fate::Fine) << " plans were measured";
  for (auto [fate, words] : {std::pair(tuner::Fate::Refused, "did not compile"),
                             {tuner::Fate::Died, "died"},
                             {tuner::Fate::Hung, "did not end"},
                             {tuner::Fate::Differs, "computed other bits"}})
    if (unsigned count = countFates(result, fate))
      os << ", " << count << " " << words;
  os << llvm::format("\n%zu rows in `", rows) << options.output << "`"
     << (isFaster ? "; `quern compile --tuned " + options.output + "` uses them\n" : "\n");
}

void TuneSession::reportJson(const tuner::SearchResult &result) {
  llvm::json::Array runs, kernels;
  const tuner::Problem &problem = laboratory->getProblem();
  for (auto [i, run] : llvm::enumerate(result.runs))
    runs.push_back(llvm::json::Object{{"run", problem.runs[i].name},
                                      {"default_ns", problem.runs[i].time},
                                      {"kept", run.isKept},
                                      {"gain", run.isKept ? getMedianGain(run.samples) : 1.0},
                                      {"tried", int64_t(countTried(i, result))},
                                      {"pairs", int64_t(run.samples.size())}});
  for (auto [i, kernel] : llvm::enumerate(result.kernels)) {
    llvm::json::Object base, plan;
    for (const auto &[name, value] : toPlan(laboratory->getSchedule({unsigned(i), 0})))
      base[name] = value;
    for (const auto &[name, value] : toPlan(laboratory->getSchedule({unsigned(i), kernel.chosen})))
      plan[name] = value;
    unsigned tried = llvm::count(llvm::ArrayRef(kernel.fates).drop_front(), tuner::Fate::Fine);
    kernels.push_back(llvm::json::Object{{"kernel", problem.kernels[i].name},
                                         {"run", problem.runs[problem.kernels[i].run].name},
                                         {"default_ns", problem.kernels[i].time},
                                         {"bound_ns", problem.kernels[i].bound},
                                         {"default", std::move(base)},
                                         {"plan", std::move(plan)},
                                         {"gain", kernel.chosen ? getMedianGain(kernel.samples) : 1.0},
                                         {"tried", int64_t(tried)},
                                         {"at_bound", kernel.isAtBound}});
  }
  llvm::json::Object object{{"target", compiler.getTargets().front().name},
                            {"threads", threads},
                            {"seconds", getSeconds() - begin},
                            {"interrupted", result.isInterrupted},
                            {"output", options.output},
                            {"runs", std::move(runs)},
                            {"kernels", std::move(kernels)}};
  llvm::outs() << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object)));
}

/// What would be searched: for each run its kernels, those first that take longest.
void TuneSession::describePlan() {
  const tuner::Problem &problem = laboratory->getProblem();
  llvm::raw_ostream &os = llvm::outs();
  size_t plans = 0;
  for (auto [r, run] : llvm::enumerate(problem.runs)) {
    os << run.name << llvm::format(": %.3f ms\n", run.time * 1e-6);
    std::vector<const tuner::KernelSpace *> kernels;
    for (const tuner::KernelSpace &kernel : problem.kernels)
      if (kernel.run == r)
        kernels.push_back(&kernel);
    llvm::stable_sort(kernels, [](const auto *a, const auto *b) { return a->time > b->time; });
    for (const tuner::KernelSpace *kernel : kernels) {
      plans += kernel->costs.size() - 1;
      os << llvm::format("  %5.1f %% of it, at least %5.1f %% of that; %4zu plans: ", 100 * kernel->time / run.time,
                         100 * std::min(kernel->bound / kernel->time, 1.0), kernel->costs.size() - 1)
         << kernel->name << "\n";
    }
  }
  unsigned builders = compiler.getProcesses();
  double seconds = laboratory->estimateBuildTime(builders);
  os << plans << " plans besides the default ones; to compile one takes "
     << llvm::format("%.2f s of a processor, all of them %.0f s of %u, besides measuring them. `--time` is %.0f s",
                     seconds, seconds * double(plans) / builders, builders, end)
     << ": the most promising are tried\n";
}

ExitStatus TuneSession::run() {
  constexpr auto interrupted = static_cast<ExitStatus>(interruptedStatus);
  if (failed(checkUsage()))
    return ExitStatus::Usage;
  if (!options.dryRun)
    keepOnInterrupt();
  size_t rows = 0;
  if (failed(checkMachine()) || failed(compiler.readModel()) || failed(checkFiles()) || failed(prepare())) {
    if (!wasInterrupted())
      return ExitStatus::Refused;
    return failed(write({}, rows)) ? ExitStatus::Refused : interrupted;
  }
  if (options.dryRun) {
    describePlan();
    return ExitStatus::Success;
  }
  tuner::SearchOptions search;
  search.end = end;
  search.builders = compiler.getProcesses();
  search.progress = [&](const tuner::Progress &progress) { showProgress(progress); };
  tuner::SearchResult result = tuner::search(laboratory->getProblem(), *laboratory, search);
  if (hasProgress && isatty(STDERR_FILENO))
    llvm::errs() << "\r\033[K";
  if (!laboratory->getComplaint().empty())
    warn(("measuring failed at times: " + laboratory->getComplaint()).str());
  if (failed(write(result, rows)))
    return ExitStatus::Refused;
  options.json ? reportJson(result) : report(result, rows);
  return result.isInterrupted ? interrupted : ExitStatus::Success;
}

void addTuneOptions(CLI::App &command, TuneOptions &options) {
  // What is measured gets token ids.
  options.noText = true;
  addCompilerOptions(command, options);
  command.add_option("--time", options.time, "How long all may take, as 90s, 10m or 2h")->capture_default_str();
  command
      .add_option("--size", options.sizes, "NAME=N,…: what entries are run with, one run each; all other sizes are 1")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("-o", options.output, "The database to write, or to add to")->capture_default_str();
  command.add_option("--from", options.from, "A database whose plans are tried first");
  command.add_option("--kernel", options.kernels, "Only kernels whose names this regular expression matches");
  command
      .add_option("--threads", options.threads, "Threads that run the model while it is measured; 0: one per processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_flag("--json", options.json, "Print what was found in JSON");
  command.add_flag("--dry-run", options.dryRun, "Say what would be searched, and search nothing");
}

ExitStatus tuneModel(const TuneOptions &options) { return TuneSession(options).run(); }

} // namespace quern::tool
