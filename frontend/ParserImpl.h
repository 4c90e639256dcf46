//===- ParserImpl.h - the recursive-descent parser
//---------------------------------------------===//
//
// One class; its methods are in Parser.cpp (cursor, errors, recovery), ParserDecl.cpp,
// ParserType.cpp, ParserStmt.cpp, ParserExpr.cpp and ParserString.cpp. docs/language.md has the
// grammar.
//
// A parse function that fails has reported why and returns null (or false); its caller returns too,
// up to the loop over declarations, members or statements, which skips to the next one.
//===-------------------------------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_PARSERIMPL_H
#define QUERN_FRONTEND_PARSERIMPL_H

#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"
#include "frontend/Lexer.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/SaveAndRestore.h"
#include <optional>

namespace quern::frontend {

/// What the parser knows of a token beyond its kind, for the formatter.
enum class TokenRole : uint8_t {
  Plain,
  /// Starts a declaration, member, field or statement.
  Item,
  /// The brace that opens a block of items, unlike one around an expression.
  Block,
  /// A unary operator.
  Prefix,
  /// `*` as a dimension.
  Dim,
  /// `:` in a slice.
  Slice,
  /// A contextual word between expressions, `as`, `in`, and the commas between the variables of a `for`.
  Word,
  /// `->`, `where` and the first word of a member's clause: a long line breaks before it.
  Clause,
};

class Parser {
public:
  /// `tokens` as lex returns them. Where `roles` is not empty it has one element for each token,
  /// which the parser sets.
  Parser(llvm::ArrayRef<Token> tokens, AstContext &context, DiagnosticEngine &diagnostics,
         llvm::MutableArrayRef<TokenRole> roles = {})
      : tokens(tokens), context(context), diagnostics(diagnostics), roles(roles) {
    skipComments();
  }

  llvm::ArrayRef<Decl *> parseDecls();
  /// The names in what could not be parsed.
  llvm::ArrayRef<llvm::StringRef> takeLostNames() { return save(lostNames); }
  /// Whether an import could not be parsed.
  bool lostImport() const { return hasLostImport; }

private:
  using Docs = llvm::ArrayRef<llvm::StringRef>;

  //===--- The cursor: comments are skipped
  //----------------------------------------------------===//

  const Token &current() const { return tokens[position]; }
  /// The token `distance` tokens (without comments) behind the current one, at most EndOfFile.
  const Token &ahead(unsigned distance = 1) const;
  bool at(TokenKind kind) const { return current().is(kind); }
  /// At a name that is this contextual keyword.
  bool atWord(llvm::StringRef word) const { return at(TokenKind::Name) && current().text == word; }
  /// At the first token of a line, outside brackets: what came before ends here.
  bool atLineEnd() const;
  /// At a token of this kind that continues the line.
  bool continuesWith(TokenKind kind) const { return at(kind) && !atLineEnd(); }
  Token take();
  bool takeIf(TokenKind kind);
  void skipComments();
  /// Says what the current token is.
  void mark(TokenRole role) {
    if (!roles.empty())
      roles[position] = role;
  }
  /// From the first character of `first` to the last one taken.
  SourceRange rangeFrom(llvm::SMLoc first) const { return {first, previousEnd}; }

  //===--- Errors and recovery
  //-----------------------------------------------------------------===//

  /// Reports "expected `what`, found …" at the current token; null where that place already has an
  /// error.
  Diagnostic *reportExpected(const llvm::Twine &what);
  /// The same; always false.
  bool expected(const llvm::Twine &what);
  /// Takes a token of this kind or reports its absence.
  bool expect(TokenKind kind);
  /// Takes the closing bracket or reports that `what` is absent, with a note at the opening one.
  bool expectClosing(TokenKind kind, const Token &opening, const llvm::Twine &what);
  /// Takes a name or reports that `what` was expected.
  std::optional<Identifier> expectName(llvm::StringRef what);
  Diagnostic &error(SourceRange range, const llvm::Twine &message);
  /// Gives up: the input nests too deep.
  void failNesting(SourceRange range);
  /// Skips to the first token of a line at the current depth of braces, or to what closes them.
  void skipLine(const Token &first);
  /// The same from token `begin` on, where an item starts that could not be parsed; gives what was
  /// skipped and keeps its names.
  llvm::ArrayRef<Token> loseItem(size_t begin);
  /// At a line that starts with `module`, `config` or `import`: inside braces, a closing one is
  /// missing.
  bool atFileDecl() const;

  /// Counts one level of nesting while it lives.
  class Nesting;
  /// Ignores line breaks while it lives.
  class Bracketed;

  /// Parses items between braces, one or more lines each, and goes on behind a failing one, which
  /// `takeLost` gets. False without `{`.
  bool parseBraces(
      llvm::function_ref<bool()> parseItem,
      llvm::function_ref<void(llvm::ArrayRef<Token>)> takeLost = [](llvm::ArrayRef<Token>) {});
  /// Parses `a, b, …` up to `closing`, behind `opening`; a comma may follow the last element.
  bool parseList(const Token &opening, TokenKind closing, llvm::function_ref<bool()> parseElement);

  //===--- Declarations
  //------------------------------------------------------------------------===//

