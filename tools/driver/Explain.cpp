//===- Explain.cpp - `quern explain` ----------------------------------------------------------===//

#include "tools/driver/Commands.h"
#include "tools/driver/Compiler.h"
#include "tools/driver/ExplainReport.h"

#include "codegen/Description.h"
#include "codegen/MemoryFile.h"
#include "codegen/Program.h"
#include "passes/tile/MeasuredSchedules.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Threading.h"

#include <CLI/CLI.hpp>

using namespace mlir;

namespace quern::tool {
namespace {

/// The words of `quern explain`, as the user gave them.
struct ExplainOptions : CompilerOptions {
  /// Names of programs; empty: all.
  std::vector<std::string> programs;
  /// `NAME=N`, each.
  std::vector<std::string> sizes;
  int64_t depth = 0;
  unsigned threads = llvm::hardware_concurrency().compute_thread_count();
  bool measure = false;
  bool json = false;
};

/// One run of `quern explain`.
class ExplainRun {
public:
  explicit ExplainRun(const ExplainOptions &options) : options(options), compiler(options) {}

  ExitStatus run();

private:
  LogicalResult readSizes();
  LogicalResult choosePrograms(ModuleOp module);
  LogicalResult checkSizes();
  LogicalResult explainAll();
  std::optional<double> estimateStep(int64_t rows);
  std::optional<StepEstimate> estimateSteps();
  LogicalResult measureAll();
  llvm::json::Value describeLimits() const;
  void print();

