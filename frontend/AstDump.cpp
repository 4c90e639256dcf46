//===- AstDump.cpp - a syntax tree as text
//-----------------------------------------------------===//

#include "frontend/AstDump.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace quern::frontend {
namespace {

class Dumper {
public:
  explicit Dumper(raw_ostream &out) : out(out) {}

  void dump(const Decl *decl);

private:
  /// Starts a line at the current depth.
  raw_ostream &line() { return out.indent(2 * depth); }
  /// Prints `label`, and below it what `printChildren` prints.
  void nested(const Twine &label, function_ref<void()> printChildren);
  void docs(ArrayRef<StringRef> lines);

  void dump(const TypeExpr *type);
  void dump(const Stmt *stmt);
  void dump(const Expr *expr);
  void dumpOperation(const Expr *expr);
  void dumpString(const StringExpr *string);
  void dumpIndex(const IndexExpr *index);
  void dumpMember(const MemberDecl *member);
  void dumpClauses(const MemberClauses &clauses);
  void dumpFunction(const FunctionDecl *function);
  void dumpConfig(const ConfigDecl *config);

  /// A child under a label of its own; nothing for null.
  template <typename T> void child(const Twine &label, const T *node) {
    if (node)
      nested(label, [&] { dump(node); });
  }
  void arguments(ArrayRef<Argument> arguments);
  void parameters(ArrayRef<Parameter> parameters);
  void block(const Twine &label, const Block &block);
  void require(const Requirement &requirement);

  raw_ostream &out;
  unsigned depth = 0;
};

} // namespace

static std::string quoted(StringRef text) {
  std::string result;
  raw_string_ostream out(result);
  out << '"';
  printEscapedString(text, out);
  out << '"';
  return result;
}

static std::string joined(ArrayRef<Identifier> names) {
  return join(map_range(names, [](const Identifier &name) { return name.text; }), ", ");
}

void Dumper::nested(const Twine &label, function_ref<void()> printChildren) {
  line() << label << '\n';
  ++depth;
  printChildren();
  --depth;
}

void Dumper::docs(ArrayRef<StringRef> lines) {
  for (StringRef text : lines)
    line() << "doc " << quoted(text) << '\n';
}

//===--- Declarations
//--------------------------------------------------------------------------===//

void Dumper::dump(const Decl *decl) {
  TypeSwitch<const Decl *>(decl)
      .Case([&](const ImportDecl *import) {
        std::string what = import->isBase() ? ("base as " + import->alias.text).str() : quoted(import->path->text());
        nested("import " + what, [&] { docs(import->doc); });
      })
      .Case([&](const ConfigDecl *config) { dumpConfig(config); })
      .Case([&](const ModuleDecl *module) {
        nested("module " + module->name.text, [&] {
          docs(module->doc);
          parameters(module->parameters);
          for (const Decl *member : module->body)
            dump(member);
        });
      })
      .Case([&](const FunctionDecl *function) { dumpFunction(function); })
      .Case([&](const ConstantDecl *constant) {
        nested("constant " + constant->name.text, [&] {
          docs(constant->doc);
          dump(constant->value);
        });
      })
      .Case([&](const RequireDecl *decl) {
        nested("declaration", [&] {
          docs(decl->doc);
          require(decl->requirement);
        });
      })
      .Case([&](const MemberDecl *member) { dumpMember(member); });
}

void Dumper::dumpConfig(const ConfigDecl *config) {
  nested("config", [&] {
    docs(config->doc);
    for (const ConfigField &field : config->fields)
      nested("field " + field.key.text, [&] {
        docs(field.doc);
        dump(field.type);
        child("default", field.defaultValue);
      });
  });
}

void Dumper::dumpFunction(const FunctionDecl *function) {
  bool isEntry = function->functionKind == FunctionKind::Entry;
  std::string label = isEntry ? "entry" : "fn";
  if (function->name)
    label += " " + function->name.text.str();
  nested(label, [&] {
    docs(function->doc);
    parameters(function->parameters);
    child("result", function->result);
    for (const Bound &bound : function->bounds)
      child("bound " + bound.symbol.text, bound.limit);
    block("body", function->body);
  });
}

void Dumper::dumpMember(const MemberDecl *member) {
  nested((member->isState ? "state " : "member ") + member->name.text, [&] {
    docs(member->doc);
    dump(member->type);
    dumpClauses(member->clauses);
  });
}

void Dumper::dumpClauses(const MemberClauses &clauses) {
  child("named", static_cast<const Expr *>(clauses.name));
  child("view of", clauses.view);
  child("tied to", clauses.tie);
  child("tied if", clauses.tieCondition);
  child("present if", clauses.presence);
  child("starts as", clauses.start);
}

void Dumper::parameters(ArrayRef<Parameter> parameters) {
  for (const Parameter &parameter : parameters)
    nested("parameter " + parameter.name.text, [&] {
      dump(parameter.type);
      child("default", parameter.defaultValue);
    });
}

void Dumper::require(const Requirement &requirement) {
  nested("require", [&] {
    dump(requirement.condition);
    child("message", static_cast<const Expr *>(requirement.message));
  });
}

//===--- Types
//---------------------------------------------------------------------------------===//

