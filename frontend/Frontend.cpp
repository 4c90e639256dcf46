//===- Frontend.cpp - from model text to graph IR ---------------------------------------------===//

#include "frontend/Frontend.h"
#include "frontend/ConfigAgreement.h"
#include "frontend/Elaborator.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace quern::frontend {

/// The module whose entries are compiled; null where there is none, which is reported if one is
/// needed.
static const ModuleDecl *findRoot(const Program &program, const FrontendOptions &options, bool isNeeded,
                                  DiagnosticEngine &diagnostics) {
  if (!options.rootModule.empty()) {
    const ModuleDecl *module = program.findModule(options.rootModule);
    if (module && hasEntry(*module))
      return module;
    diagnostics.error({}, module ? "module `" + options.rootModule + "` has no entry"
                                 : "the model has no module `" + options.rootModule + "`");
    return nullptr;
  }
  const ModuleDecl *root = findRootModule(program.mainFile());
  if (!root && isNeeded)
    diagnostics.error({}, "the model has no entry; expected a module with `entry NAME(…) -> …`");
  return root;
}

/// Checks what no entry reaches in the main file. Parameters are unknown there, so nothing may be
/// emitted.
static void checkRest(const Program &program, const Elaborator &main, const ModelInputs &inputs,
                      const FrontendOptions &options, const SourceMgr &sources, mlir::MLIRContext *context,
                      Budget &budget, DiagnosticEngine &diagnostics) {
  Emitter silent(context, sources, /*roots=*/{}, /*active=*/false);
  Elaborator checker(program, {inputs.config, nullptr}, options, silent, budget, diagnostics,
                     /*isLoose=*/true);
  for (const Decl *decl : program.mainFile().decls) {
    if (auto *module = dyn_cast<ModuleDecl>(decl); module && !main.wasReached(*module))
      checker.checkModule(*module);
    if (auto *function = dyn_cast<FunctionDecl>(decl))
      checker.checkFunction(*function, nullptr);
  }
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> parseModel(SourceMgr &sources, unsigned main,
                                                              const ModelInputs &inputs, const FrontendOptions &options,
                                                              mlir::MLIRContext *context,
                                                              DiagnosticEngine &diagnostics) {
  context->getOrLoadDialect<QuernDialect>();
  AstContext ast;
  std::vector<LoadedFile> files = resolveImports(sources, main, options.importPaths, options.base, ast, diagnostics);
  // After a syntax error declarations may be missing: the rest is checked all the same.
  Program program(files, diagnostics);
  bool needsRoot = inputs.checkpoint != nullptr && !program.isPartial();
  const ModuleDecl *root = findRoot(program, options, needsRoot, diagnostics);
  // All that a configuration for another model would be blamed for follows from that.
  if (inputs.config && failed(checkPurpose(program, *inputs.config, diagnostics)))
    return failure();
  std::vector<std::string> roots = options.importPaths;
  StringRef path = sources.getMemoryBuffer(main)->getBufferIdentifier();
  roots.push_back(sys::path::parent_path(path).str());
  if (!options.base.empty())
    roots.push_back(sys::path::parent_path(options.base).str());
  Emitter emitter(context, sources, std::move(roots), /*active=*/true);
  Budget budget(sources, diagnostics);
  Elaborator elaborator(program, inputs, options, emitter, budget, diagnostics);
  // So does it from one that is no such model's.
  if (failed(elaborator.readConfig()))
    return failure();
  if (root && inputs.config && failed(checkUnread(program, *inputs.config, root->name.range, diagnostics)))
    return failure();
  if (root)
    elaborator.runRoot(*root);
  checkRest(program, elaborator, inputs, options, sources, context, budget, diagnostics);
  if (diagnostics.hasErrors())
    return failure();
  mlir::OwningOpRef<mlir::ModuleOp> module = emitter.take();
  if (failed(mlir::verify(*module)))
    return failure();
  return module;
}

} // namespace quern::frontend