  const ExplainOptions &options;
  Compiler compiler;
  PlanSizes sizes;
  std::vector<FusionRemark> remarks;
  /// The one target's, in kernel form.
  std::vector<OwningOpRef<ModuleOp>> lowered;
  llvm::SmallVector<ProgramOp> programs;
  /// Of a processor; those of a device are not known.
  std::optional<runtime::Roofline> roofline;
  std::vector<Plan> plans;
};

LogicalResult ExplainRun::readSizes() {
  sizes.depth = options.depth;
  for (llvm::StringRef text : options.sizes) {
    auto [name, number] = text.split('=');
    int64_t size = 0;
    if (name.empty() || number.getAsInteger(10, size) || size < 1)
      return refuse("`--size` is `" + text + "`, expected NAME=N, N at least 1");
    sizes.given[name.str()] = size;
  }
  return success();
}

/// Those that are asked for, in the order of the binary.
LogicalResult ExplainRun::choosePrograms(ModuleOp module) {
  llvm::SmallVector<ProgramOp> all = codegen::orderPrograms(module);
  auto nameOf = [](ProgramOp program) { return program.getSymName(); };
  for (const std::string &name : options.programs)
    if (!llvm::is_contained(llvm::map_range(all, nameOf), name))
      return refuse("`--program` is `" + name + "`, expected one of " + llvm::join(llvm::map_range(all, nameOf), ", "));
  llvm::copy_if(all, std::back_inserter(programs), [&](ProgramOp program) {
    return options.programs.empty() || llvm::is_contained(options.programs, program.getSymName());
  });
  return success();
}

/// Refuses sizes that no program has, or that are beyond the bounds.
LogicalResult ExplainRun::checkSizes() {
  for (const auto &[name, size] : sizes.given) {
    int64_t bound = 0;
    for (ProgramOp program : programs)
      if (DictionaryAttr bounds = codegen::getGeneralForm(program).getBoundsAttr())
        if (auto own = bounds.getAs<IntegerAttr>(name))
          bound = std::max(bound, own.getInt());
    if (bound == 0)
      return refuse("`--size` names `" + name + "`, which no program has");
    if (size > bound)
      return refuse("`--size` is `" + name + "=" + llvm::Twine(size) + "`, expected 1 to " + llvm::Twine(bound));
  }
  return success();
}

LogicalResult ExplainRun::explainAll() {
  collectRemarks(compiler.getContext(), remarks);
  const codegen::TargetSpec &target = compiler.getTargets().front();
  FailureOr<OwningOpRef<ModuleOp>> module = compiler.lower(target, Phase::Kernels);
  if (failed(module))
    return failure();
  lowered.push_back(std::move(*module));
  if (failed(choosePrograms(*lowered.front())) || failed(checkSizes()))
    return failure();
  compiler.getTiming().begin("limits");
  if (!target.isDevice())
    roofline = runtime::measureRoofline(options.threads);
  for (ProgramOp program : programs)
    plans.push_back(explain(program, target, remarks, sizes, roofline));
  llvm::Expected<MeasuredSchedules> measured = MeasuredSchedules::read(compiler.getDatabases());
  if (!measured)
    return refuse(measured.takeError());
  for (Plan &plan : plans)
    findOrigins(plan, target, *measured);
  return success();
}

/// The seconds that a step of `rows` rows takes at least, all of whose logits are wanted; nothing where there is none.
std::optional<double> ExplainRun::estimateStep(int64_t rows) {
  std::optional<double> seconds;
  for (ProgramOp program : codegen::orderPrograms(*lowered.front())) {
    PlanSizes own = sizes;
    for (StringAttr symbol : codegen::getSymbols(program))
      own.given[symbol.str()] = rows;
    Plan plan = explain(program, compiler.getTargets().front(), /*remarks=*/{}, own, roofline);
    bool isStep = plan.visible > 0 && llvm::all_of(plan.sizes, [&](const auto &size) { return size.second == rows; });
    bool isGeneral = codegen::getGeneralForm(program) == program;
    std::optional<double> predicted = plan.getPredicted();
    if (isStep && predicted && (!seconds || !isGeneral))
      seconds = *predicted * 1e-9;
  }
  return seconds;
}

/// Of a model with a tree of guesses.
std::optional<StepEstimate> ExplainRun::estimateSteps() {
  if (!compiler.getTree())
    return std::nullopt;
  std::optional<double> row = estimateStep(1), tree = estimateStep(int64_t(compiler.getTree()->paths.size()) + 1);
  return row && tree ? std::optional(StepEstimate{*row, *tree}) : std::nullopt;
}

/// Compiles the model into memory, and runs it.
LogicalResult ExplainRun::measureAll() {
  llvm::Expected<codegen::MemoryFile> binary = codegen::MemoryFile::create();
  if (!binary)
    return refuse(binary.takeError());
  if (failed(compiler.compile(lowered, codegen::OutputKind::Executable, binary->path())))
    return failure();
  if (llvm::Error error = binary->seal())
    return refuse(std::move(error));
  compiler.getTiming().begin("measure");
  for (Plan &plan : plans)
    if (failed(measurePlan(plan, binary->path(), compiler.getTargets().front().getDeviceName(), options.threads)))
      return failure();
  return success();
}

llvm::json::Value ExplainRun::describeLimits() const {
  if (!roofline)
    return nullptr;
  llvm::json::Object peaks;
  for (auto kind : {runtime::Arithmetic::F32, runtime::Arithmetic::I8, runtime::Arithmetic::BF16})
    peaks[runtime::toString(kind)] = roofline->peaks[static_cast<size_t>(kind)];
  return llvm::json::Object{{"memory_gb_s", roofline->bandwidth}, {"gop_s", std::move(peaks)}};
}

void ExplainRun::print() {
  auto getLine = [&](FileLineColLoc place) { return compiler.getLine(place); };
  llvm::StringRef target = compiler.getTargets().front().name;
  if (!options.json) {
    llvm::outs() << options.model << " for " << target << "\n";
    if (roofline)
      llvm::outs() << "limits of this machine, " << runtime::describeRoofline(*roofline, options.threads) << "\n";
    else
      llvm::outs() << "limits of the device are not known\n";
    if (compiler.getTree())
      printTree(*compiler.getTree(), estimateSteps(), llvm::outs());
    for (const Plan &plan : plans)
      printPlan(plan, getLine, llvm::outs());
    return;
  }
  llvm::json::Array list;
  for (const Plan &plan : plans)
    list.push_back(describePlan(plan, getLine));
  llvm::json::Object result{{"model", options.model},
                            {"target", target},
                            {"threads", options.threads},
                            {"limits", describeLimits()},
                            {"medusa", describeTree(compiler.getTree(), estimateSteps())},
                            {"programs", std::move(list)}};
  llvm::outs() << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(result)));
}

ExitStatus ExplainRun::run() {
  if (failed(readSizes()) || failed(compiler.checkUsage()))
    return ExitStatus::Usage;
  if (compiler.getTargets().size() != 1) {
    (void)refuse("`--target` is `" + options.targets + "`, expected one name");
    return ExitStatus::Usage;
  }
  if (failed(compiler.readModel()) || failed(explainAll()) || (options.measure && failed(measureAll())))
    return ExitStatus::Refused;
  print();
  return ExitStatus::Success;
}

} // namespace

void addExplainCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("explain", "Say which kernels the lines of a model became, and why");
  auto options = std::make_shared<ExplainOptions>();
  // What is measured gets token ids.
  options->noText = true;
  addCompilerOptions(*sub, *options);
  sub->add_option("--program", options->programs, "Only this variant of an entry, as `forward.s1.r1`")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--size", options->sizes, "NAME=N: a size that the numbers are for (the bound)")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--depth", options->depth, "Cache rows before the step that the numbers are for")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  sub->add_option("--threads", options->threads, "Threads of the limits and of the measurement")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  sub->add_flag("--measure", options->measure, "Compile the model, run it, and give the real times");
  sub->add_flag("--json", options->json, "Print JSON instead of text");
  sub->callback([&command, options] { command = [options] { return ExplainRun(*options).run(); }; });
}

} // namespace quern::tool
