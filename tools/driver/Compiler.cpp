//===- Compiler.cpp - from a model file and a checkpoint to modules and code ------------------===//

#include "tools/driver/Compiler.h"

#include "codegen/Description.h"
#include "codegen/ObjectCache.h"
#include "tools/driver/ChatTrial.h"
#include "tools/driver/Files.h"
#include "tools/driver/Limits.h"
#include "tools/driver/ModelBase.h"
#include "tools/driver/Paths.h"

#include "dialect/Ops.h"
#include "dialect/Origin.h"
#include "dialect/Register.h"
#include "frontend/Diagnostics.h"
#include "frontend/Frontend.h"
#include "frontend/ProfiledExperts.h"
#include "frontend/checkpoint/FiniteCheck.h"
#include "passes/States.h"
#include "runtime/Workers.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/WithColor.h"

#include <CLI/CLI.hpp>

using namespace mlir;
using namespace quern::frontend;

namespace quern::tool {

void addCompilerOptions(CLI::App &command, CompilerOptions &options) {
  command.add_option("MODEL", options.model, "The model file (.qn)")->required();
  command
      .add_option("--weights", options.weights, "[MOUNT=]FILE_OR_DIR: GGUF, safetensors or a Hugging Face directory")
      ->required();
  command.add_option("--config", options.config, "A config.json in place of the checkpoint's");
  addBaseOption(command, options.base);
  command.add_option("-I", options.imports, "A further folder that models may import from")
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--target", options.targets, "Machines, comma-separated; `host` is this one")
      ->capture_default_str();
  command.add_flag("--exact", options.exact, "Keep activations in f32, convolve directly");
  command.add_option("--precision", options.precision, "f32, or bf16: round weights of f32 and f16 to it")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  command.add_option("--cache", options.cache, "What caches hold: f16, bf16, f32, or auto: f16 where it is enough")
      ->check(CLI::IsMember({"auto", "f16", "bf16", "f32"}))
      ->capture_default_str();
  command.add_option("--ctx", options.context, "The longest text, in tokens; 0: the model file decides")
      ->check(CLI::Range(int64_t(0), int64_t(INT32_MAX)))
      ->capture_default_str();
  command.add_flag("--no-compression", options.noCompression,
                   "Store weights as they are: BF16 in 16 bits, not in 13 where they fit, and F16 as F16");
  command.add_option("--ptxas", options.ptxas,
                     "NVIDIA's assembler: it compiles the kernels of `cuda` for some GPUs, so that drivers need not");
  command.add_flag("--no-cache", options.noCache, "Compile every kernel anew and keep none of them");
  command.add_flag("--timing", options.timing, "Print how long each phase takes, and how large arenas are");
  command.add_option("--tuned", options.tuned, "A file that `quern tune` wrote: the plans of kernels that it has")
      ->take_all()
      ->allow_extra_args(false);
  command.add_flag("--no-tuned", options.noTuned, "Use no measured plans but those of `--tuned`");
  command.add_option("--routing-profile", options.routingProfile,
                     "A file that a compiled model wrote: which experts are often chosen, and lie together");
  command.add_option("--medusa-tree", options.medusaTree,
                     "Which guesses of Medusa's heads a step tries: a JSON list of paths, as `medusa_choices`");
  command.add_option("--medusa-calibration", options.medusaCalibration,
                     "A file that a compiled model wrote: the tree is the one that it makes fastest");
  command
      .add_option("--jobs", options.jobs,
                  "Processes that compile kernels, read and write weights at once; 0: one per processor")
      ->capture_default_str();
}

void Timing::begin(llvm::StringRef phase) {
  if (phase == current)
    return;
  auto now = std::chrono::steady_clock::now();
  if (enabled && !current.empty())
    llvm::errs() << llvm::format("%-12s %8.3f s\n", current.c_str(),
                                 std::chrono::duration<double>(now - start).count());
  current = phase.str();
  start = now;
}

LogicalResult refuse(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "quern") << message << '\n';
  return failure();
}

LogicalResult refuse(llvm::Error error) { return refuse(llvm::toString(std::move(error))); }

