//===- Lexer.cpp - from characters to tokens
//---------------------------------------------------===//

#include "frontend/Lexer.h"
#include "frontend/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ConvertUTF.h"

using namespace llvm;

namespace quern::frontend {
namespace {

/// A row of the punctuation table.
struct Punctuation {
  TokenKind kind;
  StringLiteral spelling;
};

constexpr Punctuation punctuations[] = {
#define QUERN_PUNCTUATION(Kind, spelling) {TokenKind::Kind, spelling},
#include "frontend/Tokens.def"
};

class Lexer {
public:
  Lexer(StringRef text, DiagnosticEngine &diagnostics) : rest(text), diagnostics(diagnostics) {}

  std::vector<Token> run();

private:
  /// Skips blanks and line breaks; counts the breaks.
  void skipBlanks();
  void lexToken();
  void lexComment();
  void lexString();
  void lexNumber();
  void lexInvalid();

  /// Takes `length` characters as a token.
  void push(TokenKind kind, size_t length);
  /// Reports every malformed character in `text`.
  void checkCharacters(StringRef text);
  /// Reports what is wrong with the character at the start of `text`, if anything; returns its
  /// length in bytes.
  size_t checkCharacter(StringRef text);

  /// What is not yet a token.
  StringRef rest;
  DiagnosticEngine &diagnostics;
  std::vector<Token> tokens;
  unsigned linesBefore = 0;
};

} // namespace

static bool startsName(char c) { return isAlpha(c) || c == '_'; }
static bool continuesName(char c) { return isAlnum(c) || c == '_'; }

static SMRange rangeOf(StringRef text) {
  return {SMLoc::getFromPointer(text.begin()), SMLoc::getFromPointer(text.end())};
}

static TokenKind wordKind(StringRef word) {
  return StringSwitch<TokenKind>(word)
#define QUERN_KEYWORD(Kind, spelling) .Case(spelling, TokenKind::Kind)
#include "frontend/Tokens.def"
      .Default(TokenKind::Name);
}

std::vector<Token> Lexer::run() {
  rest.consume_front("\xEF\xBB\xBF"); // the byte order mark that some editors write
  for (skipBlanks(); !rest.empty(); skipBlanks())
    lexToken();
  tokens.push_back({TokenKind::EndOfFile, rest.take_front(0), linesBefore});
  return std::move(tokens);
}

void Lexer::skipBlanks() {
  StringRef blanks = rest.take_while([](char c) { return StringRef(" \t\r\n").contains(c); });
  linesBefore += blanks.count('\n');
  rest = rest.drop_front(blanks.size());
}

void Lexer::push(TokenKind kind, size_t length) {
  tokens.push_back({kind, rest.take_front(length), linesBefore});
  rest = rest.drop_front(length);
  linesBefore = 0;
}

void Lexer::lexToken() {
  if (rest.starts_with("//"))
    return lexComment();
  char first = rest.front();
  if (first == '"')
    return lexString();
  if (isDigit(first))
    return lexNumber();
  if (startsName(first)) {
    StringRef word = rest.take_while(continuesName);
    if (word.size() > maxNameBytes)
      diagnostics.error(rangeOf(word),
                        "a name of " + Twine(word.size()) + " characters; expected at most " + Twine(maxNameBytes));
    return push(wordKind(word), word.size());
  }
  for (const Punctuation &row : punctuations)
    if (rest.starts_with(row.spelling))
      return push(row.kind, row.spelling.size());
  lexInvalid();
}

void Lexer::lexComment() {
  StringRef line = rest.take_until([](char c) { return c == '\n'; });
  checkCharacters(line);
  StringRef text = line.rtrim(" \t\r");
  bool isDoc = text.starts_with("///") && !text.starts_with("////");
  push(isDoc ? TokenKind::DocComment : TokenKind::Comment, text.size());
}

void Lexer::lexString() {
  size_t length = 1;
  while (length < rest.size() && rest[length] != '"' && rest[length] != '\n')
    length += rest[length] == '\\' && length + 1 < rest.size() && rest[length + 1] != '\n' ? 2 : 1;
  bool closed = length < rest.size() && rest[length] == '"';
  if (!closed)
    length = rest.take_front(length).rtrim(" \t\r").size();
  StringRef text = rest.take_front(length + closed);
  checkCharacters(text);
  if (!closed)
    diagnostics.error(rangeOf(text), "this string is not closed").hint("it needs a `\"` on the same line");
  push(TokenKind::String, text.size());
}

void Lexer::lexNumber() {
  auto digitsAt = [&](size_t at) { return rest.drop_front(at).take_while(isDigit).size(); };
  size_t length = digitsAt(0);
  TokenKind kind = TokenKind::Integer;
  if (size_t fraction = rest.drop_front(length).starts_with(".") ? digitsAt(length + 1) : 0) {
    length += 1 + fraction;
    kind = TokenKind::Float;
  }
  StringRef tail = rest.drop_front(length);
  size_t mark = tail.size() > 1 && StringRef("+-").contains(tail[1]) ? 2 : 1;
  if (size_t exponent = tail.starts_with_insensitive("e") ? digitsAt(length + mark) : 0) {
    length += mark + exponent;
    kind = TokenKind::Float;
  }
  StringRef surplus = rest.drop_front(length).take_while(continuesName);
  if (!surplus.empty()) {
    StringRef word = rest.take_front(length + surplus.size());
    diagnostics.error(rangeOf(word), "`" + word + "` is neither a number nor a name")
        .hint("a name starts with a letter or `_`");
  }
  push(kind, length);
  rest = rest.drop_front(surplus.size());
}

void Lexer::lexInvalid() {
  size_t length = checkCharacter(rest);
  // A well-formed character that starts no token; checkCharacter has reported any other.
  if (!isASCII(rest.front()) ? length > 1 : isPrint(rest.front())) {
    StringRef character = rest.take_front(length);
    auto &error = diagnostics.error(rangeOf(character), "unexpected character `" + character + "`");
    if (character == "&")
      error.hint("`and` is written `&&`");
    if (character == "'")
      error.hint("strings are written with `\"`");
    if (character == "#")
      error.hint("comments are written with `//`");
  }
  push(TokenKind::Invalid, length);
}

void Lexer::checkCharacters(StringRef text) {
  while (!text.empty())
    text = text.drop_front(checkCharacter(text));
}

size_t Lexer::checkCharacter(StringRef text) {
  char first = text.front();
  if (isASCII(first)) {
    if (first == '\0')
      diagnostics.error(rangeOf(text.take_front(1)), "the file contains a NUL byte");
    else if (!isPrint(first) && first != '\t' && first != '\r')
      diagnostics.error(rangeOf(text.take_front(1)), "the file contains the control character 0x" + toHex(first, true));
    return 1;
  }
  const auto *begin = reinterpret_cast<const UTF8 *>(text.begin());
  const auto *end = reinterpret_cast<const UTF8 *>(text.end());
  if (isLegalUTF8Sequence(begin, end))
    return getNumBytesForUTF8(*begin);
  diagnostics.error(rangeOf(text.take_front(1)),
                    "the byte 0x" + toHex(text.take_front(1), true) + " is not valid UTF-8");
  return 1;
}

std::vector<Token> lex(StringRef text, DiagnosticEngine &diagnostics) {
  if (text.size() > maxFileBytes) {
    diagnostics.error(rangeOf(text.take_front(0)),
                      "the file has " + Twine(text.size()) + " bytes; a model file has at most " + Twine(maxFileBytes));
    return {{TokenKind::EndOfFile, text.take_front(0), 0}};
  }
  return Lexer(text, diagnostics).run();
}

StringRef describe(TokenKind kind) {
  switch (kind) {
#define QUERN_TOKEN(Kind, name)                                                                                        \
  case TokenKind::Kind:                                                                                                \
    return name;
#define QUERN_PUNCTUATION(Kind, spelling)                                                                              \
  case TokenKind::Kind:                                                                                                \
    return "`" spelling "`";
#define QUERN_KEYWORD(Kind, spelling)                                                                                  \
  case TokenKind::Kind:                                                                                                \
    return "`" spelling "`";
#include "frontend/Tokens.def"
  }
  llvm_unreachable("unknown kind of token");
}

} // namespace quern::frontend
