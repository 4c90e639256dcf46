//===- ParserExpr.cpp - expressions
//------------------------------------------------------------===//

#include "frontend/ParserImpl.h"
#include <cmath>

using namespace llvm;

namespace quern::frontend {
namespace {

/// A row of the table of binary operators.
struct Operator {
  TokenKind token;
  BinaryOp op;
  unsigned precedence;
};

constexpr Operator operators[] = {
#define QUERN_BINARY(Kind, Operator, precedence) {TokenKind::Kind, BinaryOp::Operator, precedence},
#include "frontend/Tokens.def"
};

} // namespace

static const Operator *findOperator(TokenKind token) {
  const auto *row = find_if(operators, [&](const Operator &row) { return row.token == token; });
  return row == std::end(operators) ? nullptr : row;
}

static bool isComparison(BinaryOp op) { return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual; }

Expr *Parser::parseExpr() { return parseBinary(1); }

Expr *Parser::parseExprList() {
  Expr *first = parseExpr();
  if (!first || !continuesWith(TokenKind::Comma))
    return first;
  SmallVector<Expr *> elements{first};
  SmallVector<const Expr *> children{first};
  while (continuesWith(TokenKind::Comma)) {
    take();
    elements.push_back(parseExpr());
    if (!elements.back())
      return nullptr;
    children.push_back(elements.back());
  }
  return make<TupleExpr>(rangeFrom(first->range.Start), children, save(elements));
}

Expr *Parser::parseBinary(unsigned minPrecedence) {
  Expr *left = parseUnary();
  bool leftCompares = false;
  while (left && !atLineEnd()) {
    const Operator *row = findOperator(current().kind);
    if (!row || row->precedence < minPrecedence)
      return left;
    if (leftCompares && isComparison(row->op)) {
      error(current().range(), "comparisons do not chain").hint("write `a < b && b < c`");
      return nullptr;
    }
    leftCompares = isComparison(row->op);
    SourceRange opRange = take().range();
    Expr *right = parseBinary(row->precedence + 1);
    if (!right)
      return nullptr;
    SourceRange range = rangeFrom(left->range.Start);
    left = make<BinaryExpr>(range, {left, right}, row->op, opRange, left, right);
  }
  return left;
}

Expr *Parser::parseUnary() {
  Nesting nesting(*this);
  if (!at(TokenKind::Minus) && !at(TokenKind::Not))
    return parsePower();
  mark(TokenRole::Prefix);
  Token sign = take();
  Expr *operand = parseUnary();
  if (!operand)
    return nullptr;
  UnaryOp op = sign.is(TokenKind::Minus) ? UnaryOp::Negate : UnaryOp::Not;
  return make<UnaryExpr>(rangeFrom(sign.begin()), {operand}, op, operand);
}

Expr *Parser::parsePower() {
  Expr *base = parsePostfix();
  if (!base || !continuesWith(TokenKind::Power))
    return base;
  SourceRange opRange = take().range();
  Expr *exponent = parseUnary();
  if (!exponent)
    return nullptr;
  SourceRange range = rangeFrom(base->range.Start);
  return make<BinaryExpr>(range, {base, exponent}, BinaryOp::Power, opRange, base, exponent);
}

Expr *Parser::parsePostfix() {
  Expr *expr = parsePrimary();
  while (expr && !atLineEnd()) {
    if (at(TokenKind::Dot))
      expr = parseMemberAccess(expr);
    else if (at(TokenKind::LeftParen))
      expr = parseCall(expr);
    else if (at(TokenKind::LeftBracket))
      expr = parseIndex(expr);
    else if (atWord("as") && ahead().is(TokenKind::LeftBracket))
      expr = parseReshape(expr);
    else
      break;
  }
  return expr;
}

Expr *Parser::parseMemberAccess(Expr *base) {
  take();
  auto member = expectName("the name of a member");
  if (!member)
    return nullptr;
  return make<MemberExpr>(rangeFrom(base->range.Start), {base}, base, *member);
}

/// The children of a call, for its height.
static SmallVector<const Expr *> valuesOf(const Expr *callee, ArrayRef<Argument> arguments) {
  SmallVector<const Expr *> values{callee};
  for (const Argument &argument : arguments)
    values.push_back(argument.value);
  return values;
}

Expr *Parser::parseCall(Expr *callee) {
  auto arguments = parseArguments();
  if (!arguments)
    return nullptr;
  return make<CallExpr>(rangeFrom(callee->range.Start), valuesOf(callee, *arguments), callee, *arguments);
}

std::optional<ArrayRef<Argument>> Parser::parseArguments() {
  Token opening = take();
  SmallVector<Argument> arguments;
  if (!parseList(opening, TokenKind::RightParen, [&] { return parseArgument(arguments); }))
    return std::nullopt;
  return save(arguments);
}

bool Parser::parseArgument(SmallVectorImpl<Argument> &arguments) {
  Argument argument{};
  if (at(TokenKind::Name) && ahead().is(TokenKind::Colon)) {
    Token name = take();
    take();
    argument.name = {name.text, name.range()};
  } else if (!arguments.empty() && arguments.back().name) {
    if (Diagnostic *diagnostic = reportExpected("a named argument"))
      diagnostic->note(arguments.back().name.range, "after the first named argument all are named");
    return false;
  }
  argument.value = at(TokenKind::For) ? parseForExpr() : parseExpr();
  arguments.push_back(argument);
  return argument.value != nullptr;
}

Expr *Parser::parseIndex(Expr *base) {
  Token opening = take();
  SmallVector<Subscript> subscripts;
  SmallVector<const Expr *> children{base};
  bool isClosed = parseList(opening, TokenKind::RightBracket, [&] {
    auto subscript = parseSubscript();
    if (!subscript)
      return false;
    subscripts.push_back(*subscript);
    children.append({subscript->begin, subscript->end});
    return true;
  });
  if (!isClosed)
    return nullptr;
  SourceRange range = rangeFrom(base->range.Start);
  if (subscripts.empty()) {
    error(range, "expected an index between the brackets, found none");
    return nullptr;
  }
  return make<IndexExpr>(range, children, base, save(subscripts));
}

std::optional<Subscript> Parser::parseSubscript() {
  SMLoc first = current().begin();
  if (at(TokenKind::DotDot))
    return Subscript{Subscript::Kind::Rest, take().range(), nullptr, nullptr};
  Subscript subscript{Subscript::Kind::Index, {}, nullptr, nullptr};
  if (!at(TokenKind::Colon) && !(subscript.begin = parseExpr()))
    return std::nullopt;
  if (at(TokenKind::Colon)) {
    mark(TokenRole::Slice);
    take();
    subscript.kind = Subscript::Kind::Slice;
    bool isOpen = at(TokenKind::Comma) || at(TokenKind::RightBracket);
    if (!isOpen && !(subscript.end = parseExpr()))
      return std::nullopt;
  } else if (at(TokenKind::DotDot)) {
    error(current().range(), "expected `:` in a slice, found `..`").hint("slices are written `begin:end`");
    return std::nullopt;
  }
  subscript.range = rangeFrom(first);
  return subscript;
}

Expr *Parser::parseReshape(Expr *value) {
  mark(TokenRole::Word);
  take();
  SMLoc first = current().begin();
  auto dims = parseDims();
  if (!dims)
    return nullptr;
  SmallVector<const Expr *> children(dims->begin(), dims->end());
  children.push_back(value);
  return make<ReshapeExpr>(rangeFrom(value->range.Start), children, value, *dims, rangeFrom(first));
}

Expr *Parser::parsePrimary() {
  switch (current().kind) {
  case TokenKind::Integer:
  case TokenKind::Float:
    return parseNumber();
  case TokenKind::String:
    return parseString();
  case TokenKind::Name: {
    Token name = take();
    return context.create<NameExpr>(name.range(), name.text);
  }
  case TokenKind::True:
  case TokenKind::False: {
    Token word = take();
    return context.create<BoolExpr>(word.range(), word.is(TokenKind::True));
  }
  case TokenKind::LeftParen:
    return parseParenthesised();
  case TokenKind::LeftBracket:
    return parseListExpr();
  case TokenKind::If:
    return parseIfExpr();
  default:
    reportNoExpr();
    return nullptr;
  }
}

void Parser::reportNoExpr() {
  bool startsItem = current().begin() == itemStart;
  Diagnostic *diagnostic = reportExpected("an expression");
  if (!diagnostic || position == 0)
    return;
  const Token &previous = tokens[position - 1];
  if (startsItem && (at(TokenKind::Dot) || findOperator(current().kind)))
    diagnostic->hint("a line goes on after an operator, not before it");
  else if (at(TokenKind::Equal) && findOperator(previous.kind) && previous.end() == current().begin())
    diagnostic->hint("there is no `" + previous.text + "=`; write `x = x " + previous.text + " y`");
}

Expr *Parser::parseNumber() {
  Token token = take();
  if (token.is(TokenKind::Integer)) {
    int64_t value = 0;
    if (token.text.getAsInteger(10, value)) {
      error(token.range(),
            "`" + token.text + "` is too large; the largest integer is " + Twine(std::numeric_limits<int64_t>::max()));
      return nullptr;
    }
    return context.create<IntegerExpr>(token.range(), value);
  }
  double value = 0;
  if (token.text.getAsDouble(value, /*AllowInexact=*/true) || !std::isfinite(value)) {
    error(token.range(), "`" + token.text + "` is too large for a 64-bit float");
    return nullptr;
  }
  return context.create<FloatExpr>(token.range(), value, token.text);
}

Expr *Parser::parseParenthesised() {
  Token opening = take();
  SmallVector<Expr *> elements;
  SmallVector<const Expr *> children;
  bool hasComma = false;
  bool isClosed = parseList(opening, TokenKind::RightParen, [&] {
    elements.push_back(parseExpr());
    children.push_back(elements.back());
    hasComma = at(TokenKind::Comma);
    return elements.back() != nullptr;
  });
  if (!isClosed)
    return nullptr;
  SourceRange range = rangeFrom(opening.begin());
  if (elements.empty() || (elements.size() == 1 && hasComma)) {
    error(range, "expected a tuple of at least two elements, found " + Twine(elements.size()));
    return nullptr;
  }
  if (elements.size() == 1)
    return elements.front();
  return make<TupleExpr>(range, children, save(elements));
}

Expr *Parser::parseListExpr() {
  Token opening = take();
  SmallVector<Expr *> elements;
  SmallVector<const Expr *> children;
  bool isClosed = parseList(opening, TokenKind::RightBracket, [&] {
    elements.push_back(at(TokenKind::For) ? parseForExpr() : parseExpr());
    children.push_back(elements.back());
    return elements.back() != nullptr;
  });
  if (!isClosed)
    return nullptr;
  return make<ListExpr>(rangeFrom(opening.begin()), children, save(elements));
}

Expr *Parser::parseBracedExpr() {
  Token opening = current();
  if (!expect(TokenKind::LeftBrace))
    return nullptr;
  Bracketed bracketed(*this);
  Expr *value = parseExpr();
  if (!value || !expectClosing(TokenKind::RightBrace, opening, "`}`"))
    return nullptr;
  return value;
}

Expr *Parser::parseIfExpr() {
  Nesting nesting(*this);
  SMLoc first = take().begin();
  Expr *condition = parseExpr();
  Expr *thenValue = condition ? parseBracedExpr() : nullptr;
  if (!thenValue)
    return nullptr;
  if (!at(TokenKind::Else)) {
    if (Diagnostic *diagnostic = reportExpected("`else`"))
      diagnostic->hint("an `if` that is a value needs both branches");
    return nullptr;
  }
  take();
  Expr *elseValue = at(TokenKind::If) ? parseIfExpr() : parseBracedExpr();
  if (!elseValue)
    return nullptr;
  return make<IfExpr>(rangeFrom(first), {condition, thenValue, elseValue}, condition, thenValue, elseValue);
}

Expr *Parser::parseForExpr() {
  SMLoc first = take().begin();
  auto variables = parseForVariables();
  Expr *iterable = variables ? parseIterable() : nullptr;
  if (!iterable || !expect(TokenKind::Colon))
    return nullptr;
  Expr *body = parseExpr();
  if (!body)
    return nullptr;
  return make<ForExpr>(rangeFrom(first), {iterable, body}, *variables, iterable, body);
}

} // namespace quern::frontend