void warn(llvm::ArrayRef<std::string> warnings) {
  for (const std::string &warning : warnings)
    llvm::WithColor::warning(llvm::errs(), "quern") << warning << '\n';
}

/// The place in the model that `location` stands for, as messages begin; empty where it has none.
static std::string describePlace(Location location) {
  llvm::SmallVector<Origin> origins = getOrigins(location);
  if (origins.empty())
    return "";
  FileLineColLoc place = getModelPlace(origins.front().stack);
  return (place.getFilename().getValue() + ":" + llvm::Twine(place.getLine()) + ":" + llvm::Twine(place.getColumn()))
      .str();
}

/// Errors of passes and verifiers, with their notes, at their place in the model; what has none is
/// said of the compilation.
static LogicalResult reportError(mlir::Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
    return failure();
  std::string place = describePlace(diagnostic.getLocation());
  llvm::WithColor::error(llvm::errs(), place.empty() ? "quern" : place) << diagnostic.str() << '\n';
  for (mlir::Diagnostic &note : diagnostic.getNotes()) {
    place = describePlace(note.getLocation());
    llvm::WithColor::note(llvm::errs(), place.empty() ? "quern" : place) << note.str() << '\n';
  }
  return success();
}

Compiler::Compiler(const CompilerOptions &options)
    : options(options), context(MLIRContext::Threading::DISABLED), timing(options.timing),
      diagnostics(noSources, &context, llvm::errs()), errors(&context, reportError) {
  DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
}

/// The place of `target` among all, best first.
static size_t rank(const codegen::TargetSpec &target) {
  return llvm::find_if(codegen::getTargets(),
                       [&](const codegen::TargetSpec &other) { return other.name == target.name; }) -
         codegen::getTargets().begin();
}

LogicalResult Compiler::findTargets() {
  llvm::SmallVector<llvm::StringRef> names;
  llvm::StringRef(options.targets).split(names, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef name : names) {
    llvm::Expected<codegen::TargetSpec> target = codegen::findTarget(name);
    if (!target)
      return refuse(target.takeError());
    if (llvm::none_of(targets, [&](const codegen::TargetSpec &other) { return other.name == target->name; }))
      targets.push_back(*target);
  }
  if (targets.empty())
    return refuse("`--target` is `" + options.targets + "`, expected one name at least");
  llvm::sort(targets, [](const codegen::TargetSpec &a, const codegen::TargetSpec &b) { return rank(a) < rank(b); });
  return success();
}

LogicalResult Compiler::checkUsage() {
  if (failed(findTargets()))
    return failure();
  if (options.precision == "bf16" && options.exact)
    return refuse("`--precision bf16` rounds what `--exact` keeps; expected one of them");
  if (!options.medusaTree.empty() && !options.medusaCalibration.empty())
    return refuse("`--medusa-calibration` builds what `--medusa-tree` gives; expected one of them");
  auto isCuda = [](const codegen::TargetSpec &target) { return target.device == codegen::TargetSpec::Device::Cuda; };
  if (!options.ptxas.empty() && llvm::none_of(targets, isCuda))
    return refuse("`--ptxas` assembles kernels of `cuda`, which `--target` leaves out");
  return checkBase(options.model, options.base);
}

LogicalResult Compiler::openPtxas() {
  if (options.ptxas.empty())
    return success();
  llvm::Expected<codegen::Ptxas> opened = codegen::Ptxas::open(options.ptxas);
  if (!opened)
    return refuse(opened.takeError());
  ptxas = std::move(*opened);
  return success();
}

LogicalResult Compiler::openCheckpoint() {
  std::vector<Mount> mounts;
  for (const std::string &argument : options.weights)
    mounts.push_back(parseMount(argument));
  llvm::Expected<Checkpoint> opened = Checkpoint::open(mounts, options.config);
  if (!opened)
    return refuse(opened.takeError());
  checkpoint = std::move(*opened);
  warn(checkpoint->warnings());
  return success();
}

