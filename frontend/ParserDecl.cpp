//===- ParserDecl.cpp - declarations of files and modules
//--------------------------------------===//

#include "frontend/ParserImpl.h"

using namespace llvm;

namespace quern::frontend {

Parser::Docs Parser::takeDocs() {
  size_t first = position;
  while (first > 0 && tokens[first - 1].is(TokenKind::DocComment) && tokens[first].linesBefore == 1 &&
         (first == 1 || tokens[first - 1].linesBefore > 0))
    --first;
  SmallVector<StringRef> lines;
  for (const Token &token : tokens.slice(first, position - first)) {
    StringRef line = token.text.drop_front(3);
    line.consume_front(" ");
    lines.push_back(line);
  }
  return save(lines);
}

ArrayRef<Decl *> Parser::parseDecls() {
  SmallVector<Decl *> decls;
  while (!at(TokenKind::EndOfFile)) {
    size_t first = position;
    itemStart = current().begin();
    mark(TokenRole::Item);
    bool isImport = atWord("import");
    Decl *decl = parseFileDecl();
    if (decl)
      decls.push_back(decl);
    if (decl && !atLineEnd())
      expected("the end of the line");
    if (decl && atLineEnd())
      continue;
    ArrayRef<Token> lost = loseItem(first);
    // `import std` is one, and so may `improt "std"` be.
    auto isString = [](const Token &token) { return token.is(TokenKind::String); };
    hasLostImport |= !decl && (isImport || any_of(lost.take_front(2), isString));
  }
  return save(decls);
}

Decl *Parser::parseFileDecl() {
  Docs docs = takeDocs();
  bool isBound = ahead().is(TokenKind::Equal);
  if (at(TokenKind::Fn))
    return parseFunction(docs, /*inModule=*/false);
  if (at(TokenKind::Require))
    return parseRequireDecl(docs);
  if (at(TokenKind::Name) && isBound)
    return parseConstant(docs);
  if (atWord("import"))
    return parseImport(docs);
  if (atWord("config"))
    return parseConfig(docs);
  if (atWord("module"))
    return parseModule(docs);
  Diagnostic *diagnostic = reportExpected("`import`, `config`, `module`, `fn` or a constant");
  if (diagnostic && (atWord("entry") || atWord("state")))
    diagnostic->hint("`" + current().text + "` stands in a module");
  return nullptr;
}

Decl *Parser::parseModuleDecl() {
  Docs docs = takeDocs();
  const Token &next = ahead();
  if (at(TokenKind::Fn) || (atWord("entry") && next.is(TokenKind::Name)))
    return parseFunction(docs, /*inModule=*/true);
  if (at(TokenKind::Require))
    return parseRequireDecl(docs);
  if (at(TokenKind::Name) && next.is(TokenKind::Equal))
    return parseConstant(docs);
  if (at(TokenKind::Name))
    return parseMember(docs);
  expected("a member, `fn`, `entry` or `}`");
  return nullptr;
}

Decl *Parser::parseImport(Docs docs) {
  SMLoc first = take().begin();
  if (atWord("base") && !atLineEnd())
    return parseBaseImport(docs, first);
  StringExpr *path = parsePlainString("the path of a file");
  if (!path)
    return nullptr;
  if (path->text().empty()) {
    error(path->range, "the path of an import is empty");
    return nullptr;
  }
  return context.create<ImportDecl>(rangeFrom(first), docs, path);
}

Decl *Parser::parseBaseImport(Docs docs, SMLoc first) {
  take();
  if (!atWord("as") || atLineEnd()) {
    expected("`as` and a name for the root module of the base");
    return nullptr;
  }
  take();
  auto alias = expectName("a name for the root module of the base");
  return alias ? context.create<ImportDecl>(rangeFrom(first), docs, nullptr, *alias) : nullptr;
}

Decl *Parser::parseConfig(Docs docs) {
  SMLoc first = take().begin();
  SmallVector<ConfigField> fields;
  bool isOpened = parseBraces([&] {
    auto field = parseConfigField();
    if (field)
      fields.push_back(*field);
    return field.has_value();
  });
  if (!isOpened)
    return nullptr;
  return context.create<ConfigDecl>(rangeFrom(first), docs, save(fields));
}

std::optional<ConfigField> Parser::parseConfigField() {
  ConfigField field{};
  field.doc = takeDocs();
  SMLoc first = current().begin();
  std::string key;
  do {
    auto part = expectName("the key of a config field");
    if (!part)
      return std::nullopt;
    key += (key.empty() ? "" : ".") + part->text.str();
  } while (continuesWith(TokenKind::Dot) && takeIf(TokenKind::Dot));
  field.key = {context.copy(StringRef(key)), rangeFrom(first)};
  if (!expect(TokenKind::Colon) || !(field.type = parseConfigType()))
    return std::nullopt;
  if (continuesWith(TokenKind::Equal)) {
    take();
    if (!(field.defaultValue = parseExpr()))
      return std::nullopt;
  }
  return field;
}

Decl *Parser::parseModule(Docs docs) {
  SMLoc first = take().begin();
  auto name = expectName("the name of a module");
  if (!name)
    return nullptr;
  ArrayRef<Parameter> parameters;
  if (at(TokenKind::LeftParen)) {
    auto list = parseParameters();
    if (!list)
      return nullptr;
    parameters = *list;
  }
  SmallVector<Decl *> body;
  bool isOpened = parseBraces([&] {
    Decl *decl = parseModuleDecl();
    if (decl)
      body.push_back(decl);
    return decl != nullptr;
  });
  if (!isOpened)
    return nullptr;
  return context.create<ModuleDecl>(rangeFrom(first), docs, *name, parameters, save(body));
}

Decl *Parser::parseFunction(Docs docs, bool inModule) {
  bool isEntry = !at(TokenKind::Fn);
  SMLoc first = take().begin();
  Identifier name;
  if (isEntry || !inModule || !at(TokenKind::LeftParen)) {
    auto found = expectName("the name of a function");
    if (!found)
      return nullptr;
    name = *found;
  }
  auto parameters = parseParameters();
  if (!parameters)
    return nullptr;
  TypeExpr *result = nullptr;
  mark(TokenRole::Clause);
  if (takeIf(TokenKind::Arrow) && !(result = parseValueType("a result")))
    return nullptr;
  auto bounds = parseBounds();
  if (!bounds)
    return nullptr;
  auto body = parseBlock();
  if (!body)
    return nullptr;
  FunctionKind kind = isEntry ? FunctionKind::Entry : name ? FunctionKind::Named : FunctionKind::Call;
  return context.create<FunctionDecl>(rangeFrom(first), docs, kind, name, *parameters, result, *bounds, *body);
}

std::optional<ArrayRef<Parameter>> Parser::parseParameters() {
  Token opening = current();
  if (!expect(TokenKind::LeftParen))
    return std::nullopt;
  SmallVector<Parameter> parameters;
  bool isClosed = parseList(opening, TokenKind::RightParen, [&] {
    auto name = expectName("the name of a parameter");
    if (!name || !expect(TokenKind::Colon))
      return false;
    TypeExpr *type = parseValueType("a parameter");
    if (!type)
      return false;
    Expr *defaultValue = nullptr;
    if (takeIf(TokenKind::Equal) && !(defaultValue = parseExpr()))
      return false;
    parameters.push_back({*name, type, defaultValue});
    return true;
  });
  if (!isClosed)
    return std::nullopt;
  if (parameters.size() > maxParameters) {
    error(parameters[maxParameters].name.range,
          "found " + Twine(parameters.size()) + " parameters; expected at most " + Twine(maxParameters));
    return std::nullopt;
  }
  return save(parameters);
}

std::optional<ArrayRef<Bound>> Parser::parseBounds() {
  SmallVector<Bound> bounds;
  if (!atWord("where"))
    return save(bounds);
  mark(TokenRole::Clause);
  take();
  do {
    auto symbol = expectName("the name of a dimension");
    if (!symbol || !expect(TokenKind::LessEqual))
      return std::nullopt;
    Expr *limit = parseExpr();
    if (!limit)
      return std::nullopt;
    bounds.push_back({*symbol, limit});
  } while (takeIf(TokenKind::Comma));
  return save(bounds);
}

Decl *Parser::parseConstant(Docs docs) {
  Token name = take();
  take();
  Expr *value = parseExprList();
  if (!value)
    return nullptr;
  return context.create<ConstantDecl>(rangeFrom(name.begin()), docs, Identifier{name.text, name.range()}, value);
}

Decl *Parser::parseRequireDecl(Docs docs) {
  SMLoc first = current().begin();
  auto requirement = parseRequirement();
  if (!requirement)
    return nullptr;
  return context.create<RequireDecl>(rangeFrom(first), docs, *requirement);
}

Decl *Parser::parseMember(Docs docs) {
  SMLoc first = current().begin();
  bool isState = atWord("state") && ahead().is(TokenKind::Name);
  if (isState)
    take();
  auto name = expectName("the name of a member");
  if (!name || !expect(TokenKind::Colon))
    return nullptr;
  TypeExpr *type = parseMemberType();
  if (!type)
    return nullptr;
  MemberClauses clauses{};
  if (!parseClauses(clauses))
    return nullptr;
  return context.create<MemberDecl>(rangeFrom(first), docs, isState, *name, type, clauses);
}

bool Parser::parseClauses(MemberClauses &clauses) {
  // A clause may start a line: no member is written with these pairs of words.
  while (true) {
    const Token &next = ahead();
    bool isOk;
    if (atWord("named") && next.is(TokenKind::String))
      isOk = parseNameClause(clauses);
    else if (atWord("view") && next.is(TokenKind::Name) && next.text == "of")
      isOk = parseTargetClause(clauses.view);
    else if (atWord("tied") && next.is(TokenKind::Name) && next.text == "to")
      isOk = parseTieClause(clauses);
    else if (atWord("starts") && next.is(TokenKind::Name) && next.text == "as")
      isOk = parseTargetClause(clauses.start);
    else if (at(TokenKind::If))
      isOk = parsePresenceClause(clauses);
    else
      return true;
    if (!isOk)
      return false;
  }
}

bool Parser::checkOnce(const void *earlier) {
  mark(TokenRole::Clause);
  if (!earlier)
    return true;
  error(current().range(), "this member already has a clause `" + current().text + "`");
  return false;
}

bool Parser::parseNameClause(MemberClauses &clauses) {
  if (!checkOnce(clauses.name))
    return false;
  take();
  return (clauses.name = parseString());
}

bool Parser::parseTargetClause(Expr *&target) {
  if (!checkOnce(target))
    return false;
  take();
  take();
  return (target = parsePostfix());
}

bool Parser::parseTieClause(MemberClauses &clauses) {
  if (!parseTargetClause(clauses.tie))
    return false;
  return !takeIf(TokenKind::If) || (clauses.tieCondition = parseExpr());
}

bool Parser::parsePresenceClause(MemberClauses &clauses) {
  if (!checkOnce(clauses.presence))
    return false;
  take();
  return (clauses.presence = parseExpr());
}

} // namespace quern::frontend
