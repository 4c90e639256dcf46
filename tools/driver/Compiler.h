//===- Compiler.h - from a model file and a checkpoint to modules and code --------------------===//

#ifndef QUERN_TOOLS_DRIVER_COMPILER_H
#define QUERN_TOOLS_DRIVER_COMPILER_H

#include "codegen/Codegen.h"
#include "codegen/MeasuredModel.h"
#include "frontend/MedusaTree.h"
#include "frontend/checkpoint/Checkpoint.h"
#include "passes/Pipeline.h"
#include "tools/driver/TextTrial.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/SourceMgr.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace quern::tool {

/// What every command that compiles is told, as the user gave it.
struct CompilerOptions {
  std::string model;
  /// `[MOUNT=]FILE_OR_DIR`, each.
  std::vector<std::string> weights;
  /// Folders, beside the model's and the library, that it may import from.
  std::vector<std::string> imports;
  /// The model file that `import base` means, or empty.
  std::string base;
  /// Replaces the checkpoint's configuration when not empty.
  std::string config;
  /// Names of targets, comma-separated.
  std::string targets = "host";
  bool exact = false;
  /// What caches hold: `auto`, `f16`, `bf16` or `f32`.
  std::string cache = "auto";
  /// The longest text, which models read as the field `context`; 0: what the model file says.
  int64_t context = 0;
  /// What weights of f32 and f16 are rounded to: `f32`, not at all, or `bf16`.
  std::string precision = "f32";
  bool timing = false;
  /// Store every weight in the bits that the checkpoint has.
  bool noCompression = false;
  /// Databases of measured schedules; the first that has a kernel counts.
  std::vector<std::string> tuned;
  /// Leave out the rows that the installation has, too.
  bool noTuned = false;
  /// How often experts were chosen, or empty.
  std::string routingProfile;
  /// The paths of Medusa's tree, or what it is built by; one at most is not empty.
  std::string medusaTree, medusaCalibration;
  /// Processes that compile kernels, read and write weights at once; 0: one per processor.
  unsigned jobs = 0;
  /// Compile every kernel, and keep none.
  bool noCache = false;
  /// NVIDIA's assembler; empty: none.
  std::string ptxas;
  /// The chat template by its name; empty: `default`.
  std::string chatTemplate;
  /// Leave the checkpoint's tokenizer and chat template out.
  bool noText = false;
};

/// Lets `command` take these options.
void addCompilerOptions(CLI::App &command, CompilerOptions &options);

/// Prints how long each phase took, when asked to.
class Timing {
public:
  explicit Timing(bool enabled) : enabled(enabled) {}
  ~Timing() { begin(""); }

  /// Ends the phase that runs and begins `phase`, unless that is what runs.
  void begin(llvm::StringRef phase);

private:
  bool enabled;
  std::string current;
  std::chrono::steady_clock::time_point start;
};

/// Says on the standard error why a command ends, and fails.
mlir::LogicalResult refuse(const llvm::Twine &message);
mlir::LogicalResult refuse(llvm::Error error);
/// Says on the standard error what is odd about the files that were read.
void warn(llvm::ArrayRef<std::string> warnings);

/// One compilation, step by step. A step that fails has said why on the standard error.
class Compiler {
public:
  explicit Compiler(const CompilerOptions &options);

  /// Finds the targets by their names, the best first, and holds options against each other and against what the model
  /// file asks for. A failure is bad usage.
  mlir::LogicalResult checkUsage();
  /// Opens the checkpoint and turns the model file into a graph.
  mlir::LogicalResult readModel();
  /// Reads the checkpoint's tokenizer and chat template, and begins to try them: `compile` finishes
  /// that, so that it costs no time while passes run on one processor. To be called before
  /// `compile`.
  mlir::LogicalResult readText();
  /// Runs the passes up to `until` on a clone of the graph, for one target.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lower(const codegen::TargetSpec &target, Phase until);
  /// Writes native code: `modules`, one per target in kernel form, with the checkpoint's weights and text.
  mlir::LogicalResult compile(llvm::ArrayRef<mlir::OwningOpRef<mlir::ModuleOp>> modules, codegen::OutputKind kind,
                              llvm::StringRef output);

  /// Compiles `module`, for `target`, to have plans of its kernels measured; see codegen/MeasuredModel.h.
  mlir::FailureOr<std::unique_ptr<codegen::MeasuredModel>> makeMeasured(const codegen::TargetSpec &target,
                                                                        mlir::ModuleOp module,
                                                                        llvm::StringRef directory,
                                                                        llvm::function_ref<bool()> isOver);

  /// How many processes may work at once.
  unsigned getProcesses() const;
  /// The databases of measured schedules, the user's first.
  std::vector<std::string> getDatabases() const;
  llvm::ArrayRef<codegen::TargetSpec> getTargets() const { return targets; }
  mlir::MLIRContext *getContext() { return &context; }
  /// The text of the line of `place`, trimmed; empty where that is in no file of the model.
  llvm::StringRef getLine(mlir::FileLineColLoc place) const;
  Timing &getTiming() { return timing; }
  /// Which guesses a step tries; nothing where the model has none.
  const std::optional<frontend::MedusaTree> &getTree() const { return tree; }

private:
  mlir::LogicalResult findTargets();
  mlir::LogicalResult openPtxas();
  mlir::LogicalResult openCheckpoint();
  mlir::LogicalResult setCaches();
  mlir::LogicalResult checkContext();
  mlir::LogicalResult chooseGuesses();
  mlir::LogicalResult checkNumbers();
  codegen::CodegenOptions makeCodegenOptions();

  const CompilerOptions &options;
  mlir::MLIRContext context;
  Timing timing;
  /// The model file and what it imports.
  llvm::SourceMgr sources;
  /// Of what passes and codegen report: their locations are no paths.
  llvm::SourceMgr noSources;
  mlir::SourceMgrDiagnosticHandler diagnostics;
  mlir::ScopedDiagnosticHandler errors;
  std::vector<codegen::TargetSpec> targets;
  std::optional<codegen::Ptxas> ptxas;
  std::optional<frontend::Checkpoint> checkpoint;
  codegen::TextAssets text;
  TokenizerTrial tokenizerTrial;
  std::optional<frontend::MedusaTree> tree;
  mlir::OwningOpRef<mlir::ModuleOp> graph;
};

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_COMPILER_H