LogicalResult Compiler::readModel() {
  timing.begin("checkpoint");
  if (failed(openPtxas()) || failed(openCheckpoint()))
    return failure();
  timing.begin("frontend");
  std::optional<unsigned> main = openSource(sources, options.model);
  if (!main)
    return failure();
  FrontendOptions frontendOptions;
  frontendOptions.importPaths = findImportPaths(options.imports);
  frontendOptions.base = options.base;
  frontendOptions.exact = options.cache == "f32" || (options.exact && options.cache == "auto");
  frontend::DiagnosticEngine errors(sources);
  ModelConfig config = checkpoint->config();
  if (options.context)
    config.set("context", options.context);
  ModelInputs inputs{&config, &*checkpoint};
  FailureOr<OwningOpRef<ModuleOp>> parsed = parseModel(sources, *main, inputs, frontendOptions, &context, errors);
  errors.print(llvm::errs(), llvm::errs().has_colors());
  if (failed(parsed))
    return failure();
  graph = std::move(*parsed);
  if (failed(setCaches()) || failed(checkContext()))
    return failure();
  if (!options.routingProfile.empty())
    if (llvm::Error error = noteExpertUse(options.routingProfile, *graph))
      return refuse(std::move(error));
  if (failed(chooseGuesses()))
    return failure();
  timing.begin("numbers");
  return checkNumbers();
}

LogicalResult Compiler::chooseGuesses() {
  std::optional<codegen::Guesses> guesses = codegen::findGuesses(*graph);
  if (!guesses) {
    if (options.medusaTree.empty() && options.medusaCalibration.empty())
      return success();
    return refuse((options.medusaTree.empty() ? "`--medusa-calibration`" : "`--medusa-tree`") +
                  llvm::Twine(" is for guesses, but no entry of `") + options.model +
                  "` guesses tokens from the rows of another; expected a model of that kind, such as `medusa.qn`");
  }
  llvm::Expected<MedusaTree> chosen =
      chooseTree(options.medusaTree, options.medusaCalibration, {guesses->heads, guesses->perHead});
  if (!chosen)
    return refuse(chosen.takeError());
  tree = std::move(*chosen);
  return success();
}

/// Refuses weights that are no numbers.
LogicalResult Compiler::checkNumbers() {
  std::vector<const TensorInfo *> tensors;
  uint64_t bytes = 0;
  for (auto parameter : graph->getOps<ParameterOp>())
    if (const TensorInfo *tensor = parameter.isExternal() ? checkpoint->lookup(parameter.getSymName()) : nullptr) {
      tensors.push_back(tensor);
      bytes += tensor->rows() * checkpoint->rowBytes(*tensor);
    }
  unsigned processes = runtime::countWorkers(bytes, getProcesses());
  std::vector<int32_t> outcomes = runtime::shareOut(tensors.size(), processes, [&](size_t i) -> int32_t {
    return llvm::errorToBool(checkFinite(*checkpoint, *tensors[i]));
  });
  for (auto [tensor, outcome] : llvm::zip_equal(tensors, outcomes))
    // What was refused, or ended the process, is so again, and says why here.
    if (llvm::Error error = outcome ? checkFinite(*checkpoint, *tensor) : llvm::Error::success())
      return refuse(std::move(error));
  return success();
}

std::vector<std::string> Compiler::getDatabases() const {
  std::vector<std::string> databases = options.tuned;
  if (!options.noTuned)
    llvm::append_range(databases, findTunedRows());
  return databases;
}

unsigned Compiler::getProcesses() const {
  return options.jobs ? options.jobs : llvm::hardware_concurrency().compute_thread_count();
}

/// Makes the caches, which the frontend gives f16, what `--cache` asks for.
LogicalResult Compiler::setCaches() {
  if (options.cache != "bf16")
    return success();
  llvm::DenseSet<StringAttr> states;
  for (auto state : graph->getOps<StateOp>())
    if (state.isCache())
      states.insert(state.getSymNameAttr());
  if (!areCaches(*graph, states))
    return refuse("`--cache` is bf16, but something else than attention reads a state of `" + options.model +
                  "`; expected f16 or f32");
  setElements(*graph, states, BFloat16Type::get(&context));
  return success();
}

