//===- ParserString.cpp - strings and their interpolations
//-------------------------------------===//

#include "frontend/ParserImpl.h"

using namespace llvm;

namespace quern::frontend {

/// The length of the text ahead up to a brace that is not escaped.
static size_t textLength(StringRef body) {
  size_t length = 0;
  while (length < body.size() && body[length] != '{' && body[length] != '}')
    length += body[length] == '\\' && length + 1 < body.size() ? 2 : 1;
  return length;
}

/// The length of what is between an interpolation's braces, or npos where the second one is
/// missing.
static size_t interpolationLength(StringRef body) {
  unsigned open = 1;
  for (size_t i = 0; i < body.size(); ++i) {
    open += body[i] == '{';
    open -= body[i] == '}';
    if (open == 0)
      return i;
  }
  return StringRef::npos;
}

static SourceRange rangeOf(StringRef text) {
  return {SMLoc::getFromPointer(text.begin()), SMLoc::getFromPointer(text.end())};
}

StringExpr *Parser::parseString() {
  if (!at(TokenKind::String)) {
    expected("a string");
    return nullptr;
  }
  Token token = take();
  StringRef body = token.text.drop_front();
  // The lexer has reported a missing quote.
  if (body.ends_with("\""))
    body = body.drop_back();
  SmallVector<StringPart> parts;
  SmallVector<const Expr *> children;
  while (!body.empty()) {
    if (size_t length = textLength(body)) {
      parts.push_back({unescape(body.take_front(length)), nullptr});
      body = body.drop_front(length);
      continue;
    }
    size_t length = interpolationLength(body.drop_front());
    if (body.front() == '}' || length == StringRef::npos) {
      StringRef brace = body.take_front(1);
      error(rangeOf(brace), "this brace has no partner").hint("as a character it is written `\\" + brace + "`");
      return nullptr;
    }
    parts.push_back({"", parseInterpolation(body.substr(1, length))});
    if (!parts.back().value)
      return nullptr;
    children.push_back(parts.back().value);
    body = body.drop_front(length + 2);
  }
  return make<StringExpr>(token.range(), children, save(parts));
}

StringExpr *Parser::parsePlainString(StringRef what) {
  StringExpr *string = parseString();
  if (!string || string->isPlain())
    return string;
  error(string->range, what + " cannot contain `{…}`");
  return nullptr;
}

StringRef Parser::unescape(StringRef body) {
  if (!body.contains('\\'))
    return body;
  std::string text;
  while (!body.empty()) {
    if (body.front() != '\\') {
      text += body.front();
      body = body.drop_front();
      continue;
    }
    StringRef escape = body.take_front(2);
    char code = escape.back();
    if (code == 'n')
      text += '\n';
    else if (code == 't')
      text += '\t';
    else if (escape.size() == 2 && StringRef("\\\"{}").contains(code))
      text += code;
    else
      error(rangeOf(escape), "unknown escape `" + escape + "`")
          .hint("expected `\\n`, `\\t`, `\\\\`, `\\\"`, `\\{` or `\\}`");
    body = body.drop_front(escape.size());
  }
  return context.copy(StringRef(text));
}

Expr *Parser::parseInterpolation(StringRef body) {
  std::vector<Token> inner = lex(body, diagnostics);
  SaveAndRestore outerTokens(tokens, ArrayRef<Token>(inner));
  SaveAndRestore outerPosition(position, size_t(0));
  SaveAndRestore outerEnd(previousEnd);
  SaveAndRestore outerRoles(roles, MutableArrayRef<TokenRole>());
  Bracketed bracketed(*this);
  skipComments();
  Expr *value = gaveUp ? nullptr : parseExpr();
  if (value && !at(TokenKind::EndOfFile)) {
    expected("`}`");
    value = nullptr;
  }
  return value;
}

} // namespace quern::frontend
