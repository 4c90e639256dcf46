//===- Ast.cpp - the syntax tree of one model file
//---------------------------------------------===//

#include "frontend/Ast.h"
#include "frontend/Lexer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/ErrorHandling.h"

using namespace llvm;

namespace quern::frontend {

/// The spelling of a sign.
static StringRef spelling(TokenKind kind) { return describe(kind).trim('`'); }

StringRef spelling(BinaryOp op) {
  switch (op) {
#define QUERN_BINARY(Kind, Operator, precedence)                                                                       \
  case BinaryOp::Operator:                                                                                             \
    return spelling(TokenKind::Kind);
#include "frontend/Tokens.def"
  case BinaryOp::Power:
    return spelling(TokenKind::Power);
  }
  llvm_unreachable("unknown binary operator");
}

StringRef spelling(UnaryOp op) { return spelling(op == UnaryOp::Negate ? TokenKind::Minus : TokenKind::Not); }

bool hasEntry(const ModuleDecl &module) {
  return any_of(module.body, [](const Decl *decl) {
    auto *function = dyn_cast<FunctionDecl>(decl);
    return function && function->functionKind == FunctionKind::Entry;
  });
}

const ModuleDecl *findRootModule(const SourceFile &file) {
  for (const Decl *decl : reverse(file.decls))
    if (auto *module = dyn_cast<ModuleDecl>(decl); module && hasEntry(*module))
      return module;
  return nullptr;
}

const ImportDecl *findBaseImport(const SourceFile &file) {
  for (const Decl *decl : file.decls)
    if (auto *import = dyn_cast<ImportDecl>(decl); import && import->isBase())
      return import;
  return nullptr;
}

} // namespace quern::frontend
