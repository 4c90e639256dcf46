//===- Ast.h - the syntax tree of one model file
//-----------------------------------------------===//
//
// Plain structs, allocated in an AstContext and never freed singly; every list is an ArrayRef into
// the same arena, every name and string a StringRef into the source buffer or the arena. Nodes of
// one family share a kind and work with isa, cast and TypeSwitch. The parser returns no null child
// unless the field says so.
//
// The height of an expression and the nesting of everything else are at most `maxNesting`, so
// walking a tree may recurse.
//===-------------------------------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_AST_H
#define QUERN_FRONTEND_AST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/SMLoc.h"
#include <cstdint>
#include <type_traits>
#include <utility>

namespace quern::frontend {

/// From the first character up to one past the last; the source manager knows the file. Invalid
/// means "no place".
using SourceRange = llvm::SMRange;

/// How deep brackets, blocks, operators and member accesses may nest.
inline constexpr unsigned maxNesting = 256;
/// How many parameters a function or module may have: arguments look for theirs by name.
inline constexpr size_t maxParameters = 128;

/// Owns the nodes and lists of syntax trees.
class AstContext {
public:
  /// A new node; nodes hold no resources, so that the arena can drop them together.
  template <typename T, typename... Args> T *create(Args &&...args) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena calls no destructors");
    return new (arena.Allocate<T>()) T{std::forward<Args>(args)...};
  }

  /// A copy of `list` in the arena.
  template <typename T> llvm::ArrayRef<T> copy(llvm::ArrayRef<T> list) { return list.copy(arena); }

  /// A copy of `text` in the arena.
  llvm::StringRef copy(llvm::StringRef text) { return text.copy(arena); }

private:
  llvm::BumpPtrAllocator arena;
};

/// A name where it is written. Empty where an optional name is absent.
struct Identifier {
  llvm::StringRef text;
  SourceRange range;

  explicit operator bool() const { return !text.empty(); }
};

//===--- Expressions
//---------------------------------------------------------------------------===//

enum class ExprKind {
  Integer,
  Float,
  Bool,
  String,
  Name,
  Member,
  Call,
  Index,
  Unary,
  Binary,
  Reshape,
  Tuple,
  List,
  If,
  For,
  Range,
  InferredDim,
  Rest,
};

/// A value, a shape's dimension or a compile-time computation.
struct Expr {
  ExprKind kind;
  /// 1 for a leaf, one more than the highest child otherwise.
  unsigned height;
  SourceRange range;

protected:
  Expr(ExprKind kind, SourceRange range) : kind(kind), height(1), range(range) {}
};

/// `12`. Never negative: `-12` is a UnaryExpr.
struct IntegerExpr : Expr {
  int64_t value;

  IntegerExpr(SourceRange range, int64_t value) : Expr(ExprKind::Integer, range), value(value) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Integer; }
};

/// `1e-6`, `0.5`: a literal with a point or an exponent. Finite and not negative.
struct FloatExpr : Expr {
  double value;
  /// As it is written.
  llvm::StringRef spelling;

  FloatExpr(SourceRange range, double value, llvm::StringRef spelling)
      : Expr(ExprKind::Float, range), value(value), spelling(spelling) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Float; }
};

/// `true`, `false`.
struct BoolExpr : Expr {
  bool value;

  BoolExpr(SourceRange range, bool value) : Expr(ExprKind::Bool, range), value(value) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Bool; }
};

/// A piece of a string: text with its escapes replaced, or the expression of an interpolation.
struct StringPart {
  llvm::StringRef text;
  /// Null for text.
  Expr *value;
};

/// `"rows of {n} heads"`. No two neighbouring parts are text; the empty string has no parts.
struct StringExpr : Expr {
  llvm::ArrayRef<StringPart> parts;

  StringExpr(SourceRange range, llvm::ArrayRef<StringPart> parts) : Expr(ExprKind::String, range), parts(parts) {}
  /// Without interpolations: `text` is the whole string.
  bool isPlain() const { return parts.empty() || (parts.size() == 1 && !parts.front().value); }
  /// The text of a plain string.
  llvm::StringRef text() const { return parts.empty() ? llvm::StringRef() : parts.front().text; }
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::String; }
};

