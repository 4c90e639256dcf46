//===- ModelBase.cpp - the base that a model file is given -------------------------------------===//

#include "tools/driver/ModelBase.h"
#include "tools/driver/Compiler.h"

#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"
#include "frontend/ModelText.h"
#include "frontend/Parser.h"

#include "llvm/Support/SourceMgr.h"

#include <CLI/CLI.hpp>

using namespace mlir;
using namespace quern::frontend;

namespace quern::tool {

void addBaseOption(CLI::App &command, std::string &base) {
  command.add_option("--base", base, "The model file that `import base` means")->check([](const std::string &path) {
    return path.empty() ? "found an empty name, expected a model file" : "";
  });
}

/// Whether the file imports a base; nothing where that cannot be said.
static std::optional<bool> importsBase(llvm::StringRef model) {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> text = readModelText(model);
  if (!text) {
    llvm::consumeError(text.takeError());
    return std::nullopt;
  }
  llvm::SourceMgr sources;
  unsigned main = sources.AddNewSourceBuffer(std::move(*text), llvm::SMLoc());
  frontend::DiagnosticEngine diagnostics(sources);
  AstContext tree;
  const SourceFile *file = parseFile(sources, main, tree, diagnostics);
  if (diagnostics.hasErrors())
    return std::nullopt;
  return findBaseImport(*file) != nullptr;
}

LogicalResult checkBase(llvm::ArrayRef<std::string> models, llvm::StringRef base) {
  bool mayImport = false;
  for (const std::string &model : models) {
    std::optional<bool> imports = importsBase(model);
    mayImport |= imports.value_or(true);
    if (imports == true && base.empty())
      return refuse("`" + model + "` imports a base; expected its model file with `--base FILE`");
  }
  if (!base.empty() && !mayImport)
    return refuse("`--base` is `" + base + "`, but `" + models.front() +
                  "` imports no base; expected a model file with `import base as NAME`");
  return success();
}

} // namespace quern::tool
