//===- Compile.cpp - `quern compile` ----------------------------------------------------------===//

#include "tools/quern/Commands.h"
#include "tools/quern/Dot.h"
#include "tools/quern/Files.h"
#include "tools/quern/Paths.h"

#include "codegen/Binary.h"
#include "codegen/Codegen.h"
#include "codegen/HalideBridge.h"
#include "dialect/Dialect.h"
#include "dialect/Register.h"
#include "frontend/Diagnostics.h"
#include "frontend/AstDump.h"
#include "frontend/Frontend.h"
#include "frontend/Parser.h"
#include "frontend/weights/Checkpoint.h"
#include "passes/Pipeline.h"

#include "mlir/IR/AsmState.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/WithColor.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <map>

using namespace mlir;
using namespace quern::frontend;

namespace quern::tool {
namespace {

/// The words of `quern compile`, as the user gave them.
struct CompileOptions {
  std::string model;
  /// `[MOUNT=]FILE_OR_DIR`, each.
  std::vector<std::string> weights;
  /// Replaces the checkpoint's configuration when not empty.
  std::string config;
  /// Names of targets, comma-separated.
  std::string targets = "host";
  bool exact = false;
  /// A key of `emitKinds`; empty: an executable.
  std::string emit;
  /// Empty: standard output for texts, `a.out` for code.
  std::string output;
  std::string dumpDir;
  /// Draw the module instead of printing it.
  bool dot = false;
  bool timing = false;
  /// Measured schedules, or empty.
  std::string tuning;
  unsigned jobs = 0;
  /// Compile every kernel, and keep none.
  bool noCache = false;
};

/// What a compilation leaves.
enum class Emit { Ast, Graph, Fused, Tiled, Kernels, Halide, Asm, Object, Shared, Executable };

const std::map<std::string, Emit> emitKinds = {
    {"ast", Emit::Ast},         {"graph", Emit::Graph},   {"fused", Emit::Fused}, {"tiled", Emit::Tiled},
    {"kernels", Emit::Kernels}, {"halide", Emit::Halide}, {"asm", Emit::Asm},     {"object", Emit::Object},
    {"shared", Emit::Shared}};

/// The last phase of the pipeline that `emit` needs.
Phase lastPhase(Emit emit) {
  switch (emit) {
  case Emit::Ast:
  case Emit::Graph:
    return Phase::Graph;
  case Emit::Fused:
    return Phase::Fused;
  case Emit::Tiled:
    return Phase::Tiled;
  default:
    return Phase::Kernels;
  }
}

/// Prints how long each phase took, when asked to.
class Timing {
public:
  Timing(bool enabled) : enabled(enabled) {}
  ~Timing() { begin(""); }

  /// Ends the phase that runs and begins another.
  void begin(llvm::StringRef phase) {
    auto now = std::chrono::steady_clock::now();
    if (enabled && !current.empty())
      llvm::errs() << llvm::format("%-12s %8.3f s\n", current.c_str(),
                                   std::chrono::duration<double>(now - start).count());
    current = phase.str();
    start = now;
  }

private:
  bool enabled;
  std::string current;
  std::chrono::steady_clock::time_point start;
};

/// One run of `quern compile`.
class Compiler {
public:
  Compiler(const CompileOptions &options, Emit emit)
      : options(options), emit(emit), context(MLIRContext::Threading::DISABLED), timing(options.timing) {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
  }

  ExitStatus run();

private:
  LogicalResult openCheckpoint();
  LogicalResult readModel();
  FailureOr<OwningOpRef<ModuleOp>> lowerFor(const codegen::TargetSpec &target, Phase until);
  LogicalResult lower();
  LogicalResult emitSyntax();
  LogicalResult emitText();
  LogicalResult emitCode();
  using Print = llvm::function_ref<LogicalResult(llvm::raw_ostream &)>;
  LogicalResult printTo(Print print);
  LogicalResult printToFile(llvm::StringRef path, Print print);
  LogicalResult dump(llvm::StringRef name, ModuleOp module);

  LogicalResult refuse(const llvm::Twine &message) {
    llvm::WithColor::error(llvm::errs(), "quern") << message << '\n';
    return failure();
  }
  LogicalResult refuse(llvm::Error error) { return refuse(llvm::toString(std::move(error))); }