/// `hidden_size`: a value, member, parameter, config field, symbolic dimension, function or option
/// word (`interleaved`).
struct NameExpr : Expr {
  llvm::StringRef name;

  NameExpr(SourceRange range, llvm::StringRef name) : Expr(ExprKind::Name, range), name(name) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Name; }
};

/// `base.member`; also a dotted config key.
struct MemberExpr : Expr {
  Expr *base;
  Identifier member;

  MemberExpr(SourceRange range, Expr *base, Identifier member)
      : Expr(ExprKind::Member, range), base(base), member(member) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Member; }
};

/// One argument of a call or of a module's parameters.
struct Argument {
  /// Empty for a positional argument. Positional arguments precede named ones.
  Identifier name;
  Expr *value;
};

/// `callee(a, b, axis: -1)`.
struct CallExpr : Expr {
  Expr *callee;
  llvm::ArrayRef<Argument> arguments;

  CallExpr(SourceRange range, Expr *callee, llvm::ArrayRef<Argument> arguments)
      : Expr(ExprKind::Call, range), callee(callee), arguments(arguments) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Call; }
};

/// One position between the brackets of an IndexExpr.
struct Subscript {
  enum class Kind {
    /// `i`: drops the axis. `begin` is the index.
    Index,
    /// `begin:end`, both optional (null).
    Slice,
    /// `..`: all axes that the others leave. At most one per IndexExpr.
    Rest,
  };
  Kind kind;
  SourceRange range;
  Expr *begin;
  Expr *end;
};

/// `base[i, .., 0:n]`.
struct IndexExpr : Expr {
  Expr *base;
  llvm::ArrayRef<Subscript> subscripts;

  IndexExpr(SourceRange range, Expr *base, llvm::ArrayRef<Subscript> subscripts)
      : Expr(ExprKind::Index, range), base(base), subscripts(subscripts) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Index; }
};

enum class UnaryOp { Negate, Not };

/// `-x`, `!c`.
struct UnaryExpr : Expr {
  UnaryOp op;
  Expr *operand;

  UnaryExpr(SourceRange range, UnaryOp op, Expr *operand) : Expr(ExprKind::Unary, range), op(op), operand(operand) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Unary; }
};

enum class BinaryOp {
#define QUERN_BINARY(Kind, Operator, precedence) Operator,
#include "frontend/Tokens.def"
  Power,
};

/// The operator as it is written, such as `<=`.
llvm::StringRef spelling(BinaryOp op);
/// The operator as it is written, such as `!`.
llvm::StringRef spelling(UnaryOp op);

/// `left op right`.
struct BinaryExpr : Expr {
  BinaryOp op;
  /// Of the operator itself.
  SourceRange opRange;
  Expr *left;
  Expr *right;

  BinaryExpr(SourceRange range, BinaryOp op, SourceRange opRange, Expr *left, Expr *right)
      : Expr(ExprKind::Binary, range), op(op), opRange(opRange), left(left), right(right) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Binary; }
};

/// `value as [s, heads, *]`: the same elements in another shape; `*` and `..` may stand among the
/// dimensions.
struct ReshapeExpr : Expr {
  Expr *value;
  llvm::ArrayRef<Expr *> dims;
  /// Of the brackets.
  SourceRange dimsRange;

  ReshapeExpr(SourceRange range, Expr *value, llvm::ArrayRef<Expr *> dims, SourceRange dimsRange)
      : Expr(ExprKind::Reshape, range), value(value), dims(dims), dimsRange(dimsRange) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Reshape; }
};

/// `(a, b)`, or `a, b` after `return` and `=`. At least two elements.
struct TupleExpr : Expr {
  llvm::ArrayRef<Expr *> elements;

  TupleExpr(SourceRange range, llvm::ArrayRef<Expr *> elements) : Expr(ExprKind::Tuple, range), elements(elements) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Tuple; }
};

