//===- Program.h - everything that a model's files declare ------------------------------------===//

#ifndef QUERN_FRONTEND_PROGRAM_H
#define QUERN_FRONTEND_PROGRAM_H

#include "frontend/ImportResolver.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace quern::frontend {

/// A configuration field: several files may declare it; the last one gives the type, the last
/// default counts.
struct ConfigEntry {
  const ConfigField *field;
  /// Null where no file gives one.
  Expr *defaultValue;
  /// Whether only libraries declare it.
  bool isLibrary;
};

/// What a module declares, by name.
struct ModuleScope {
  llvm::StringMap<const MemberDecl *> members;
  llvm::StringMap<const ConstantDecl *> constants;
  llvm::StringMap<const FunctionDecl *> functions;
  /// `fn (…)`; null where calling the module means nothing.
  const FunctionDecl *call = nullptr;
  bool isLibrary = false;
};

/// The declarations of all files, in one namespace.
class Program {
public:
  /// Collects them; reports names that are declared twice.
  Program(llvm::ArrayRef<LoadedFile> files, DiagnosticEngine &diagnostics);

  /// The declaration of that name, or null.
  const ModuleDecl *findModule(llvm::StringRef name) const { return modules.lookup(name); }
  const FunctionDecl *findFunction(llvm::StringRef name) const { return functions.lookup(name); }
  const ConstantDecl *findConstant(llvm::StringRef name) const { return constants.lookup(name); }
  const ConfigEntry *findConfig(llvm::StringRef key) const;

  /// What `module`, one of the program's, declares.
  const ModuleScope &scope(const ModuleDecl *module) const { return scopes.find(module)->second; }

  /// The root module of the base, and its import; null without one.
  const ModuleDecl *getBaseRoot() const { return baseRoot; }
  const ImportDecl *getBaseImport() const { return import; }

  /// Configuration fields in the order in which they were first declared.
  const llvm::MapVector<llvm::StringRef, ConfigEntry> &config() const { return configEntries; }
  /// Requirements of all files.
  llvm::ArrayRef<const RequireDecl *> requirements() const { return requireDecls; }
  /// Whether errors were found before: declarations may be missing.
  bool isPartial() const { return partial; }
  /// Whether `name` may be declared by what was lost to those errors, so that using it is no error.
  bool isLost(llvm::StringRef name) const { return lacksImport || lostNames.contains(name); }
  /// The file that was asked for; its declarations come last.
  const SourceFile &mainFile() const { return *main; }

  /// Every name that an expression at file level can mean, for suggestions.
  std::vector<llvm::StringRef> names() const;

private:
  void declare(const Decl &decl, bool isLibrary);
  void declareBase(const ImportDecl &import);
  void declareConfig(const ConfigDecl &decl, bool isLibrary);
  void declareModule(const ModuleDecl &module, bool isLibrary);
  /// Whether `name` is new in the namespace; reports it otherwise.
  bool claim(const Identifier &name);

  DiagnosticEngine &diagnostics;
  bool partial, lacksImport = false;
  llvm::StringSet<> lostNames;
  SourceFile *main = nullptr;
  const ModuleDecl *baseRoot = nullptr;
  const ImportDecl *import = nullptr;
  llvm::StringMap<const ModuleDecl *> modules;
  llvm::StringMap<const FunctionDecl *> functions;
  llvm::StringMap<const ConstantDecl *> constants;
  llvm::StringMap<SourceRange> places;
  llvm::MapVector<llvm::StringRef, ConfigEntry> configEntries;
  llvm::DenseMap<const ModuleDecl *, ModuleScope> scopes;
  std::vector<const RequireDecl *> requireDecls;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_PROGRAM_H
