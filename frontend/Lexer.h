//===- Lexer.h - from characters to tokens
//-----------------------------------------------------===//

#ifndef QUERN_FRONTEND_LEXER_H
#define QUERN_FRONTEND_LEXER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"
#include <cstdint>
#include <vector>

namespace quern::frontend {

class DiagnosticEngine;

/// The largest model file that is read, in bytes.
inline constexpr size_t maxFileBytes = 16 << 20;

/// The longest name.
inline constexpr size_t maxNameBytes = 256;

enum class TokenKind : uint8_t {
#define QUERN_TOKEN(Kind, name) Kind,
#define QUERN_PUNCTUATION(Kind, spelling) Kind,
#define QUERN_KEYWORD(Kind, spelling) Kind,
#include "frontend/Tokens.def"
};

/// A word, number, string, sign or comment.
struct Token {
  TokenKind kind;
  /// As it is written, inside the source buffer. A string with its quotes (without the second where
  /// it is missing), a comment with its slashes and without blanks at its end.
  llvm::StringRef text;
  /// Line breaks between the token before and this one: 0 on the same line, more than 1 after empty
  /// lines.
  unsigned linesBefore;

  bool is(TokenKind other) const { return kind == other; }
  bool isComment() const { return kind == TokenKind::Comment || kind == TokenKind::DocComment; }
  llvm::SMLoc begin() const { return llvm::SMLoc::getFromPointer(text.begin()); }
  llvm::SMLoc end() const { return llvm::SMLoc::getFromPointer(text.end()); }
  llvm::SMRange range() const { return {begin(), end()}; }
};

/// All tokens of `text` with the comments, and EndOfFile last. Reports what is no token (a stray
/// character, a malformed number, an open string, invalid UTF-8, a NUL byte) and goes on behind it.
std::vector<Token> lex(llvm::StringRef text, DiagnosticEngine &diagnostics);

/// How a message speaks of a kind of token: "a name", "`->`".
llvm::StringRef describe(TokenKind kind);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_LEXER_H