  /// The documentation comment above the current token.
  Docs takeDocs();
  Decl *parseFileDecl();
  Decl *parseModuleDecl();
  Decl *parseImport(Docs docs);
  /// Behind `import`, which begins at `first`: at `base`.
  Decl *parseBaseImport(Docs docs, llvm::SMLoc first);
  Decl *parseConfig(Docs docs);
  std::optional<ConfigField> parseConfigField();
  Decl *parseModule(Docs docs);
  Decl *parseFunction(Docs docs, bool inModule);
  Decl *parseConstant(Docs docs);
  Decl *parseRequireDecl(Docs docs);
  Decl *parseMember(Docs docs);
  bool parseClauses(MemberClauses &clauses);
  bool parseNameClause(MemberClauses &clauses);
  /// A clause of two words and another member: `view of`, `tied to`, `starts as`.
  bool parseTargetClause(Expr *&target);
  bool parseTieClause(MemberClauses &clauses);
  bool parsePresenceClause(MemberClauses &clauses);
  /// Reports a clause of which the member has one already.
  bool checkOnce(const void *earlier);
  std::optional<llvm::ArrayRef<Parameter>> parseParameters();
  std::optional<llvm::ArrayRef<Bound>> parseBounds();

  //===--- Types
  //-------------------------------------------------------------------------------===//

  TypeExpr *parseType();
  TypeExpr *parseNamedType();
  TypeExpr *parseBracketType();
  /// `[for i in 0..n: Layer(i) named "layer{i}"]`.
  TypeExpr *parseForArrayType();
  TypeExpr *parseElementType();
  TypeExpr *parseTupleType();
  TypeExpr *parseChoiceType();
  /// `[a, *, ..]`.
  std::optional<llvm::ArrayRef<Expr *>> parseDims();
  Expr *parseDim();
  /// Whether the brackets at the current token hold a `;`.
  bool atArrayType() const;
  /// The type of a parameter or result, which `what` names.
  TypeExpr *parseValueType(llvm::StringRef what);
  TypeExpr *parseConfigType();
  TypeExpr *parseMemberType();

  //===--- Statements
  //--------------------------------------------------------------------------===//

  std::optional<Block> parseBlock();
  Stmt *parseStatement();
  Stmt *parseIfStatement();
  Stmt *parseForStatement();
  Stmt *parseReturn();
  Stmt *parseValueStatement();
  std::optional<Requirement> parseRequirement();
  /// `a, b in`: the variables of a `for`.
  std::optional<llvm::ArrayRef<Identifier>> parseForVariables();
  /// What a `for` runs over.
  Expr *parseIterable();

  //===--- Expressions
  //-------------------------------------------------------------------------===//

  Expr *parseExpr();
  /// `a, b`: a TupleExpr where there is a comma.
  Expr *parseExprList();
  Expr *parseBinary(unsigned minPrecedence);
  Expr *parseUnary();
  Expr *parsePower();
  Expr *parsePostfix();
  Expr *parsePrimary();
  /// Reports that the current token starts no expression.
  void reportNoExpr();
  Expr *parseNumber();
  Expr *parseParenthesised();
  Expr *parseListExpr();
  Expr *parseIfExpr();
  Expr *parseForExpr();
  Expr *parseBracedExpr();
  Expr *parseMemberAccess(Expr *base);
  Expr *parseCall(Expr *callee);
  Expr *parseIndex(Expr *base);
  Expr *parseReshape(Expr *value);
  std::optional<llvm::ArrayRef<Argument>> parseArguments();
  bool parseArgument(llvm::SmallVectorImpl<Argument> &arguments);
  std::optional<Subscript> parseSubscript();

  StringExpr *parseString();
  /// A string without interpolations; `what` says where.
  StringExpr *parsePlainString(llvm::StringRef what);
  /// The text of `body` with its escapes replaced.
  llvm::StringRef unescape(llvm::StringRef body);
  /// The expression between the braces of an interpolation.
  Expr *parseInterpolation(llvm::StringRef body);

  /// Makes an expression and checks the tree's height; null if it is too high.
  template <typename T, typename... Args>
  T *make(SourceRange range, llvm::ArrayRef<const Expr *> children, Args &&...args) {
    T *expr = context.create<T>(range, std::forward<Args>(args)...);
    return setHeight(expr, children) ? expr : nullptr;
  }
  bool setHeight(Expr *expr, llvm::ArrayRef<const Expr *> children);

  template <typename T> llvm::ArrayRef<T> save(const llvm::SmallVectorImpl<T> &list) {
    return context.copy(llvm::ArrayRef<T>(list));
  }

  llvm::ArrayRef<Token> tokens;
  AstContext &context;
  DiagnosticEngine &diagnostics;
  /// Of each token; empty inside interpolations and where nobody asks.
  llvm::MutableArrayRef<TokenRole> roles;
  /// Of the current token; never at a comment.
  size_t position = 0;
  /// Where the last token that was taken ends.
  llvm::SMLoc previousEnd;
  /// Where the statement, member or declaration being parsed starts.
  llvm::SMLoc itemStart;
  /// Where the last syntax error was reported.
  llvm::SMLoc lastError;
  /// Open brackets in which line breaks mean nothing.
  unsigned brackets = 0;
  /// Levels of nesting around the current token.
  unsigned depth = 0;
  llvm::SmallVector<llvm::StringRef> lostNames;
  bool hasLostImport = false;
  /// After failNesting: nothing more is reported.
  bool gaveUp = false;
};

class Parser::Nesting {
public:
  explicit Nesting(Parser &parser) : parser(parser) {
    if (++parser.depth > maxNesting)
      parser.failNesting(parser.current().range());
  }
  ~Nesting() { --parser.depth; }
  Nesting(const Nesting &) = delete;
  Nesting &operator=(const Nesting &) = delete;

  bool isTooDeep() const { return parser.depth > maxNesting; }

private:
  Parser &parser;
};

class Parser::Bracketed {
public:
  explicit Bracketed(Parser &parser) : parser(parser) { ++parser.brackets; }
  ~Bracketed() { --parser.brackets; }
  Bracketed(const Bracketed &) = delete;
  Bracketed &operator=(const Bracketed &) = delete;

private:
  Parser &parser;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_PARSERIMPL_H