/// Holds the rows of the caches against the context that was asked for, or else against the declared one.
LogicalResult Compiler::checkContext() {
  int64_t rows = 0;
  for (auto state : graph->getOps<StateOp>())
    if (state.isCache())
      rows = std::max(rows, state.getTensorType().getDimSize(0));
  if (options.context && rows != options.context)
    return refuse("`--ctx` is " + llvm::Twine(options.context) + ", but the longest cache of `" + options.model +
                  "` has " + llvm::Twine(rows) + " rows; expected a model whose caches have `context` of them");
  const ConfigValue *declared = checkpoint->config().find("max_position_embeddings");
  int64_t positions = declared && declared->asInt() ? *declared->asInt() : 0;
  if (!options.context && rows && rows < positions)
    llvm::WithColor::note(llvm::errs(), "quern") << "texts have up to " << rows << " tokens of the " << positions
                                                 << " that the checkpoint declares; `--ctx N` sets another limit\n";
  return success();
}

llvm::StringRef Compiler::getLine(FileLineColLoc place) const {
  llvm::StringRef name = place.getFilename().getValue();
  for (unsigned buffer = 1; buffer <= sources.getNumBuffers(); ++buffer) {
    const llvm::MemoryBuffer *file = sources.getMemoryBuffer(buffer);
    // Locations name files from the nearest folder that models are looked for in.
    llvm::StringRef folder = file->getBufferIdentifier();
    if (!folder.consume_back(name) || !(folder.empty() || folder.ends_with("/")))
      continue;
    llvm::line_iterator line(*file, /*SkipBlanks=*/false);
    while (!line.is_at_end() && line.line_number() < int64_t(place.getLine()))
      ++line;
    return line->trim();
  }
  return "";
}

FailureOr<OwningOpRef<ModuleOp>> Compiler::lower(const codegen::TargetSpec &target, Phase until) {
  timing.begin("passes");
  OwningOpRef<ModuleOp> module = graph->clone();
  (*module)->setAttr("quern.target", target.getAttr(&context));
  if (targets.size() > 1)
    (*module)->setAttr("quern.weights_target", targets.front().getAttr(&context));
  PassManager manager(&context);
  PipelineOptions pipeline;
  pipeline.exact = options.exact;
  pipeline.bf16 = options.precision == "bf16";
  // Targets share the weights.
  pipeline.bf16Images = pipeline.bf16 && llvm::all_of(targets, [](const codegen::TargetSpec &t) { return t.bf16Dot; });
  pipeline.until = until;
  pipeline.databases = getDatabases();
  pipeline.source = &*checkpoint;
  pipeline.processes = getProcesses();
  pipeline.keepWeights = options.noCompression;
  pipeline.keepPairs = llvm::any_of(targets, [](const codegen::TargetSpec &t) { return t.tensorCores; });
  pipeline.keepF16Caches = options.cache == "f16";
  buildPipeline(manager, pipeline);
  if (failed(manager.run(*module)))
    return failure();
  return std::move(module);
}

/// What codegen wants to know of a model's text.
static codegen::TextAssets convert(frontend::TextAssets text, const ModelConfig &config) {
  codegen::TextAssets assets;
  assets.tokenizerJson = std::move(text.tokenizerJson);
  if (!text.bosToken.empty())
    assets.bosToken = std::move(text.bosToken);
  if (!text.eosToken.empty())
    assets.eosToken = std::move(text.eosToken);
  assets.bosId = text.bosId;
  assets.stopIds.assign(text.stopIds.begin(), text.stopIds.end());
  assets.addBos = text.addBos;
  if (const ConfigValue *size = config.find("vocab_size"))
    assets.vocabSize = size->asInt() ? *size->asInt() : 0;
  return assets;
}

/// What codegen wants to know of images.
static codegen::ImageAssets convert(frontend::ImageAssets image) {
  return {image.resize,
          image.crop,
          image.shortestEdge,
          std::move(image.filter),
          image.alignCorners,
          image.antialias,
          image.rescaleFactor,
          std::move(image.mean),
          std::move(image.std),
          std::move(image.labels),
          image.givesProbabilities};
}