void Dumper::dump(const TypeExpr *type) {
  TypeSwitch<const TypeExpr *>(type)
      .Case([&](const NamedType *named) { nested("type " + named->name.text, [&] { arguments(named->arguments); }); })
      .Case([&](const TensorType *tensor) {
        nested("tensor" + Twine(tensor->element ? " " : "") + tensor->element.text, [&] {
          for (const Expr *dim : tensor->dims)
            dump(dim);
        });
      })
      .Case([&](const ListType *list) { child("list type", list->element); })
      .Case([&](const TupleType *tuple) {
        nested("tuple type", [&] {
          for (const TypeExpr *element : tuple->elements)
            dump(element);
        });
      })
      .Case([&](const ChoiceType *choice) {
        nested("choice", [&] {
          for (const StringExpr *string : choice->choices)
            dumpString(string);
        });
      })
      .Case([&](const ArrayType *array) {
        nested("array", [&] {
          dump(array->element);
          child("count", array->count);
        });
      })
      .Case([&](const ForArrayType *array) {
        nested("array for " + joined(array->variables), [&] {
          dump(array->iterable);
          dump(array->element);
          dumpClauses(array->clauses);
        });
      });
}

//===--- Statements
//----------------------------------------------------------------------------===//

void Dumper::block(const Twine &label, const Block &block) {
  nested(label, [&] {
    for (const Stmt *stmt : block.statements)
      dump(stmt);
  });
}

void Dumper::dump(const Stmt *stmt) {
  TypeSwitch<const Stmt *>(stmt)
      .Case([&](const AssignStmt *assign) { child("assign " + joined(assign->targets), assign->value); })
      .Case([&](const ReturnStmt *ret) {
        nested("return", [&] {
          if (ret->value)
            dump(ret->value);
        });
      })
      .Case([&](const ExpressionStmt *expression) { child("do", expression->value); })
      .Case([&](const IfStmt *branch) {
        nested("if", [&] {
          dump(branch->condition);
          block("then", branch->thenBlock);
          if (branch->elseBlock)
            block("else", *branch->elseBlock);
        });
      })
      .Case([&](const ForStmt *loop) {
        nested("for " + joined(loop->variables), [&] {
          child("in", loop->iterable);
          block("body", loop->body);
        });
      })
      .Case([&](const RequireStmt *stmt) { require(stmt->requirement); });
}

//===--- Expressions
//---------------------------------------------------------------------------===//

void Dumper::arguments(ArrayRef<Argument> arguments) {
  for (const Argument &argument : arguments) {
    if (argument.name)
      child("argument " + argument.name.text, argument.value);
    else
      dump(argument.value);
  }
}

void Dumper::dumpString(const StringExpr *string) {
  if (string->isPlain()) {
    line() << "string " << quoted(string->text()) << '\n';
    return;
  }
  nested("string", [&] {
    for (const StringPart &part : string->parts) {
      if (part.value)
        dump(part.value);
      else
        line() << "text " << quoted(part.text) << '\n';
    }
  });
}

void Dumper::dumpIndex(const IndexExpr *index) {
  nested("index", [&] {
    dump(index->base);
    for (const Subscript &subscript : index->subscripts) {
      switch (subscript.kind) {
      case Subscript::Kind::Index:
        child("at", subscript.begin);
        break;
      case Subscript::Kind::Slice:
        nested("slice", [&] {
          child("from", subscript.begin);
          child("to", subscript.end);
        });
        break;
      case Subscript::Kind::Rest:
        line() << "rest\n";
        break;
      }
    }
  });
}

void Dumper::dump(const Expr *expr) {
  TypeSwitch<const Expr *>(expr)
      .Case([&](const IntegerExpr *integer) { line() << "integer " << integer->value << '\n'; })
      .Case([&](const FloatExpr *number) { line() << "float " << number->spelling << '\n'; })
      .Case([&](const BoolExpr *word) { line() << (word->value ? "true" : "false") << '\n'; })
      .Case([&](const StringExpr *string) { dumpString(string); })
      .Case([&](const NameExpr *name) { line() << "name " << name->name << '\n'; })
      .Case([&](const InferredDimExpr *) { line() << "inferred\n"; })
      .Case([&](const RestExpr *) { line() << "rest\n"; })
      .Case([&](const IndexExpr *index) { dumpIndex(index); })
      .Default([&](const Expr *operation) { dumpOperation(operation); });
}

void Dumper::dumpOperation(const Expr *expr) {
  auto all = [&](ArrayRef<Expr *> list) {
    for (const Expr *element : list)
      dump(element);
  };
  TypeSwitch<const Expr *>(expr)
      .Case([&](const MemberExpr *access) { child("member " + access->member.text, access->base); })
      .Case([&](const CallExpr *call) {
        nested("call", [&] {
          dump(call->callee);
          arguments(call->arguments);
        });
      })
      .Case([&](const UnaryExpr *unary) { child("unary " + spelling(unary->op), unary->operand); })
      .Case([&](const BinaryExpr *binary) {
        nested("binary " + spelling(binary->op), [&] { all({binary->left, binary->right}); });
      })
      .Case([&](const ReshapeExpr *reshape) {
        nested("reshape", [&] {
          dump(reshape->value);
          nested("to", [&] { all(reshape->dims); });
        });
      })
      .Case([&](const TupleExpr *tuple) { nested("tuple", [&] { all(tuple->elements); }); })
      .Case([&](const ListExpr *list) { nested("list", [&] { all(list->elements); }); })
      .Case([&](const IfExpr *branch) {
        nested("if", [&] { all({branch->condition, branch->thenValue, branch->elseValue}); });
      })
      .Case([&](const ForExpr *loop) {
        nested("for " + joined(loop->variables), [&] { all({loop->iterable, loop->body}); });
      })
      .Case([&](const RangeExpr *range) { nested("range", [&] { all({range->begin, range->end}); }); });
}

void dumpAst(const SourceFile &file, raw_ostream &out) {
  Dumper dumper(out);
  for (const Decl *decl : file.decls)
    dumper.dump(decl);
}

} // namespace quern::frontend
