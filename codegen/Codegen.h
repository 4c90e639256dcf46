//===- Codegen.h - modules in kernel form to native code and binaries -------------------------===//

#ifndef QUERN_CODEGEN_CODEGEN_H
#define QUERN_CODEGEN_CODEGEN_H

#include "codegen/Cubins.h"
#include "codegen/Targets.h"
#include "dialect/ParameterSource.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace quern::codegen {

/// One module in kernel form, and the machine that its schedules were chosen for.
struct TargetModule {
  const TargetSpec *target;
  mlir::ModuleOp module;
};

/// What a language model's binary needs to read and write text, as the checkpoint gives it.
struct TextAssets {
  /// A Hugging Face `tokenizer.json`.
  std::string tokenizerJson;
  std::optional<std::string> chatTemplate;
  std::optional<std::string> bosToken, eosToken;
  std::optional<int64_t> bosId;
  /// The ids that end a text.
  std::vector<int64_t> stopIds;
  bool addBos = false;
  /// Tokens of the model.
  int64_t vocabSize = 0;
};

/// How pictures become the input of an image classifier, as the checkpoint says it (`image` of Format.h).
struct ImageAssets {
  /// Height and width.
  std::optional<std::pair<int64_t, int64_t>> resize, crop;
  std::optional<int64_t> shortestEdge;
  /// "bilinear" or "bicubic".
  std::string filter;
  bool alignCorners = false;
  bool antialias = false;
  double rescaleFactor = 1;
  std::vector<double> mean, std;
  std::vector<std::string> labels;
  bool givesProbabilities = false;
};

/// Which guesses of a guesser a step tries (`medusa` of Format.h).
struct GuessTree {
  /// The ranks that lead to each node but the root, by length and then lexicographically.
  std::vector<std::vector<int64_t>> paths;
  /// "file", "calibration" or "assumed".
  std::string source;
  /// Tokens that a step is expected to write.
  std::optional<double> expectedTokens;
};

/// What the compiled code is written as.
enum class OutputKind {
  Executable, ///< native code, runtime, tokenizer and weights in one file
  Shared,     ///< the same as a shared library, with a C header beside it
  Object,     ///< kernels and programs of every target in one relocatable object, without weights
};

struct CodegenOptions {
  OutputKind kind = OutputKind::Executable;
  std::string outputPath;
  /// Where the compiler's own libraries lie (the runtime's archives).
  std::string libraryDir;
  /// What assembles the PTX of kernels; null: the drivers that run it.
  const Ptxas *ptxas = nullptr;
  /// Kernels compiled at once.
  unsigned jobs = 2;
  /// Name of the model, for the description.
  std::string model;
  bool exact = false;
  const TextAssets *text = nullptr;
  /// Where compiled kernels are kept for the next compilation; empty: nowhere.
  std::string cacheDir;
  /// Given: executables read image files.
  const ImageAssets *image = nullptr;
  /// Given where an entry guesses tokens.
  const GuessTree *guesses = nullptr;
  /// Asked when all code is compiled, before anything is written; a failure, which has said why,
  /// ends the compilation. So what goes on in another process need not be waited for before.
  std::function<mlir::LogicalResult()> confirm = [] { return mlir::success(); };
  /// Called with the name of each phase that begins, for `--timing`.
  std::function<void(llvm::StringRef)> phase = [](llvm::StringRef) {};
};

/// Compiles `targets`, best first, to `options.outputPath`. All modules hold the same parameters and entries; `source`
/// gives the values of the external parameters. The output appears whole or not at all. Errors are diagnostics.
mlir::LogicalResult compileModule(llvm::ArrayRef<TargetModule> targets, ParameterSource &source,
                                  const CodegenOptions &options);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_CODEGEN_H
