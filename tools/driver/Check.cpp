//===- Check.cpp - `quern check` --------------------------------------------------------------===//

#include "frontend/Diagnostics.h"
#include "frontend/Frontend.h"
#include "frontend/checkpoint/Checkpoint.h"
#include "frontend/checkpoint/HfConfig.h"
#include "mlir/IR/MLIRContext.h"
#include "tools/driver/Commands.h"
#include "tools/driver/Compiler.h"
#include "tools/driver/Files.h"
#include "tools/driver/ModelBase.h"
#include "tools/driver/Paths.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>

using namespace quern::frontend;

namespace quern::tool {

namespace {

struct CheckOptions {
  std::vector<std::string> models;
  /// `[MOUNT=]FILE_OR_DIR`, each.
  std::vector<std::string> weights;
  std::string config;
  /// Folders, beside a model's own and the library, that it may import from.
  std::vector<std::string> imports;
  /// The model file that `import base` means, or empty.
  std::string base;
};

/// The checkpoint or configuration that models are held against.
struct Reference {
  std::optional<Checkpoint> checkpoint;
  std::optional<ModelConfig> config;

  ModelInputs inputs() const {
    if (checkpoint)
      return {&checkpoint->config(), &*checkpoint};
    return {config ? &*config : nullptr, nullptr};
  }
};

} // namespace

static llvm::Expected<Reference> openReference(const CheckOptions &options) {
  Reference reference;
  if (!options.weights.empty()) {
    std::vector<Mount> mounts;
    for (const std::string &argument : options.weights)
      mounts.push_back(parseMount(argument));
    auto checkpoint = Checkpoint::open(mounts, options.config);
    if (!checkpoint)
      return checkpoint.takeError();
    reference.checkpoint = std::move(*checkpoint);
  } else if (!options.config.empty()) {
    auto config = readHfConfig(options.config);
    if (!config)
      return config.takeError();
    reference.config = std::move(*config);
  }
  return reference;
}

/// Checks one model and the files that it imports.
static bool check(const std::string &path, const ModelInputs &inputs, const CheckOptions &given) {
  llvm::SourceMgr sources;
  auto buffer = openSource(sources, path);
  if (!buffer)
    return false;
  DiagnosticEngine diagnostics(sources);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  FrontendOptions options;
  options.importPaths = findImportPaths(given.imports);
  options.base = given.base;
  bool isCorrect = succeeded(parseModel(sources, *buffer, inputs, options, &context, diagnostics));
  diagnostics.print(llvm::errs(), llvm::errs().has_colors());
  return isCorrect;
}

static ExitStatus check(const CheckOptions &options) {
  // One of several files that lacks its base is a mistake of that file.
  bool isOne = options.models.size() == 1 || !options.base.empty();
  if (isOne && failed(checkBase(options.models, options.base)))
    return ExitStatus::Usage;
  auto reference = openReference(options);
  if (!reference) {
    (void)refuse(reference.takeError());
    return ExitStatus::Refused;
  }
  if (reference->checkpoint)
    warn(reference->checkpoint->warnings());
  bool isCorrect = true;
  for (const std::string &path : options.models)
    isCorrect &= check(path, reference->inputs(), options);
  return isCorrect ? ExitStatus::Success : ExitStatus::Refused;
}

void addCheckCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("check", "Report every error of model files");
  auto options = std::make_shared<CheckOptions>();
  sub->add_option("FILES", options->models, "Model files (.qn)")->required();
  sub->add_option("--weights", options->weights, "Hold the models against a checkpoint: [MOUNT=]FILE_OR_DIR")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("-I", options->imports, "A further folder that models may import from")
      ->take_all()
      ->allow_extra_args(false);
  addBaseOption(*sub, options->base);
  sub->add_option("--config", options->config, "Hold the models against a config.json");
  sub->callback([&command, options] { command = [options] { return check(*options); }; });
}

} // namespace quern::tool
