//===- Parser.cpp - the parser's cursor, errors and recovery
//-----------------------------------===//

#include "frontend/Parser.h"
#include "frontend/ParserImpl.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace quern::frontend {

SourceFile *parseFile(const SourceMgr &sources, unsigned buffer, AstContext &context, DiagnosticEngine &diagnostics) {
  std::vector<Token> tokens = lex(sources.getMemoryBuffer(buffer)->getBuffer(), diagnostics);
  Parser parser(tokens, context, diagnostics);
  ArrayRef<Decl *> decls = parser.parseDecls();
  return context.create<SourceFile>(buffer, decls, parser.takeLostNames(), parser.lostImport());
}

//===--- The cursor
//----------------------------------------------------------------------------===//

const Token &Parser::ahead(unsigned distance) const {
  size_t at = position;
  while (distance > 0 && !tokens[at].is(TokenKind::EndOfFile))
    if (!tokens[++at].isComment())
      --distance;
  return tokens[at];
}

bool Parser::atLineEnd() const { return at(TokenKind::EndOfFile) || (brackets == 0 && current().linesBefore > 0); }

Token Parser::take() {
  Token token = current();
  if (token.is(TokenKind::EndOfFile))
    return token;
  previousEnd = token.end();
  ++position;
  skipComments();
  return token;
}

bool Parser::takeIf(TokenKind kind) {
  if (!at(kind))
    return false;
  take();
  return true;
}

void Parser::skipComments() {
  while (tokens[position].isComment())
    ++position;
}

//===--- Errors
//--------------------------------------------------------------------------------===//

Diagnostic &Parser::error(SourceRange range, const Twine &message) {
  lastError = range.Start;
  return diagnostics.error(range, message);
}

/// What someone who writes another language may want to hear about a word that is no keyword here.
static StringRef hintFor(StringRef word) {
  return StringSwitch<StringRef>(word)
      .Case("and", "`and` is written `&&`")
      .Case("or", "`or` is written `||`")
      .Case("not", "`not` is written `!`")
      .Case("elif", "`elif` is written `else if`")
      .Cases({"def", "class"}, "functions start with `fn`, modules with `module`")
      .Case("let", "a name is bound by `name = value`")
      .Case(";", "a statement ends with its line")
      .Default("");
}

Diagnostic *Parser::reportExpected(const Twine &what) {
  const Token &token = current();
  // Where a line ends too early, the place is its end and not the start of the next one.
  bool endsLine = atLineEnd() && previousEnd.isValid() && token.begin() != itemStart;
  SourceRange place = endsLine ? SourceRange(previousEnd, previousEnd) : token.range();
  // The lexer has reported an invalid token.
  if (gaveUp || place.Start == lastError || token.is(TokenKind::Invalid))
    return nullptr;
  std::string found = ("`" + token.text + "`").str();
  if (token.is(TokenKind::EndOfFile) || token.is(TokenKind::String))
    found = describe(token.kind);
  else if (endsLine)
    found = "the end of the line";
  Diagnostic &diagnostic = error(place, "expected " + what + ", found " + found);
  StringRef hint = hintFor(token.text);
  if (hint.empty() && position > 0 && !endsLine)
    hint = hintFor(tokens[position - 1].text);
  if (!hint.empty())
    diagnostic.hint(hint);
  return &diagnostic;
}

bool Parser::expected(const Twine &what) {
  reportExpected(what);
  return false;
}

bool Parser::expect(TokenKind kind) { return takeIf(kind) || expected(describe(kind)); }

bool Parser::expectClosing(TokenKind kind, const Token &opening, const Twine &what) {
  if (takeIf(kind))
    return true;
  if (Diagnostic *diagnostic = reportExpected(what))
    diagnostic->note(opening.range(), "to match this " + describe(opening.kind));
  return false;
}

std::optional<Identifier> Parser::expectName(StringRef what) {
  if (!at(TokenKind::Name)) {
    expected(what);
    return std::nullopt;
  }
  Token token = take();
  return Identifier{token.text, token.range()};
}

void Parser::failNesting(SourceRange range) {
  if (!gaveUp)
    error(range, "nesting deeper than " + Twine(maxNesting));
  gaveUp = true;
  position = tokens.size() - 1;
}

bool Parser::setHeight(Expr *expr, ArrayRef<const Expr *> children) {
  for (const Expr *child : children)
    if (child)
      expr->height = std::max(expr->height, child->height + 1);
  if (expr->height <= maxNesting)
    return true;
  failNesting(expr->range);
  return false;
}

//===--- Recovery
//------------------------------------------------------------------------------===//

bool Parser::atFileDecl() const {
  if (current().linesBefore == 0)
    return false;
  return (atWord("module") && ahead().is(TokenKind::Name)) || (atWord("config") && ahead().is(TokenKind::LeftBrace)) ||
         (atWord("import") && ahead().is(TokenKind::String));
}

void Parser::skipLine(const Token &first) {
  unsigned braces = 0;
  while (!at(TokenKind::EndOfFile)) {
    bool moved = current().begin() != first.begin();
    if (moved && (atFileDecl() || (braces == 0 && current().linesBefore > 0)))
      return;
    if (at(TokenKind::RightBrace) && braces == 0 && moved)
      return;
    if (at(TokenKind::LeftBrace))
      ++braces;
    else if (at(TokenKind::RightBrace) && braces > 0)
      --braces;
    take();
  }
}

ArrayRef<Token> Parser::loseItem(size_t begin) {
  skipLine(tokens[begin]);
  ArrayRef<Token> lost = tokens.slice(begin, position - begin);
  for (const Token &token : lost)
    if (token.is(TokenKind::Name))
      lostNames.push_back(token.text);
  return lost;
}

bool Parser::parseBraces(function_ref<bool()> parseItem, function_ref<void(ArrayRef<Token>)> takeLost) {
  Token opening = current();
  mark(TokenRole::Block);
  if (!expect(TokenKind::LeftBrace))
    return false;
  Nesting nesting(*this);
  SaveAndRestore lines(brackets, 0u);
  while (!at(TokenKind::RightBrace) && !at(TokenKind::EndOfFile) && !atFileDecl()) {
    size_t first = position;
    itemStart = current().begin();
    mark(TokenRole::Item);
    bool isComplete = parseItem();
    if (isComplete && !at(TokenKind::RightBrace) && !atLineEnd())
      isComplete = expected("the end of the line");
    if (!isComplete)
      takeLost(loseItem(first));
  }
  itemStart = current().begin();
  expectClosing(TokenKind::RightBrace, opening, "`}`");
  return true;
}

bool Parser::parseList(const Token &opening, TokenKind closing, function_ref<bool()> parseElement) {
  Bracketed bracketed(*this);
  while (!at(closing)) {
    if (!parseElement())
      return false;
    if (!takeIf(TokenKind::Comma))
      break;
  }
  return expectClosing(closing, opening, "`,` or " + describe(closing));
}

} // namespace quern::frontend
