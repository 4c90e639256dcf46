//===- Program.cpp - everything that a model's files declare ----------------------------------===//

#include "frontend/Program.h"
#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"

#include "llvm/Support/Casting.h"

using namespace llvm;

namespace quern::frontend {

Program::Program(ArrayRef<LoadedFile> files, DiagnosticEngine &diagnostics)
    : diagnostics(diagnostics), partial(diagnostics.hasErrors()) {
  for (const LoadedFile &loaded : files) {
    main = loaded.file;
    if (loaded.isBase)
      baseRoot = findRootModule(*loaded.file);
    lacksImport |= main->lacksImport;
    lostNames.insert_range(main->lostNames);
    for (const Decl *decl : loaded.file->decls)
      declare(*decl, loaded.isLibrary);
  }
}

const ConfigEntry *Program::findConfig(StringRef key) const {
  auto it = configEntries.find(key);
  return it == configEntries.end() ? nullptr : &it->second;
}

std::vector<StringRef> Program::names() const {
  std::vector<StringRef> result;
  for (const auto &entry : places)
    result.push_back(entry.getKey());
  for (const auto &[key, entry] : configEntries)
    result.push_back(key);
  llvm::sort(result);
  return result;
}

bool Program::claim(const Identifier &name) {
  if (findBuiltin(name.text)) {
    diagnostics.error(name.range, "`" + name.text + "` is a primitive of the language");
    return false;
  }
  auto [it, isNew] = places.try_emplace(name.text, name.range);
  if (!isNew)
    diagnostics.error(name.range, "`" + name.text + "` is declared twice").note(it->second, "first declared here");
  return isNew;
}

void Program::declare(const Decl &decl, bool isLibrary) {
  switch (decl.kind) {
  case DeclKind::Import:
    return declareBase(cast<ImportDecl>(decl));
  case DeclKind::Member:
    return;
  case DeclKind::Config:
    return declareConfig(cast<ConfigDecl>(decl), isLibrary);
  case DeclKind::Module: {
    auto &module = cast<ModuleDecl>(decl);
    // Its scope is needed even where the name is taken: its body is checked all the same.
    declareModule(module, isLibrary);
    if (claim(module.name))
      modules[module.name.text] = &module;
    return;
  }
  case DeclKind::Function: {
    auto &function = cast<FunctionDecl>(decl);
    if (claim(function.name))
      functions[function.name.text] = &function;
    return;
  }
  case DeclKind::Constant: {
    auto &constant = cast<ConstantDecl>(decl);
    if (claim(constant.name))
      constants[constant.name.text] = &constant;
    return;
  }
  case DeclKind::Require:
    requireDecls.push_back(&cast<RequireDecl>(decl));
    return;
  }
}

void Program::declareBase(const ImportDecl &import) {
  if (!import.isBase() || !baseRoot)
    return;
  if (this->import)
    diagnostics.error(import.range, "the base is imported twice").note(this->import->range, "first imported here");
  this->import = &import;
  // The file may call it so itself.
  if (findModule(import.alias.text) != baseRoot && claim(import.alias))
    modules[import.alias.text] = baseRoot;
}

/// Whether two declarations of one field can mean the same field.
static bool sameKind(const TypeExpr &a, const TypeExpr &b) {
  if (a.kind != b.kind) {
    auto isString = [](const TypeExpr &type) {
      auto *named = dyn_cast<NamedType>(&type);
      return type.kind == TypeKind::Choice || (named && named->name.text == "string");
    };
    return isString(a) && isString(b);
  }
  if (auto *named = dyn_cast<NamedType>(&a))
    return named->name.text == cast<NamedType>(b).name.text;
  return true;
}

void Program::declareConfig(const ConfigDecl &decl, bool isLibrary) {
  StringMap<SourceRange> here;
  for (const ConfigField &field : decl.fields) {
    auto [place, isNew] = here.try_emplace(field.key.text, field.key.range);
    if (!isNew) {
      diagnostics.error(field.key.range, "config field `" + field.key.text + "` is declared twice")
          .note(place->second, "first declared here");
      continue;
    }
    auto [it, inserted] = configEntries.insert({field.key.text, ConfigEntry{&field, field.defaultValue, isLibrary}});
    if (inserted)
      continue;
    ConfigEntry &entry = it->second;
    if (!sameKind(*entry.field->type, *field.type)) {
      diagnostics.error(field.type->range, "config field `" + field.key.text + "` is declared with another type")
          .note(entry.field->type->range, "the other declaration is here");
      continue;
    }
    entry.field = &field;
    entry.isLibrary &= isLibrary;
    if (field.defaultValue)
      entry.defaultValue = field.defaultValue;
  }
}

void Program::declareModule(const ModuleDecl &module, bool isLibrary) {
  ModuleScope &scope = scopes[&module];
  scope.isLibrary = isLibrary;
  StringMap<SourceRange> taken;
  auto claimHere = [&](const Identifier &name) {
    auto [it, isNew] = taken.try_emplace(name.text, name.range);
    if (!isNew)
      diagnostics.error(name.range, "`" + name.text + "` is declared twice in module `" + module.name.text + "`")
          .note(it->second, "first declared here");
    return isNew;
  };
  for (const Parameter &parameter : module.parameters)
    claimHere(parameter.name);
  for (const Decl *decl : module.body) {
    if (auto *member = dyn_cast<MemberDecl>(decl)) {
      if (claimHere(member->name))
        scope.members[member->name.text] = member;
    } else if (auto *constant = dyn_cast<ConstantDecl>(decl)) {
      if (claimHere(constant->name))
        scope.constants[constant->name.text] = constant;
    } else if (auto *function = dyn_cast<FunctionDecl>(decl)) {
      if (function->functionKind != FunctionKind::Call) {
        if (claimHere(function->name))
          scope.functions[function->name.text] = function;
      } else if (scope.call) {
        diagnostics.error(function->range, "module `" + module.name.text + "` has two functions without a name")
            .note(scope.call->range, "the first one is here");
      } else {
        scope.call = function;
      }
    }
  }
}

} // namespace quern::frontend