/// `[1, 2]`.
struct ListExpr : Expr {
  llvm::ArrayRef<Expr *> elements;

  ListExpr(SourceRange range, llvm::ArrayRef<Expr *> elements) : Expr(ExprKind::List, range), elements(elements) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::List; }
};

/// `if c { a } else { b }` as a value; the condition is static.
struct IfExpr : Expr {
  Expr *condition;
  Expr *thenValue;
  Expr *elseValue;

  IfExpr(SourceRange range, Expr *condition, Expr *thenValue, Expr *elseValue)
      : Expr(ExprKind::If, range), condition(condition), thenValue(thenValue), elseValue(elseValue) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::If; }
};

/// `for head in medusa_head: head(h)`: one value per element; an argument of a call or an element
/// of a list.
struct ForExpr : Expr {
  /// At least one; more than one takes each element apart as a tuple.
  llvm::ArrayRef<Identifier> variables;
  /// A module array, a list or a RangeExpr; static.
  Expr *iterable;
  Expr *body;

  ForExpr(SourceRange range, llvm::ArrayRef<Identifier> variables, Expr *iterable, Expr *body)
      : Expr(ExprKind::For, range), variables(variables), iterable(iterable), body(body) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::For; }
};

/// `begin..end`, without `end` itself; only as what a `for` runs over.
struct RangeExpr : Expr {
  Expr *begin;
  Expr *end;

  RangeExpr(SourceRange range, Expr *begin, Expr *end) : Expr(ExprKind::Range, range), begin(begin), end(end) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Range; }
};

/// `*` among dimensions: inferred.
struct InferredDimExpr : Expr {
  explicit InferredDimExpr(SourceRange range) : Expr(ExprKind::InferredDim, range) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::InferredDim; }
};

/// `..` among dimensions: any number of them, the same ones wherever a signature says `..`. At most
/// one per shape.
struct RestExpr : Expr {
  explicit RestExpr(SourceRange range) : Expr(ExprKind::Rest, range) {}
  static bool classof(const Expr *expr) { return expr->kind == ExprKind::Rest; }
};

//===--- Types
//---------------------------------------------------------------------------------===//

enum class TypeKind { Named, Tensor, List, Tuple, Choice, Array, ForArray };

/// What a parameter, result, config field or member is.
struct TypeExpr {
  TypeKind kind;
  SourceRange range;

protected:
  TypeExpr(TypeKind kind, SourceRange range) : kind(kind), range(range) {}
};

/// `int`, `float`, `bool`, `string`, or a module: `Attention`, `Linear(n, m, bias: true)`.
struct NamedType : TypeExpr {
  Identifier name;
  /// Empty for `Attention` as for `Attention()`.
  llvm::ArrayRef<Argument> arguments;

  NamedType(SourceRange range, Identifier name, llvm::ArrayRef<Argument> arguments)
      : TypeExpr(TypeKind::Named, range), name(name), arguments(arguments) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::Named; }
};

/// `[s, 4 * n]`, `f32[r, v]`, `Positions[s]`; `[]` and `f32[]` are scalars.
struct TensorType : TypeExpr {
  /// Empty where none is written.
  Identifier element;
  /// `*` (InferredDimExpr) and `..` (RestExpr) may stand among them.
  llvm::ArrayRef<Expr *> dims;

  TensorType(SourceRange range, Identifier element, llvm::ArrayRef<Expr *> dims)
      : TypeExpr(TypeKind::Tensor, range), element(element), dims(dims) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::Tensor; }
};

/// `[int]`, `[float]`, `[bool]`, `[string]`: exactly one of these words between the brackets.
struct ListType : TypeExpr {
  /// A NamedType without arguments.
  TypeExpr *element;

  ListType(SourceRange range, TypeExpr *element) : TypeExpr(TypeKind::List, range), element(element) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::List; }
};

/// `(int, int)`, `(f32[r, v], [s, n])`. At least two elements.
struct TupleType : TypeExpr {
  llvm::ArrayRef<TypeExpr *> elements;

