//===- ParserStmt.cpp - statements
//-------------------------------------------------------------===//

#include "frontend/ParserImpl.h"
#include "llvm/Support/Casting.h"

using namespace llvm;

namespace quern::frontend {

/// The names that `lost`, which could not be parsed, may bind: those before `=`, `,` and `in`.
static SmallVector<StringRef> findTargets(ArrayRef<Token> lost) {
  SmallVector<StringRef> targets;
  for (auto [name, next] : zip(lost, lost.drop_front()))
    if (name.is(TokenKind::Name) &&
        (next.is(TokenKind::Equal) || next.is(TokenKind::Comma) || (next.is(TokenKind::Name) && next.text == "in")))
      targets.push_back(name.text);
  return targets;
}

std::optional<Block> Parser::parseBlock() {
  SMLoc first = current().begin();
  SmallVector<Stmt *> statements;
  auto parseItem = [&] {
    Stmt *statement = parseStatement();
    if (statement)
      statements.push_back(statement);
    return statement != nullptr;
  };
  bool isOpened = parseBraces(parseItem, [&](ArrayRef<Token> lost) {
    statements.push_back(context.create<LostStmt>(lost.front().range(), save(findTargets(lost))));
  });
  if (!isOpened)
    return std::nullopt;
  return Block{rangeFrom(first), save(statements)};
}

Stmt *Parser::parseStatement() {
  Nesting nesting(*this);
  SMLoc first = current().begin();
  switch (current().kind) {
  case TokenKind::If:
    return parseIfStatement();
  case TokenKind::For:
    return parseForStatement();
  case TokenKind::Return:
    return parseReturn();
  case TokenKind::Require: {
    auto requirement = parseRequirement();
    return requirement ? context.create<RequireStmt>(rangeFrom(first), *requirement) : nullptr;
  }
  case TokenKind::EndOfFile:
    return nullptr;
  default:
    return parseValueStatement();
  }
}

Stmt *Parser::parseIfStatement() {
  SMLoc first = take().begin();
  Expr *condition = parseExpr();
  if (!condition)
    return nullptr;
  auto thenBlock = parseBlock();
  if (!thenBlock)
    return nullptr;
  Block *elseBlock = nullptr;
  if (takeIf(TokenKind::Else)) {
    std::optional<Block> block;
    if (at(TokenKind::If)) {
      Stmt *nested = parseStatement();
      if (nested)
        block = Block{nested->range, context.copy(ArrayRef(nested))};
    } else {
      block = parseBlock();
    }
    if (!block)
      return nullptr;
    elseBlock = context.create<Block>(*block);
  }
  return context.create<IfStmt>(rangeFrom(first), condition, *thenBlock, elseBlock);
}

std::optional<ArrayRef<Identifier>> Parser::parseForVariables() {
  SmallVector<Identifier, 2> variables;
  do {
    auto name = expectName("the name of a loop variable");
    if (!name)
      return std::nullopt;
    variables.push_back(*name);
    if (at(TokenKind::Comma))
      mark(TokenRole::Word);
  } while (takeIf(TokenKind::Comma));
  if (!atWord("in")) {
    expected("`in`");
    return std::nullopt;
  }
  mark(TokenRole::Word);
  take();
  return save(variables);
}

Expr *Parser::parseIterable() {
  Expr *begin = parseExpr();
  if (!begin || !continuesWith(TokenKind::DotDot))
    return begin;
  take();
  Expr *end = parseExpr();
  if (!end)
    return nullptr;
  return make<RangeExpr>(rangeFrom(begin->range.Start), {begin, end}, begin, end);
}

Stmt *Parser::parseForStatement() {
  SMLoc first = take().begin();
  auto variables = parseForVariables();
  Expr *iterable = variables ? parseIterable() : nullptr;
  if (!iterable)
    return nullptr;
  auto body = parseBlock();
  if (!body)
    return nullptr;
  return context.create<ForStmt>(rangeFrom(first), *variables, iterable, *body);
}

Stmt *Parser::parseReturn() {
  SMLoc first = take().begin();
  Expr *value = nullptr;
  if (!atLineEnd() && !at(TokenKind::RightBrace)) {
    value = parseExprList();
    if (!value)
      return nullptr;
  }
  return context.create<ReturnStmt>(rangeFrom(first), value);
}

std::optional<Requirement> Parser::parseRequirement() {
  take();
  Expr *condition = parseExpr();
  if (!condition)
    return std::nullopt;
  if (!continuesWith(TokenKind::Comma))
    return Requirement{condition, nullptr};
  take();
  StringExpr *message = parseString();
  if (!message)
    return std::nullopt;
  return Requirement{condition, message};
}

Stmt *Parser::parseValueStatement() {
  SMLoc first = current().begin();
  Expr *left = parseExprList();
  if (!left)
    return nullptr;
  if (!continuesWith(TokenKind::Equal)) {
    if (isa<CallExpr>(left))
      return context.create<ExpressionStmt>(left->range, left);
    // A statement that goes wrong behind its first value has a better message than this one.
    if (!atLineEnd() && !at(TokenKind::RightBrace))
      expected("`=` or the end of the line");
    else
      error(left->range, "this value is not used").hint("bind it to a name or return it");
    return nullptr;
  }
  SmallVector<Identifier, 2> targets;
  auto *tuple = dyn_cast<TupleExpr>(left);
  for (Expr *target : tuple ? tuple->elements : ArrayRef(left)) {
    auto *name = dyn_cast<NameExpr>(target);
    if (!name) {
      error(target->range, "only a name can be bound").hint("values never change");
      return nullptr;
    }
    targets.push_back({name->name, name->range});
  }
  take();
  Expr *value = parseExprList();
  if (!value)
    return nullptr;
  return context.create<AssignStmt>(rangeFrom(first), save(targets), value);
}

} // namespace quern::frontend
