//===- ElaborateFunction.cpp - functions and their statements ---------------------------------===//

#include "frontend/Config.h"
#include "frontend/Elaborator.h"
#include "frontend/ElementNames.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace llvm;

namespace quern::frontend {

/// How deep calls may nest: a program without recursion stays far below.
static constexpr unsigned maxCallDepth = 64;
/// How often one loop may run.
static constexpr int64_t maxIterations = 65536;

//===--- Arguments
//-----------------------------------------------------------------------------===//

bool Elaborator::bindArgument(const Parameter &parameter, Frame &frame, const Value &value, SourceRange place,
                              StringRef callee) {
  auto refuse = [&](const Twine &expected) {
    Diagnostic &error = diagnostics.error(place, "argument `" + parameter.name.text + "` of `" + callee + "` is " +
                                                     value.describe() + "; expected " + expected);
    error.note(parameter.name.range, "the parameter is declared here");
    if (value.origin.isValid() && value.origin.Start != place.Start)
      error.note(value.origin, "the argument comes from here");
    return false;
  };
  if (auto *type = dyn_cast<TensorType>(parameter.type)) {
    auto *tensor = value.get<Tensor>();
    if (!tensor)
      return refuse("a tensor `" + textOf(type->range) + "`");
    std::string expected;
    Match match = matchTensor(*type, *tensor, frame, /*bindsNames=*/true, expected);
    if (match == Match::No)
      return refuse(expected);
    if (match == Match::Error)
      return false;
    frame.locals[parameter.name.text] = value;
    return true;
  }
  auto *named = dyn_cast<NamedType>(parameter.type);
  if (const ModuleDecl *module = named ? program.findModule(named->name.text) : nullptr) {
    auto *instance = value.get<ModuleValue>();
    if (!instance || instance->instance->decl != module)
      return refuse("module `" + named->name.text + "`");
    frame.locals[parameter.name.text] = value;
    return true;
  }
  if (named && program.isLost(named->name.text)) {
    frame.locals[parameter.name.text] = value;
    return true;
  }
  auto *tuple = dyn_cast<TupleType>(parameter.type);
  if (tuple && any_of(tuple->elements, [](TypeExpr *element) { return isa<TensorType>(element); })) {
    Value checked = checkResult(*tuple, value, frame, place);
    frame.locals[parameter.name.text] = checked;
    return !checked.isPoison();
  }
  auto converted = convertStatic(value, *parameter.type);
  if (!converted)
    return refuse(describeType(*parameter.type));
  frame.locals[parameter.name.text] = *converted;
  return true;
}

/// The parameter that argument `i` goes to, or null.
static const Parameter *findParameter(ArrayRef<Parameter> parameters, const Identifier &name, size_t i) {
  if (!name)
    return i < parameters.size() ? &parameters[i] : nullptr;
  const auto *it = find_if(parameters, [&](const Parameter &parameter) { return parameter.name.text == name.text; });
  return it == parameters.end() ? nullptr : it;
}

bool Elaborator::bindArguments(const FunctionDecl &function, Frame &frame, ArrayRef<CallArgument> arguments,
                               SourceRange range, StringRef name) {
  DenseMap<const Parameter *, const CallArgument *> given;
  bool fits = true;
  for (auto [i, argument] : enumerate(arguments)) {
    const Parameter *parameter = findParameter(function.parameters, argument.name, i);
    if (!parameter) {
      fail(argument.name ? argument.name.range : argument.place,
           argument.name ? "`" + name + "` has no parameter `" + argument.name.text + "`"
                         : "`" + name + "` takes " + Twine(function.parameters.size()) + " arguments; found " +
                               Twine(arguments.size()));
      fits = false;
    } else if (!given.try_emplace(parameter, &argument).second) {
      fail(argument.place, "argument `" + parameter->name.text + "` of `" + name + "` is given twice");
      fits = false;
    }
  }
  // Static parameters first: the shapes of tensors may compute with them.
  for (bool tensors : {false, true})
    for (const Parameter &parameter : function.parameters) {
      if (isa<TensorType, TupleType>(parameter.type) != tensors)
        continue;
      if (const CallArgument *argument = given.lookup(&parameter)) {
        fits &= bindArgument(parameter, frame, argument->value, argument->place, name);
      } else if (parameter.defaultValue) {
        Value value = evaluate(*parameter.defaultValue, frame);
        fits &= !value.isPoison() && bindArgument(parameter, frame, value, parameter.defaultValue->range, name);
      } else {
        diagnostics.error(range, "`" + name + "` lacks its argument `" + parameter.name.text + "`")
            .note(parameter.name.range, "the parameter is declared here");
        fits = false;
      }
    }
  return fits;
}

Value Elaborator::callFunction(const FunctionDecl &function, Instance *self, ArrayRef<CallArgument> arguments,
                               SourceRange range, StringRef name) {
  if (callDepth >= maxCallDepth && endless.insert(&function).second)
    fail(range, "calls nest deeper than " + Twine(maxCallDepth) + "; a function cannot call itself");
  if (endless.contains(&function))
    return Value();
  Frame frame{.self = self, .function = &function};
  if (!bindArguments(function, frame, arguments, range, name))
    return function.result ? assumeResult(*function.result, frame, range) : Value();
  ++callDepth;
  auto instance = self ? std::optional<StringRef>(self->path) : std::nullopt;
  Emitter::Scope outer = emitter.enterScope(emitter.calledFrom(range, instance));
  runBlock(function.body, frame);
  Value result = finishFunction(function, frame, range);
  if (result.isPoison() && function.result)
    result = assumeResult(*function.result, frame, range);
  emitter.enterScope(std::move(outer));
  --callDepth;
  return result;
}

Value Elaborator::finishFunction(const FunctionDecl &function, Frame &frame, SourceRange range) {
  if (frame.returned) {
    if (!frame.returned->isPoison())
      frame.returned->origin = range;
    return *frame.returned;
  }
  if (frame.isPartial)
    return Value();
  if (!function.result)
    return Value(Nothing{}, range);
  SourceRange place = function.name ? function.name.range : function.result->range;
  return fail(place, "the function ends without `return`; its result is `" + textOf(function.result->range) + "`");
}

bool Elaborator::isSettled(const Expr &dim, const Frame &frame) const {
  if (auto *name = dyn_cast<NameExpr>(&dim))
    return isBound(name->name, frame);
  if (auto *binary = dyn_cast<BinaryExpr>(&dim))
    return isSettled(*binary->left, frame) && isSettled(*binary->right, frame);
  return isa<IntegerExpr>(dim);
}

Value Elaborator::assumeResult(const TypeExpr &type, Frame &frame, SourceRange place) {
  // The graph is lost; what follows is only checked.
  emitter.deactivate();
  if (auto *tuple = dyn_cast<TupleType>(&type)) {
    auto elements = std::make_shared<std::vector<Value>>();
    for (const TypeExpr *element : tuple->elements) {
      elements->push_back(assumeResult(*element, frame, place));
      if (elements->back().isPoison())
        return Value();
    }
    return Value(Sequence{/*isList=*/false, std::move(elements)}, place);
  }
  auto *tensor = dyn_cast<TensorType>(&type);
  if (!tensor)
    return Value();
  Shape shape;
  for (const Expr *dim : tensor->dims) {
    if (isa<RestExpr>(dim) && frame.rest) {
      shape.append(*frame.rest);
      continue;
    }
    auto extent = isSettled(*dim, frame) ? evaluateExtent(*dim, frame, "a dimension") : std::nullopt;
    if (!extent)
      return Value();
    shape.push_back(*extent);
  }
  mlir::Type element = tensor->element ? findElement(tensor->element.text, emitter.context()) : emitter.f32();
  return element ? Value(Tensor{std::move(shape), element, {}}, place) : Value();
}

Value Elaborator::checkResult(const TypeExpr &type, const Value &value, Frame &frame, SourceRange place) {
  auto refuse = [&](const Twine &expected) {
    Diagnostic &error = diagnostics.error(place, "found " + value.describe() + "; expected " + expected);
    error.note(type.range, "declared here");
    if (value.origin.isValid() && value.origin.Start != place.Start)
      error.note(value.origin, "the value comes from here");
    return Value();
  };
  if (value.isPoison())
    return value;
  if (auto *tensorType = dyn_cast<TensorType>(&type)) {
    auto *tensor = value.get<Tensor>();
    if (!tensor)
      return refuse("a tensor `" + textOf(type.range) + "`");
    std::string expected;
    Match match = matchTensor(*tensorType, *tensor, frame, /*bindsNames=*/false, expected);
    if (match == Match::No)
      return refuse(expected);
    return match == Match::Yes ? value : Value();
  }
  if (auto *tuple = dyn_cast<TupleType>(&type)) {
    auto *sequence = value.get<Sequence>();
    if (!sequence || sequence->elements->size() != tuple->elements.size())
      return refuse(Twine(tuple->elements.size()) + " values");
    bool poisoned = false;
    auto checked = std::make_shared<std::vector<Value>>();
    for (auto [element, elementType] : zip_equal(*sequence->elements, tuple->elements)) {
      checked->push_back(checkResult(*elementType, element, frame, place));
      poisoned |= checked->back().isPoison();
    }
    return poisoned ? Value() : Value(Sequence{sequence->isList, std::move(checked)}, value.origin);
  }
  auto converted = convertStatic(value, type);
  return converted ? *converted : refuse(describeType(type));
}

//===--- Statements
//----------------------------------------------------------------------------===//

void Elaborator::runBlock(const Block &block, Frame &frame) {
  for (auto [i, stmt] : enumerate(block.statements)) {
    if (frame.returned || budget.isSpent())
      return;
    runStatement(*stmt, frame);
    if (isa<ReturnStmt>(stmt) && i + 1 < block.statements.size())
      fail(block.statements[i + 1]->range, "nothing behind `return` is reached");
  }
}

void Elaborator::runStatement(const Stmt &stmt, Frame &frame) {
  if (!budget.spend(Resource::Steps, stmt.range))
    return;
  ++evaluationDepth;
  auto leave = scope_exit([&] { --evaluationDepth; });
  if (evaluationDepth > maxEvaluationDepth)
    return void(stop(stmt.range, "statements and calls nest deeper than " + Twine(maxEvaluationDepth)));
  TypeSwitch<const Stmt *>(&stmt)
      .Case([&](const AssignStmt *s) { runAssign(*s, frame); })
      .Case([&](const ReturnStmt *s) {
        Value value = s->value ? evaluate(*s->value, frame) : Value(Nothing{}, s->range);
        const TypeExpr *result = frame.function->result;
        if (result && value.get<Nothing>())
          value = fail(s->range, "`return` without a value; expected `" + textOf(result->range) + "`");
        else if (!result && !value.get<Nothing>() && !value.isPoison())
          value = fail(s->value->range, "the function has no result; found " + value.describe());
        else if (result)
          value = checkResult(*result, value, frame, s->value->range);
        frame.returned = std::move(value);
        frame.returnedFrom = s->value;
      })
      .Case([&](const ExpressionStmt *s) { evaluate(*s->value, frame); })
      .Case([&](const IfStmt *s) { runIf(*s, frame); })
      .Case([&](const ForStmt *s) { runFor(*s, frame); })
      .Case([&](const RequireStmt *s) { checkRequirement(s->requirement, s->range, frame); })
      .Case([&](const LostStmt *s) {
        emitter.deactivate();
        frame.isPartial = true;
        for (StringRef target : s->targets)
          frame.locals[target] = Value();
      });
}

void Elaborator::runAssign(const AssignStmt &stmt, Frame &frame) {
  Value value = evaluate(*stmt.value, frame);
  auto bind = [&](const Identifier &target, Value bound) {
    if (target.text != "_")
      frame.locals[target.text] = std::move(bound);
  };
  if (stmt.targets.size() == 1) {
    if (value.get<Nothing>())
      value = fail(stmt.value->range, "the function gives no value to assign");
    return bind(stmt.targets[0], std::move(value));
  }
  auto *sequence = value.get<Sequence>();
  if (sequence && sequence->isOpen)
    for (const Identifier &target : stmt.targets)
      bind(target, unknownLike(sequence->elements->front(), target.text));
  if (sequence && sequence->isOpen)
    return;
  bool fits = sequence && sequence->elements->size() == stmt.targets.size();
  if (!fits && !value.isPoison())
    fail(stmt.value->range, "found " + value.describe() + "; expected " + Twine(stmt.targets.size()) + " values");
  for (auto [i, target] : enumerate(stmt.targets))
    bind(target, fits ? (*sequence->elements)[i] : Value());
}

void Elaborator::runIf(const IfStmt &stmt, Frame &frame) {
  auto condition = evaluateCondition(*stmt.condition, frame);
  if (!condition)
    return;
  if (!*condition)
    return runBothBranches(stmt, frame);
  if (**condition)
    runBlock(stmt.thenBlock, frame);
  else if (stmt.elseBlock)
    runBlock(*stmt.elseBlock, frame);
}

void Elaborator::runBothBranches(const IfStmt &stmt, Frame &frame) {
  if (!budget.spend(Resource::Steps, stmt.range, frame.locals.size()))
    return;
  Frame other = frame;
  runBlock(stmt.thenBlock, frame);
  if (stmt.elseBlock)
    runBlock(*stmt.elseBlock, other);
  frame.isPartial |= other.isPartial;
  // Only where both return is the rest dead.
  if (frame.returned && !other.returned)
    frame = std::move(other);
  for (auto &entry : other.locals)
    frame.locals.try_emplace(entry.getKey(), entry.getValue());
}

std::optional<LoopElements> Elaborator::iterateRange(const RangeExpr &range, Frame &frame) {
  auto begin = evaluateExtent(*range.begin, frame, "the begin of a range");
  auto end = evaluateExtent(*range.end, frame, "the end of a range");
  if (!begin || !end)
    return std::nullopt;
  if (!begin->constant() || !end->constant()) {
    bool isRuntime = begin->mentions(SymbolKind::Runtime) || end->mentions(SymbolKind::Runtime);
    if (isRuntime || emitter.isActive()) {
      fail(range.range, "the range is known at run time only; expected a static one");
      return std::nullopt;
    }
    return LoopElements{.size = 1, .begin = *begin, .origin = range.range, .isOpen = true};
  }
  __int128 count = __int128(*end->constant()) - *begin->constant();
  if (count > maxIterations) {
    fail(range.range, "the loop runs more than " + Twine(maxIterations) + " times");
    return std::nullopt;
  }
  return LoopElements{count < 0 ? 0 : size_t(count), *begin, range.range};
}

std::optional<LoopElements> Elaborator::iterate(const Expr &iterable, Frame &frame) {
  if (auto *range = dyn_cast<RangeExpr>(&iterable))
    return iterateRange(*range, frame);
  Value value = evaluate(iterable, frame);
  if (value.isPoison())
    return std::nullopt;
  if (auto *sequence = value.get<Sequence>())
    return LoopElements{sequence->elements->size(), Extent(0), iterable.range, sequence->elements, sequence->isOpen};
  auto *array = value.get<ArrayValue>();
  if (!array) {
    fail(iterable.range, "found " + value.describe() + "; expected an array of members, a list or a range");
    return std::nullopt;
  }
  const std::vector<Node *> &nodes = array->array->elements;
  if (!budget.spend(Resource::Bytes, iterable.range, nodes.size() * sizeof(Value)))
    return std::nullopt;
  auto elements = std::make_shared<std::vector<Value>>();
  for (Node *node : nodes)
    elements->push_back(nodeValue(*node, iterable.range));
  return LoopElements{nodes.size(), Extent(0), iterable.range, std::move(elements), !array->array->countKnown};
}

bool Elaborator::bindLoop(ArrayRef<Identifier> variables, const Value &element, SourceRange place, Frame &frame) {
  if (variables.size() == 1) {
    frame.locals[variables[0].text] = element;
    return true;
  }
  auto *sequence = element.get<Sequence>();
  if (!sequence || sequence->elements->size() != variables.size()) {
    fail(place, "an element is " + element.describe() + "; expected " + Twine(variables.size()) + " values");
    return false;
  }
  for (auto [variable, value] : zip_equal(variables, *sequence->elements))
    frame.locals[variable.text] = value;
  return true;
}

void Elaborator::runFor(const ForStmt &stmt, Frame &frame) {
  auto elements = iterate(*stmt.iterable, frame);
  if (!elements)
    return;
  for (size_t i = 0; i < elements->size; ++i) {
    if (frame.returned || !budget.spend(Resource::Steps, stmt.range) ||
        !bindLoop(stmt.variables, elements->at(i), stmt.iterable->range, frame))
      return;
    runBlock(stmt.body, frame);
  }
}

bool Elaborator::checkRequirement(const Requirement &requirement, SourceRange range, Frame &frame, StringRef of) {
  auto condition = evaluateCondition(*requirement.condition, frame);
  if (!condition || !*condition || **condition || isLoose)
    return true;
  std::string text = "the requirement `" + textOf(requirement.condition->range).str() + "` does not hold";
  if (requirement.message) {
    Value message = evaluate(*requirement.message, frame);
    if (auto *known = message.get<StringValue>(); known && known->value)
      text = *known->value;
  }
  fail(range, of.empty() ? text : text + " (" + of.str() + ")");
  return false;
}

} // namespace quern::frontend