  TupleType(SourceRange range, llvm::ArrayRef<TypeExpr *> elements)
      : TypeExpr(TypeKind::Tuple, range), elements(elements) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::Tuple; }
};

/// `"silu" | "gelu"`: one of these strings. At least one, all plain.
struct ChoiceType : TypeExpr {
  llvm::ArrayRef<StringExpr *> choices;

  ChoiceType(SourceRange range, llvm::ArrayRef<StringExpr *> choices)
      : TypeExpr(TypeKind::Choice, range), choices(choices) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::Choice; }
};

/// `[DecoderLayer; n]`, nested: `[[Expert; e]; n]`. Only as a member's type.
struct ArrayType : TypeExpr {
  /// A NamedType, TensorType or ArrayType.
  TypeExpr *element;
  Expr *count;

  ArrayType(SourceRange range, TypeExpr *element, Expr *count)
      : TypeExpr(TypeKind::Array, range), element(element), count(count) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::Array; }
};

/// What may follow the type of a member, or of the elements of a ForArrayType; each at most once, in any order. All
/// null where absent.
struct MemberClauses {
  /// `named "w1"`, `named "{medusa_num_layers}"`: the part of the tensor's path, instead of the
  /// member's name.
  StringExpr *name;
  /// `view of gate_up_proj[.., 0:n]`: a part of another tensor.
  Expr *view;
  /// `tied to model.embed_tokens`: the same tensors as another member.
  Expr *tie;
  /// `tied to … if c`: tied only where `c` holds, otherwise a member of its own.
  Expr *tieCondition;
  /// `bias : [n] if attention_bias`: present only where it holds.
  Expr *presence;
  /// `starts as running_mean`: the parameter whose values a variable has at first.
  Expr *start;
};

/// `[for i in 0..n: DecoderLayer(i)]`: an array with one element per value. Only as a member's type.
struct ForArrayType : TypeExpr {
  /// At least one; more than one takes each value apart as a tuple.
  llvm::ArrayRef<Identifier> variables;
  /// A list, a RangeExpr or an array of members; static.
  Expr *iterable;
  /// A NamedType, TensorType, ArrayType or ForArrayType.
  TypeExpr *element;
  /// Of each element; without a presence.
  MemberClauses clauses;

  ForArrayType(SourceRange range, llvm::ArrayRef<Identifier> variables, Expr *iterable, TypeExpr *element,
               MemberClauses clauses)
      : TypeExpr(TypeKind::ForArray, range), variables(variables), iterable(iterable), element(element),
        clauses(clauses) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::ForArray; }
};

//===--- Statements
//----------------------------------------------------------------------------===//

enum class StmtKind { Assign, Return, Expression, If, For, Require, Lost };

/// One statement of a function's body.
struct Stmt {
  StmtKind kind;
  SourceRange range;

protected:
  Stmt(StmtKind kind, SourceRange range) : kind(kind), range(range) {}
};

/// `{ … }`.
struct Block {
  /// With the braces.
  SourceRange range;
  llvm::ArrayRef<Stmt *> statements;
};

/// `x = value`, `weight, expert = top_k(…)`. Binds new values to the names; a name may be bound
/// again.
struct AssignStmt : Stmt {
  /// At least one; `_` discards.
  llvm::ArrayRef<Identifier> targets;
  Expr *value;

  AssignStmt(SourceRange range, llvm::ArrayRef<Identifier> targets, Expr *value)
      : Stmt(StmtKind::Assign, range), targets(targets), value(value) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == StmtKind::Assign; }
};

/// `return a, b`.
struct ReturnStmt : Stmt {
  /// Null for a bare `return`.
  Expr *value;

  ReturnStmt(SourceRange range, Expr *value) : Stmt(StmtKind::Return, range), value(value) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == StmtKind::Return; }
};

/// `cache.append(k, v, at)` for its effect on a state.
struct ExpressionStmt : Stmt {
  Expr *value;

