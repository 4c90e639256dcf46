//===- Ast.cpp - the syntax tree of one model file
//---------------------------------------------===//

#include "frontend/Ast.h"
#include "frontend/Lexer.h"
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

} // namespace quern::frontend
