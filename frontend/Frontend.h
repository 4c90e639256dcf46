//===- Frontend.h - from model text to graph IR -----------------------------------------------===//

#ifndef QUERN_FRONTEND_FRONTEND_H
#define QUERN_FRONTEND_FRONTEND_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace quern::frontend {

class Checkpoint;
class DiagnosticEngine;
class ModelConfig;

/// What a model file is compiled against.
struct ModelInputs {
  /// Null: defaults count. Values that have none stay unknown; what can be checked is, and nothing
  /// is emitted.
  const ModelConfig *config = nullptr;
  /// Null: every parameter is f32 and present.
  const Checkpoint *checkpoint = nullptr;
};

/// The knobs of the frontend.
struct FrontendOptions {
  /// Folders in which imports are looked for after the folder of the importing file.
  std::vector<std::string> importPaths;
  /// The file that `import base` means; empty: none.
  std::string base;
  /// The module whose entries are compiled; empty: the last one with an entry in the main file.
  std::string rootModule;
  /// States in f32 instead of f16.
  bool exact = false;
};

/// Parses buffer `main` of `sources` and the files it imports (which are added to `sources`),
/// elaborates its root module and gives the graph as a module of `quern.parameter`, `quern.state`
/// and `quern.entry` ops. Reports every error it can find to `diagnostics` and fails then. Without
/// a configuration that decides every size the module is empty.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> parseModel(llvm::SourceMgr &sources, unsigned main,
                                                              const ModelInputs &inputs, const FrontendOptions &options,
                                                              mlir::MLIRContext *context,
                                                              DiagnosticEngine &diagnostics);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_FRONTEND_H