  ExpressionStmt(SourceRange range, Expr *value) : Stmt(StmtKind::Expression, range), value(value) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == StmtKind::Expression; }
};

/// `if c { … } else { … }`; the condition is static. `else if` is an else block of one IfStmt.
struct IfStmt : Stmt {
  Expr *condition;
  Block thenBlock;
  /// Null without `else`.
  Block *elseBlock;

  IfStmt(SourceRange range, Expr *condition, Block thenBlock, Block *elseBlock)
      : Stmt(StmtKind::If, range), condition(condition), thenBlock(thenBlock), elseBlock(elseBlock) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == StmtKind::If; }
};

/// `for layer in layers { … }`, unrolled.
struct ForStmt : Stmt {
  /// At least one; more than one takes each element apart as a tuple.
  llvm::ArrayRef<Identifier> variables;
  /// A module array, a list or a RangeExpr; static.
  Expr *iterable;
  Block body;

  ForStmt(SourceRange range, llvm::ArrayRef<Identifier> variables, Expr *iterable, Block body)
      : Stmt(StmtKind::For, range), variables(variables), iterable(iterable), body(body) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == StmtKind::For; }
};

/// `require heads % groups == 0, "cannot share {heads} heads among {groups}"`: an error of the
/// model unless it holds.
struct Requirement {
  Expr *condition;
  /// Null without a message.
  StringExpr *message;
};

/// A requirement among statements.
struct RequireStmt : Stmt {
  Requirement requirement;

  RequireStmt(SourceRange range, Requirement requirement) : Stmt(StmtKind::Require, range), requirement(requirement) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == StmtKind::Require; }
};

/// A statement with a syntax error.
struct LostStmt : Stmt {
  /// The names that it may have bound.
  llvm::ArrayRef<llvm::StringRef> targets;

  LostStmt(SourceRange range, llvm::ArrayRef<llvm::StringRef> targets)
      : Stmt(StmtKind::Lost, range), targets(targets) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == StmtKind::Lost; }
};

//===--- Declarations
//--------------------------------------------------------------------------===//

enum class DeclKind { Import, Config, Module, Function, Constant, Require, Member };

/// What stands in a file or in a module.
struct Decl {
  DeclKind kind;
  SourceRange range;
  /// The lines of the `///` comment above, without the slashes and one following blank.
  llvm::ArrayRef<llvm::StringRef> doc;

protected:
  Decl(DeclKind kind, SourceRange range, llvm::ArrayRef<llvm::StringRef> doc) : kind(kind), range(range), doc(doc) {}
};

/// `import "std/transformer.qn"`, or `import base as Base`. In a file only.
struct ImportDecl : Decl {
  /// Plain and not empty; null for the base.
  StringExpr *path;
  /// Of the base: what its root module is called here.
  Identifier alias;

  ImportDecl(SourceRange range, llvm::ArrayRef<llvm::StringRef> doc, StringExpr *path, Identifier alias = {})
      : Decl(DeclKind::Import, range, doc), path(path), alias(alias) {}
  bool isBase() const { return path == nullptr; }
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Import; }
};

/// `rope_parameters.rope_theta : float = 10000.0`.
struct ConfigField {
  /// The whole dotted key.
  Identifier key;
  TypeExpr *type;
  /// Null where the checkpoint must have the key.
  Expr *defaultValue;
  llvm::ArrayRef<llvm::StringRef> doc;
};

/// `config { … }`. In a file only.
struct ConfigDecl : Decl {
  llvm::ArrayRef<ConfigField> fields;

  ConfigDecl(SourceRange range, llvm::ArrayRef<llvm::StringRef> doc, llvm::ArrayRef<ConfigField> fields)
      : Decl(DeclKind::Config, range, doc), fields(fields) {}
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Config; }
};

/// `stride: int = 1`, `x: [s, hidden]`.
struct Parameter {
  Identifier name;
  TypeExpr *type;
  /// Null where an argument must be given.
  Expr *defaultValue;
};

/// `where s <= 512`: the largest size of a symbolic dimension.
struct Bound {
  Identifier symbol;
  Expr *limit;
};

