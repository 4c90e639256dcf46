//===- Lexer.h - PTX text to tokens ------------------------------------------------------------===//

#ifndef QUERN_TEST_PTX_LEXER_H
#define QUERN_TEST_PTX_LEXER_H

#include <string_view>
#include <vector>

namespace quern::ptx {

class Diagnostics;

struct Token {
  enum class Kind {
    Word,   ///< a name, a directive or an instruction with its modifiers: letters, digits and `_ $ % .`
    Number, ///< what begins with a digit
    String, ///< without its quotes
    Mark,   ///< one character
    End,
  };
  Kind kind = Kind::End;
  std::string_view text;
  unsigned line = 0;
};

/// The tokens of `source`, which they refer to, without comments; the last is an End.
std::vector<Token> tokenize(std::string_view source, Diagnostics &diagnostics);

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_LEXER_H