  const CompileOptions &options;
  Emit emit;
  MLIRContext context;
  Timing timing;
  std::vector<codegen::TargetSpec> targets;
  std::optional<Checkpoint> checkpoint;
  OwningOpRef<ModuleOp> graph;
  /// One per target, in the order of `targets`.
  std::vector<OwningOpRef<ModuleOp>> lowered;
};

LogicalResult Compiler::openCheckpoint() {
  std::vector<Mount> mounts;
  for (const std::string &argument : options.weights)
    mounts.push_back(parseMount(argument));
  llvm::Expected<Checkpoint> opened = Checkpoint::open(mounts, options.config);
  if (!opened)
    return refuse(opened.takeError());
  checkpoint = std::move(*opened);
  return success();
}

/// The syntax tree of the model file alone; it needs no weights.
LogicalResult Compiler::emitSyntax() {
  llvm::SourceMgr sources;
  std::optional<unsigned> main = openSource(sources, options.model);
  if (!main)
    return failure();
  frontend::DiagnosticEngine diagnostics(sources);
  AstContext tree;
  const SourceFile *file = parseFile(sources, *main, tree, diagnostics);
  diagnostics.print(llvm::errs(), llvm::errs().has_colors());
  if (diagnostics.hasErrors())
    return failure();
  return printTo([&](llvm::raw_ostream &os) {
    dumpAst(*file, os);
    return success();
  });
}

LogicalResult Compiler::readModel() {
  timing.begin("frontend");
  llvm::SourceMgr sources;
  std::optional<unsigned> main = openSource(sources, options.model);
  if (!main)
    return failure();
  FrontendOptions frontendOptions;
  frontendOptions.importPaths = findImportPaths();
  frontendOptions.exact = options.exact;
  frontend::DiagnosticEngine diagnostics(sources);
  ModelInputs inputs{&checkpoint->config(), &*checkpoint};
  FailureOr<OwningOpRef<ModuleOp>> parsed =
      parseModel(sources, *main, inputs, frontendOptions, &context, diagnostics);
  diagnostics.print(llvm::errs(), llvm::errs().has_colors());
  if (failed(parsed))
    return failure();
  graph = std::move(*parsed);
  return success();
}

/// Runs the passes up to `until` on a clone of the graph, for one target.
FailureOr<OwningOpRef<ModuleOp>> Compiler::lowerFor(const codegen::TargetSpec &target, Phase until) {
  OwningOpRef<ModuleOp> module = graph->clone();
  (*module)->setAttr("quern.target", target.getAttr(&context));
  PassManager manager(&context);
  PipelineOptions pipeline;
  pipeline.exact = options.exact;
  pipeline.until = until;
  pipeline.database = options.tuning;
  buildPipeline(manager, pipeline);
  if (failed(manager.run(*module)))
    return failure();
  return std::move(module);
}

/// Writes `module` as `DUMP_DIR/<target>-<phase>.mlir`.
LogicalResult Compiler::dump(llvm::StringRef name, ModuleOp module) {
  llvm::SmallString<128> path(options.dumpDir);
  if (std::error_code code = llvm::sys::fs::create_directories(path))
    return refuse("cannot create `" + path + "`: " + code.message());
  llvm::sys::path::append(path, name + ".mlir");
  return printToFile(path, [&](llvm::raw_ostream &os) {
    module->print(os);
    return success();
  });
}

LogicalResult Compiler::lower() {
  timing.begin("passes");
  for (const codegen::TargetSpec &target : targets) {
    if (!options.dumpDir.empty()) {
      constexpr std::pair<Phase, llvm::StringLiteral> phases[] = {
          {Phase::Graph, "graph"}, {Phase::Fused, "fused"}, {Phase::Tiled, "tiled"}, {Phase::Kernels, "kernels"}};
      for (auto [phase, name] : phases) {
        FailureOr<OwningOpRef<ModuleOp>> module = lowerFor(target, phase);
        if (failed(module) || failed(dump((target.name + "-" + name).str(), **module)))
          return failure();
      }
    }
    FailureOr<OwningOpRef<ModuleOp>> module = lowerFor(target, lastPhase(emit));
    if (failed(module))
      return failure();
    lowered.push_back(std::move(*module));
  }
  return success();
}

/// Prints to a file, whole or not at all.
LogicalResult Compiler::printToFile(llvm::StringRef path, Print print) {
  codegen::PendingFile file(path);
  if (llvm::Error error = file.create())
    return refuse(std::move(error));
  if (failed(print(file.stream())))
    return failure();
  if (llvm::Error error = file.commit())
    return refuse(std::move(error));
  return success();
}

/// Prints to the output file or to standard output.
LogicalResult Compiler::printTo(Print print) {
  if (!options.output.empty() && options.output != "-")
    return printToFile(options.output, print);
  if (failed(print(llvm::outs())))
    return failure();
  llvm::outs().flush();
  if (std::error_code code = llvm::outs().error()) {
    llvm::outs().clear_error();
    return refuse("cannot write to standard output: " + code.message());
  }
  return success();
}

/// Modules as text, or each kernel as Halide's loops or as assembly.
LogicalResult Compiler::emitText() {
  return printTo([&](llvm::raw_ostream &os) -> LogicalResult {
    for (auto [target, module] : llvm::zip_equal(targets, lowered)) {
      if (emit != Emit::Halide && emit != Emit::Asm) {
        options.dot ? printDot(*module, os) : module->print(os);
        continue;
      }
      auto kind = emit == Emit::Halide ? codegen::KernelText::Loops : codegen::KernelText::Assembly;
      for (auto kernel : module->getOps<KernelOp>())
        if (failed(codegen::emitKernel(kernel, target, kernel.getSymName(), kind, os)))
          return failure();
    }
    return success();
  });
}

/// What codegen wants to know of images.
static codegen::ImageAssets convert(frontend::ImageAssets image) {
  return {image.resize,        image.crop,
          image.shortestEdge,  image.alignCorners,
          image.antialias,     image.rescaleFactor,
          std::move(image.mean), std::move(image.std),
          std::move(image.labels), image.givesProbabilities};
}

/// Objects, libraries and executables.
LogicalResult Compiler::emitCode() {
  llvm::Expected<frontend::TextAssets> text = checkpoint->readText();
  if (!text)
    return refuse(text.takeError());
  codegen::TextAssets assets;
  assets.tokenizerJson = std::move(text->tokenizerJson);
  if (!text->chatTemplate.empty())
    assets.chatTemplate = std::move(text->chatTemplate);
  if (!text->bosToken.empty())
    assets.bosToken = std::move(text->bosToken);
  if (!text->eosToken.empty())
    assets.eosToken = std::move(text->eosToken);
  assets.bosId = text->bosId;
  assets.stopIds.assign(text->stopIds.begin(), text->stopIds.end());
  assets.addBos = text->addBos;
  if (const ConfigValue *size = checkpoint->config().find("vocab_size"))
    assets.vocabSize = size->asInt() ? *size->asInt() : 0;

  // A model that reads text may see images as well; that is no classifier.
  std::optional<codegen::ImageAssets> image;
  if (assets.tokenizerJson.empty()) {
    llvm::Expected<std::optional<frontend::ImageAssets>> read = checkpoint->readImage();
    if (!read)
      return refuse(read.takeError());
    if (*read)
      image = convert(std::move(**read));
  }

  std::vector<codegen::TargetModule> modules;
  for (auto [target, module] : llvm::zip_equal(targets, lowered))
    modules.push_back({&target, *module});
  codegen::CodegenOptions codegenOptions;
  codegenOptions.kind = emit == Emit::Object   ? codegen::OutputKind::Object
                        : emit == Emit::Shared ? codegen::OutputKind::Shared
                                               : codegen::OutputKind::Executable;
  codegenOptions.outputPath = options.output.empty() ? "a.out" : options.output;
  codegenOptions.libraryDir = findLibraries();
  codegenOptions.jobs = options.jobs ? options.jobs : llvm::hardware_concurrency().compute_thread_count();
  codegenOptions.cacheDir = options.noCache ? "" : findCache();
  codegenOptions.model = llvm::sys::path::stem(options.model).str();
  codegenOptions.exact = options.exact;
  codegenOptions.text = assets.tokenizerJson.empty() ? nullptr : &assets;
  codegenOptions.image = image ? &*image : nullptr;
  codegenOptions.phase = [&](llvm::StringRef phase) { timing.begin(phase); };
  return codegen::compileModule(modules, *checkpoint, codegenOptions);
}

/// The place of `target` among all, best first.
static size_t rank(const codegen::TargetSpec &target) {
  return llvm::find_if(codegen::getTargets(), [&](const codegen::TargetSpec &other) { return other.name == target.name; }) -
         codegen::getTargets().begin();
}

ExitStatus Compiler::run() {
  llvm::SmallVector<llvm::StringRef> names;
  llvm::StringRef(options.targets).split(names, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef name : names) {
    llvm::Expected<codegen::TargetSpec> target = codegen::findTarget(name);
    if (!target) {
      (void)refuse(target.takeError());
      return ExitStatus::Usage;
    }
    if (llvm::none_of(targets, [&](const codegen::TargetSpec &other) { return other.name == target->name; }))
      targets.push_back(*target);
  }
  if (targets.empty()) {
    (void)refuse("`--target` is `" + options.targets + "`, expected one name at least");
    return ExitStatus::Usage;
  }
  llvm::sort(targets, [](const codegen::TargetSpec &a, const codegen::TargetSpec &b) { return rank(a) < rank(b); });

  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context, llvm::errs());
  // What has no place in the model is said of the compilation.
  ScopedDiagnosticHandler placeless(&context, [&](mlir::Diagnostic &diagnostic) {
    if (!isa<UnknownLoc>(diagnostic.getLocation()) || diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return failure();
    (void)refuse(diagnostic.str());
    return success();
  });
  if (options.dot && (emit < Emit::Graph || emit > Emit::Kernels)) {
    (void)refuse("`--dot` needs `--emit graph`, `fused`, `tiled` or `kernels`");
    return ExitStatus::Usage;
  }
  if (emit == Emit::Ast)
    return failed(emitSyntax()) ? ExitStatus::Refused : ExitStatus::Success;
  timing.begin("checkpoint");
  if (failed(openCheckpoint()) || failed(readModel()) || failed(lower()))
    return ExitStatus::Refused;
  bool isText = emit <= Emit::Asm;
  return failed(isText ? emitText() : emitCode()) ? ExitStatus::Refused : ExitStatus::Success;
}

} // namespace

void addCompileCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("compile", "Compile a model file and its weights");
  auto options = std::make_shared<CompileOptions>();
  sub->add_option("MODEL", options->model, "The model file (.qn)")->required();
  sub->add_option("--weights", options->weights, "[MOUNT=]FILE_OR_DIR: GGUF, safetensors or a Hugging Face directory")
      ->required();
  sub->add_option("--config", options->config, "A config.json in place of the checkpoint's");
  sub->add_option("--target", options->targets, "Machines, comma-separated; `host` is this one")->capture_default_str();
  sub->add_flag("--exact", options->exact, "Keep activations in f32");
  sub->add_option("--emit", options->emit, "What to write instead of an executable")
      ->check(CLI::IsMember(emitKinds));
  sub->add_flag("--dot", options->dot, "Draw a graph, fused groups, tiles or kernels as Graphviz text");
  sub->add_option("-o", options->output, "The file to write");
  sub->add_option("--dump-dir", options->dumpDir, "Keep the module after every phase here");
  sub->add_flag("--no-cache", options->noCache, "Compile every kernel anew and keep none of them");
  sub->add_flag("--timing", options->timing, "Print how long each phase takes");
  sub->add_option("--tuning", options->tuning, "A file of measured schedules (JSON)");
  sub->add_option("--jobs", options->jobs, "Kernels compiled at once; 0: one per processor")->capture_default_str();
  sub->callback([&command, options] {
    command = [options] {
      Emit emit = options->emit.empty() ? Emit::Executable : emitKinds.at(options->emit);
      return Compiler(*options, emit).run();
    };
  });
}

} // namespace quern::tool
