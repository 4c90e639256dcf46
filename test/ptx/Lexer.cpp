//===- Lexer.cpp - PTX text to tokens ----------------------------------------------------------===//

#include "test/ptx/Lexer.h"

#include "test/ptx/Diagnostics.h"

#include <algorithm>

namespace quern::ptx {

static bool isDigit(char c) { return c >= '0' && c <= '9'; }

static bool isWord(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '%' || c == '.';
}

namespace {
class Lexer {
public:
  Lexer(std::string_view source, Diagnostics &diagnostics) : source(source), diagnostics(diagnostics) {}

  std::vector<Token> run() {
    while (skipBlank())
      tokens.push_back(next());
    tokens.push_back({Token::Kind::End, "", line});
    return std::move(tokens);
  }

private:
  /// Goes to the next token; false at the end.
  bool skipBlank() {
    while (at < source.size()) {
      std::string_view rest = source.substr(at);
      if (rest.starts_with("//")) {
        at = std::min(source.find('\n', at), source.size());
      } else if (rest.starts_with("/*")) {
        size_t end = source.find("*/", at + 2);
        if (end == std::string_view::npos)
          diagnostics.fail(line, "a comment has no end, expected `*/`");
        advance(end == std::string_view::npos ? source.size() : end + 2);
      } else if (rest[0] == ' ' || (rest[0] >= '\t' && rest[0] <= '\r')) {
        advance(at + 1);
      } else {
        return true;
      }
    }
    return false;
  }

  void advance(size_t end) {
    line += static_cast<unsigned>(std::count(source.begin() + at, source.begin() + end, '\n'));
    at = end;
  }

  Token next() {
    size_t begin = at;
    char first = source[at];
    if (first == '"') {
      size_t end = source.find('"', at + 1);
      if (end == std::string_view::npos) {
        diagnostics.fail(line, "a string has no end");
        end = source.size() - 1;
      }
      Token token{Token::Kind::String, source.substr(begin + 1, end == begin ? 0 : end - begin - 1), line};
      advance(end + 1);
      return token;
    }
    if (!isWord(first)) {
      ++at;
      if (std::string_view("{}[]()<>,;:+-@!|=*").find(first) == std::string_view::npos)
        diagnostics.fail(line, "unexpected character `" + std::string(1, first) + "`");
      return {Token::Kind::Mark, source.substr(begin, 1), line};
    }
    while (at < source.size() && (isWord(source[at]) || source.substr(at, 2) == "::"))
      // `.L1::evict_last` is one modifier.
      at += source[at] == ':' ? 2 : 1;
    return {isDigit(first) ? Token::Kind::Number : Token::Kind::Word, source.substr(begin, at - begin), line};
  }

  std::string_view source;
  Diagnostics &diagnostics;
  size_t at = 0;
  unsigned line = 1;
  std::vector<Token> tokens;
};
} // namespace

std::vector<Token> tokenize(std::string_view source, Diagnostics &diagnostics) {
  return Lexer(source, diagnostics).run();
}

} // namespace quern::ptx
