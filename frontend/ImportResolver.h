//===- ImportResolver.h - the files that make one model ---------------------------------------===//

#ifndef QUERN_FRONTEND_IMPORTRESOLVER_H
#define QUERN_FRONTEND_IMPORTRESOLVER_H

#include "frontend/Ast.h"

#include <string>
#include <vector>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace quern::frontend {

class DiagnosticEngine;

/// One file of a model.
struct LoadedFile {
  SourceFile *file;
  /// Whether it was found through an import path: a library, not the model's own.
  bool isLibrary;
  /// Whether `import base` means it.
  bool isBase = false;
};

/// Parses buffer `main` and every file that it imports, directly or not, each once. An import is
/// looked for beside the importing file, then in `importPaths`; `import base`, in the main file only, means the file
/// `base`. The result is in the order of dependence: a file follows what it imports.
std::vector<LoadedFile> resolveImports(llvm::SourceMgr &sources, unsigned main, llvm::ArrayRef<std::string> importPaths,
                                       llvm::StringRef base, AstContext &context, DiagnosticEngine &diagnostics);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_IMPORTRESOLVER_H