/// What codegen wants to know of a tree.
static codegen::GuessTree convert(const MedusaTree &tree) {
  return {tree.paths, toString(tree.source).str(), tree.expectedTokens};
}

/// Where kernels are kept; says why if they are not.
static std::string findTrustedCache() {
  llvm::Expected<std::string> directory = findCache();
  llvm::Error error = directory ? codegen::ObjectCache::check(*directory) : directory.takeError();
  if (!error)
    return *directory;
  llvm::WithColor::note(llvm::errs(), "quern")
      << "compiled kernels are not kept: " << llvm::toString(std::move(error)) << '\n';
  return "";
}

LogicalResult Compiler::readText() {
  timing.begin("text");
  if (options.noText)
    return success();
  llvm::Expected<frontend::TextAssets> read = checkpoint->readText();
  if (!read)
    return refuse(read.takeError());
  warn(read->warnings);
  llvm::FailureOr<std::optional<std::string>> chatTemplate = chooseChatTemplate(*read, options.chatTemplate);
  if (failed(chatTemplate) || failed(tokenizerTrial.begin(*read)))
    return failure();
  text = convert(std::move(*read), checkpoint->config());
  text.chatTemplate = std::move(*chatTemplate);
  return success();
}

codegen::CodegenOptions Compiler::makeCodegenOptions() {
  codegen::CodegenOptions codegenOptions;
  codegenOptions.libraryDir = findLibraries();
  codegenOptions.ptxas = ptxas ? &*ptxas : nullptr;
  codegenOptions.jobs = getProcesses();
  codegenOptions.cacheDir = options.noCache ? "" : findTrustedCache();
  codegenOptions.model = llvm::sys::path::stem(options.model).str();
  codegenOptions.exact = options.exact;
  codegenOptions.phase = [&](llvm::StringRef phase) { timing.begin(phase); };
  return codegenOptions;
}

FailureOr<std::unique_ptr<codegen::MeasuredModel>> Compiler::makeMeasured(const codegen::TargetSpec &target,
                                                                          ModuleOp module, llvm::StringRef directory,
                                                                          llvm::function_ref<bool()> isOver) {
  if (!checkFileLimit())
    return failure();
  return codegen::MeasuredModel::create({&target, module}, *checkpoint, makeCodegenOptions(), directory, isOver);
}

LogicalResult Compiler::compile(llvm::ArrayRef<OwningOpRef<ModuleOp>> modules, codegen::OutputKind kind,
                                llvm::StringRef output) {
  if (!checkFileLimit())
    return failure();
  // A tokenizer that fails does so soon, mostly; another's trial goes on beside the kernels.
  if (tokenizerTrial.isReady() && failed(tokenizerTrial.finish()))
    return failure();
  // A model that reads text may see images as well; that is no classifier.
  std::optional<codegen::ImageAssets> image;
  if (text.tokenizerJson.empty() && !options.noText) {
    llvm::Expected<std::optional<frontend::ImageAssets>> read = checkpoint->readImage();
    if (!read)
      return refuse(read.takeError());
    if (*read)
      image = convert(std::move(**read));
  }

  std::vector<codegen::TargetModule> targetModules;
  for (auto [target, module] : llvm::zip_equal(targets, modules))
    targetModules.push_back({&target, *module});
  codegen::CodegenOptions codegenOptions = makeCodegenOptions();
  codegenOptions.kind = kind;
  codegenOptions.outputPath = output.str();
  codegenOptions.text = text.tokenizerJson.empty() ? nullptr : &text;
  codegenOptions.image = image ? &*image : nullptr;
  std::optional<codegen::GuessTree> guesses;
  if (tree)
    guesses = convert(*tree);
  codegenOptions.guesses = guesses ? &*guesses : nullptr;
  codegenOptions.confirm = [&] { return tokenizerTrial.finish(); };
  return codegen::compileModule(targetModules, *checkpoint, codegenOptions);
}

} // namespace quern::tool