enum class FunctionKind {
  /// `fn (x: …)`: what calling the module does; without a name. In a module only.
  Call,
  /// `fn append(…)`: in a file a free function, in a module a method.
  Named,
  /// `entry forward(…)`: callable from outside. In a module only.
  Entry,
};

/// A function; its parameters are tensors or static values.
struct FunctionDecl : Decl {
  FunctionKind functionKind;
  /// Empty for FunctionKind::Call.
  Identifier name;
  llvm::ArrayRef<Parameter> parameters;
  /// Null where nothing is returned.
  TypeExpr *result;
  llvm::ArrayRef<Bound> bounds;
  Block body;

  FunctionDecl(SourceRange range, llvm::ArrayRef<llvm::StringRef> doc, FunctionKind functionKind, Identifier name,
               llvm::ArrayRef<Parameter> parameters, TypeExpr *result, llvm::ArrayRef<Bound> bounds, Block body)
      : Decl(DeclKind::Function, range, doc), functionKind(functionKind), name(name), parameters(parameters),
        result(result), bounds(bounds), body(body) {}
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Function; }
};

/// `groups = num_attention_heads / num_key_value_heads`, in a file or a module: a name for a static
/// value or a computed table.
struct ConstantDecl : Decl {
  Identifier name;
  Expr *value;

  ConstantDecl(SourceRange range, llvm::ArrayRef<llvm::StringRef> doc, Identifier name, Expr *value)
      : Decl(DeclKind::Constant, range, doc), name(name), value(value) {}
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Constant; }
};

/// A requirement in a file or a module.
struct RequireDecl : Decl {
  Requirement requirement;

  RequireDecl(SourceRange range, llvm::ArrayRef<llvm::StringRef> doc, Requirement requirement)
      : Decl(DeclKind::Require, range, doc), requirement(requirement) {}
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Require; }
};

/// `q_proj : Linear(n, m)`, `weight : [n, m]`, `state keys : [T, h, d]`. In a module only.
struct MemberDecl : Decl {
  bool isState;
  Identifier name;
  /// NamedType (a module), TensorType (a parameter or state), ArrayType or ForArrayType.
  TypeExpr *type;
  MemberClauses clauses;

  MemberDecl(SourceRange range, llvm::ArrayRef<llvm::StringRef> doc, bool isState, Identifier name, TypeExpr *type,
             MemberClauses clauses)
      : Decl(DeclKind::Member, range, doc), isState(isState), name(name), type(type), clauses(clauses) {}
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Member; }
};

/// `module ConvBn(cin: int, cout: int) { … }`. In a file only.
struct ModuleDecl : Decl {
  Identifier name;
  llvm::ArrayRef<Parameter> parameters;
  /// Members, constants, requirements and functions as they are written.
  llvm::ArrayRef<Decl *> body;

  ModuleDecl(SourceRange range, llvm::ArrayRef<llvm::StringRef> doc, Identifier name,
             llvm::ArrayRef<Parameter> parameters, llvm::ArrayRef<Decl *> body)
      : Decl(DeclKind::Module, range, doc), name(name), parameters(parameters), body(body) {}
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Module; }
};

/// One parsed file.
struct SourceFile {
  /// The source manager's number of the buffer.
  unsigned buffer;
  /// As they are written. After a syntax error: those that could be parsed.
  llvm::ArrayRef<Decl *> decls;
  /// The names in what could not be parsed: what they mean is not known.
  llvm::ArrayRef<llvm::StringRef> lostNames;
  /// An import could not be parsed, found or read: any name may be declared there.
  bool lacksImport;
};

/// Whether `module` has an entry.
bool hasEntry(const ModuleDecl &module);
/// The module whose entries are compiled where `file` is the main file: the last one with an entry; null without one.
const ModuleDecl *findRootModule(const SourceFile &file);
/// What `file` calls the root module of its base; null where it imports none.
const ImportDecl *findBaseImport(const SourceFile &file);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_AST_H
