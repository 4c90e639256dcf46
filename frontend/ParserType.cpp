//===- ParserType.cpp - types and shapes
//-------------------------------------------------------===//

#include "frontend/ParserImpl.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Casting.h"

using namespace llvm;

namespace quern::frontend {

/// The types of static values, of which there are lists.
static bool isValueWord(StringRef word) {
  return StringSwitch<bool>(word).Cases({"int", "float", "bool", "string"}, true).Default(false);
}

TypeExpr *Parser::parseType() {
  Nesting nesting(*this);
  switch (current().kind) {
  case TokenKind::Name:
    return parseNamedType();
  case TokenKind::LeftBracket:
    return parseBracketType();
  case TokenKind::LeftParen:
    return parseTupleType();
  case TokenKind::String:
    return parseChoiceType();
  default:
    expected("a type");
    return nullptr;
  }
}

TypeExpr *Parser::parseNamedType() {
  Token token = take();
  Identifier name{token.text, token.range()};
  if (continuesWith(TokenKind::LeftBracket)) {
    auto dims = parseDims();
    return dims ? context.create<TensorType>(rangeFrom(token.begin()), name, *dims) : nullptr;
  }
  ArrayRef<Argument> arguments;
  if (continuesWith(TokenKind::LeftParen)) {
    auto list = parseArguments();
    if (!list)
      return nullptr;
    arguments = *list;
  }
  return context.create<NamedType>(rangeFrom(token.begin()), name, arguments);
}

bool Parser::atArrayType() const {
  unsigned open = 0;
  for (size_t i = position; i < tokens.size(); ++i) {
    TokenKind kind = tokens[i].kind;
    if (kind == TokenKind::LeftBracket || kind == TokenKind::LeftParen)
      ++open;
    else if ((kind == TokenKind::RightBracket || kind == TokenKind::RightParen) && --open == 0)
      return false;
    else if (kind == TokenKind::Semicolon && open == 1)
      return true;
  }
  return false;
}

TypeExpr *Parser::parseForArrayType() {
  Token opening = take();
  Bracketed bracketed(*this);
  take();
  auto variables = parseForVariables();
  Expr *iterable = variables ? parseIterable() : nullptr;
  if (!iterable || !expect(TokenKind::Colon))
    return nullptr;
  TypeExpr *element = parseElementType();
  MemberClauses clauses{};
  if (!element || !parseClauses(clauses))
    return nullptr;
  if (clauses.presence) {
    error(clauses.presence->range, "an element of an array cannot be absent")
        .hint("leave it out of what the `for` runs over, or give its module a parameter for an `if` of its members");
    return nullptr;
  }
  if (!expectClosing(TokenKind::RightBracket, opening, "`]`"))
    return nullptr;
  return context.create<ForArrayType>(rangeFrom(opening.begin()), *variables, iterable, element, clauses);
}

TypeExpr *Parser::parseElementType() {
  if (at(TokenKind::Name) || at(TokenKind::LeftBracket))
    return parseType();
  if (Diagnostic *diagnostic = reportExpected("a module or a shape"); diagnostic && at(TokenKind::If))
    diagnostic->hint("all elements are of one module, whose parameters may decide which members it has");
  return nullptr;
}

TypeExpr *Parser::parseBracketType() {
  Token opening = current();
  if (ahead().is(TokenKind::For))
    return parseForArrayType();
  if (atArrayType()) {
    take();
    Bracketed bracketed(*this);
    TypeExpr *element = parseType();
    if (!element || !expect(TokenKind::Semicolon))
      return nullptr;
    Expr *count = parseExpr();
    if (!count || !expectClosing(TokenKind::RightBracket, opening, "`]`"))
      return nullptr;
    return context.create<ArrayType>(rangeFrom(opening.begin()), element, count);
  }
  if (ahead().is(TokenKind::Name) && isValueWord(ahead().text) && ahead(2).is(TokenKind::RightBracket)) {
    take();
    Token word = take();
    take();
    auto *element = context.create<NamedType>(word.range(), Identifier{word.text, word.range()}, ArrayRef<Argument>());
    return context.create<ListType>(rangeFrom(opening.begin()), element);
  }
  auto dims = parseDims();
  return dims ? context.create<TensorType>(rangeFrom(opening.begin()), Identifier(), *dims) : nullptr;
}

TypeExpr *Parser::parseTupleType() {
  Token opening = take();
  SmallVector<TypeExpr *> elements;
  bool isClosed = parseList(opening, TokenKind::RightParen, [&] {
    elements.push_back(parseType());
    return elements.back() != nullptr;
  });
  if (!isClosed)
    return nullptr;
  SourceRange range = rangeFrom(opening.begin());
  if (elements.size() < 2) {
    error(range, "expected a tuple of at least two types, found " + Twine(elements.size()));
    return nullptr;
  }
  return context.create<TupleType>(range, save(elements));
}

TypeExpr *Parser::parseChoiceType() {
  SMLoc first = current().begin();
  SmallVector<StringExpr *> choices;
  do {
    choices.push_back(parsePlainString("a choice"));
    if (!choices.back())
      return nullptr;
  } while (continuesWith(TokenKind::Bar) && (take(), true));
  return context.create<ChoiceType>(rangeFrom(first), save(choices));
}

std::optional<ArrayRef<Expr *>> Parser::parseDims() {
  Token opening = current();
  if (!expect(TokenKind::LeftBracket))
    return std::nullopt;
  SmallVector<Expr *> dims;
  bool isClosed = parseList(opening, TokenKind::RightBracket, [&] {
    dims.push_back(parseDim());
    return dims.back() != nullptr;
  });
  if (!isClosed)
    return std::nullopt;
  const Expr *rest = nullptr;
  for (const Expr *dim : dims) {
    if (rest && isa<RestExpr>(dim)) {
      error(dim->range, "a shape has at most one `..`").note(rest->range, "the other one is here");
      return std::nullopt;
    }
    if (isa<RestExpr>(dim))
      rest = dim;
  }
  return save(dims);
}

Expr *Parser::parseDim() {
  if (at(TokenKind::Star)) {
    mark(TokenRole::Dim);
    return context.create<InferredDimExpr>(take().range());
  }
  if (at(TokenKind::DotDot))
    return context.create<RestExpr>(take().range());
  return parseExpr();
}

TypeExpr *Parser::parseValueType(StringRef what) {
  TypeExpr *type = parseType();
  if (!type || !isa<ArrayType, ForArrayType>(type))
    return type;
  error(type->range, what + " cannot be an array of modules");
  return nullptr;
}

TypeExpr *Parser::parseConfigType() {
  TypeExpr *type = parseType();
  if (!type || isa<ListType, ChoiceType>(type))
    return type;
  auto *named = dyn_cast<NamedType>(type);
  if (named && named->arguments.empty() && isValueWord(named->name.text))
    return type;
  error(type->range, "this is not the type of a config field")
      .hint("expected `int`, `float`, `bool`, `string`, a list such as `[int]` or strings such as "
            "`\"silu\" | \"gelu\"`");
  return nullptr;
}

TypeExpr *Parser::parseMemberType() {
  TypeExpr *type = parseType();
  const TypeExpr *element = type;
  while (isa_and_present<ArrayType, ForArrayType>(element))
    element = isa<ArrayType>(element) ? cast<ArrayType>(element)->element : cast<ForArrayType>(element)->element;
  if (!element || isa<NamedType, TensorType>(element))
    return type;
  error(element->range, "this is not the type of a member")
      .hint("expected a module such as `Linear(n, m)` or a shape such as `[n, m]`");
  return nullptr;
}

} // namespace quern::frontend
