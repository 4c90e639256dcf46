//===- ElaborateCall.cpp - calls of primitives, functions and modules -------------------------===//

#include "frontend/Elaborator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace quern::frontend {

Value Elaborator::evaluateCall(const CallExpr &expr, Frame &frame) {
  if (auto *name = dyn_cast<NameExpr>(expr.callee)) {
    if (!isBound(name->name, frame)) {
      const FunctionDecl *method = frame.self ? program.scope(frame.self->decl).functions.lookup(name->name) : nullptr;
      const FunctionDecl *function = method ? method : program.findFunction(name->name);
      if (function) {
        auto arguments = evaluateArguments(expr, frame);
        return arguments ? callFunction(*function, method ? frame.self : nullptr, *arguments, expr.range, name->name)
                         : Value();
      }
      if (const Builtin *builtin = findBuiltin(name->name))
        return callBuiltin(*builtin, expr, frame);
    }
  }
  if (auto *member = dyn_cast<MemberExpr>(expr.callee)) {
    StringRef first = isa<NameExpr>(member->base) ? cast<NameExpr>(member->base)->name : StringRef();
    bool isConfig = !first.empty() && !isBound(first, frame);
    Value base = isConfig ? evaluate(*expr.callee, frame) : evaluate(*member->base, frame);
    if (base.isPoison())
      return base;
    if (auto *module = base.get<ModuleValue>()) {
      const ModuleScope &scope = program.scope(module->instance->decl);
      if (const FunctionDecl *method = scope.functions.lookup(member->member.text)) {
        auto arguments = evaluateArguments(expr, frame);
        return arguments ? callFunction(*method, module->instance, *arguments, expr.range, member->member.text)
                         : Value();
      }
      if (module->instance->decl == program.getBaseRoot() && !scope.members.contains(member->member.text))
        return failBaseMethod(*module->instance->decl, *member, expr, frame);
    }
  }
  Value callee = evaluate(*expr.callee, frame);
  return callee.isPoison() ? callee : callInstance(callee, expr, frame);
}

Value Elaborator::failBaseMethod(const ModuleDecl &base, const MemberExpr &method, const CallExpr &expr, Frame &frame) {
  auto arguments = evaluateArguments(expr, frame);
  if (!arguments || program.isLost(method.member.text))
    return Value();
  std::vector<std::string> parameters;
  for (auto [argument, written] : zip(*arguments, expr.arguments)) {
    auto *name = dyn_cast<NameExpr>(written.value);
    auto *tensor = argument.value.get<Tensor>();
    std::string type = tensor ? formatElement(tensor->element) + formatShape(tensor->shape) : argument.value.describe();
    parameters.push_back((name ? name->name.str() : "x" + std::to_string(parameters.size())) + ": " + type);
  }
  diagnostics
      .error(base.name.range, "module `" + base.name.text + "` has no method `" + method.member.text +
                                  "`; a base of this model needs `fn " + method.member.text + "(" +
                                  join(parameters, ", ") + ") -> …`")
      .note(expr.range, "called here")
      .note(program.getBaseImport()->range, "the base is imported here");
  return Value();
}

Value Elaborator::callInstance(const Value &callee, const CallExpr &expr, Frame &frame) {
  auto *module = callee.get<ModuleValue>();
  auto *chosen = callee.get<ChosenModule>();
  if (!module && !chosen)
    return fail(expr.callee->range, "found " + callee.describe() + "; expected a function or a module to call");
  const ModuleDecl *decl = (module ? module->instance : chosen->instance)->decl;
  const FunctionDecl *call = program.scope(decl).call;
  if (!call && program.isPartial())
    return Value();
  if (!call) {
    diagnostics.error(expr.callee->range, "module `" + decl->name.text + "` has no function without a name to call")
        .note(decl->name.range, "declared here");
    return Value();
  }
  auto arguments = evaluateArguments(expr, frame);
  if (!arguments)
    return Value();
  return chosen ? callChosen(*chosen, *call, *arguments, expr.range)
                : callFunction(*call, module->instance, *arguments, expr.range, decl->name.text);
}

std::optional<SmallVector<CallArgument>> Elaborator::evaluateArguments(const CallExpr &expr, Frame &frame) {
  SmallVector<CallArgument> result;
  bool poisoned = false;
  for (const Argument &argument : expr.arguments) {
    Value value = evaluate(*argument.value, frame);
    poisoned |= value.isPoison();
    auto *sequence = value.get<Sequence>();
    if (!isa<ForExpr>(argument.value) || !sequence) {
      result.push_back({argument.name, std::move(value), argument.value->range});
      continue;
    }
    for (const Value &element : *sequence->elements)
      result.push_back({argument.name, element, argument.value->range});
  }
  if (poisoned)
    return std::nullopt;
  return result;
}

//===--- Primitives
//----------------------------------------------------------------------------===//

namespace {

/// One parameter of a primitive's signature.
struct Slot {
  StringRef name;
  char kind;
  bool isOptional;
};

/// A signature taken apart; `takesRest` where it begins with `...`.
struct Signature {
  SmallVector<Slot> slots;
  bool takesRest = false;
};

Signature parseSignature(StringRef text) {
  Signature result;
  SmallVector<StringRef> words;
  SplitString(text, words);
  for (StringRef word : words) {
    if (word == "...") {
      result.takesRest = true;
      continue;
    }
    auto [name, kind] = word.split(':');
    result.slots.push_back({name, kind.front(), kind.ends_with("?")});
  }
  return result;
}

template <typename T> bool holdsOnly(const Sequence *sequence) {
  return sequence && all_of(*sequence->elements, [](const Value &element) { return element.get<T>(); });
}

/// What kind `kind` of argument is called, and whether `value` is one.
std::pair<StringRef, bool> checkKind(char kind, const Value &value) {
  bool isNumber = value.get<Extent>() || value.get<FloatValue>();
  auto *sequence = value.get<Sequence>();
  switch (kind) {
  case 't':
    return {"a tensor", value.get<Tensor>()};
  case 'x':
    return {"a tensor", value.get<Tensor>() || value.get<ChosenTensor>()};
  case 'e':
    return {"a tensor or a number", value.get<Tensor>() || isNumber};
  case 'i':
    return {"an integer", value.get<Extent>()};
  case 'f':
    return {"a static number", isNumber};
  case 'd':
    return {"a list of integers", holdsOnly<Extent>(sequence)};
  case 'p':
    return {"an integer or a tuple of integers", value.get<Extent>() || holdsOnly<Extent>(sequence)};
  case 'b':
    return {"a truth value", value.get<BoolValue>()};
  case 's':
  case 'w':
    return {"a string", value.get<StringValue>()};
  case 'c':
    return {"a pair of keys and values", holdsOnly<Tensor>(sequence) && sequence->elements->size() == 2};
  default:
    llvm_unreachable("no such kind of parameter");
  }
}

} // namespace

/// The slot that argument `i` of `expr` goes to, or an error text.
static std::variant<size_t, std::string> findSlot(const Signature &signature, const Argument &argument, size_t i) {
  if (!argument.name) {
    if (i >= signature.slots.size())
      return "expected at most " + std::to_string(signature.slots.size()) + " arguments";
    return i;
  }
  for (auto [slot, parameter] : enumerate(signature.slots))
    if (parameter.name == argument.name.text)
      return slot;
  return "no parameter is called `" + argument.name.text.str() + "`";
}

Value Elaborator::callBuiltin(const Builtin &builtin, const CallExpr &expr, Frame &frame) {
  Signature signature = parseSignature(builtin.signature);
  BuiltinCall call{("`" + builtin.name + "`").str(), expr.range, {}, {}, {}, {}, emitter, diagnostics, table};
  call.arguments.resize(signature.slots.size(), Value(Nothing{}));
  call.places.resize(signature.slots.size(), expr.range);
  bool failed = false;
  auto checkArgument = [&](char kind, StringRef name, const Value &value, SourceRange place) {
    auto [expected, fits] = checkKind(kind, value);
    if (!fits && !value.isPoison())
      fail(place, "argument `" + name + "` of " + call.name + " is " + value.describe() + "; expected " + expected);
    failed |= !fits;
    return fits;
  };
  for (auto [i, argument] : enumerate(expr.arguments)) {
    SourceRange place = argument.value->range;
    if (signature.takesRest && !argument.name) {
      Value value = evaluate(*argument.value, frame);
      auto *sequence = value.get<Sequence>();
      ArrayRef<Value> elements = sequence ? ArrayRef(*sequence->elements) : ArrayRef(value);
      for (const Value &element : elements)
        if (checkArgument('t', "...", element, place))
          call.rest.push_back(element), call.restPlaces.push_back(place);
      continue;
    }
    auto slot = findSlot(signature, argument, i);
    if (auto *message = std::get_if<std::string>(&slot)) {
      fail(argument.name ? argument.name.range : place, call.name + ": " + *message);
      failed = true;
      continue;
    }
    size_t index = std::get<size_t>(slot);
    const Slot &parameter = signature.slots[index];
    if (!call.arguments[index].get<Nothing>()) {
      fail(place, "argument `" + parameter.name + "` of " + call.name + " is given twice");
      failed = true;
      continue;
    }
    auto *word = dyn_cast<NameExpr>(argument.value);
    Value value =
        parameter.kind == 'w' && word ? Value(StringValue{word->name.str()}, place) : evaluate(*argument.value, frame);
    checkArgument(parameter.kind, parameter.name, value, place);
    // How many numbers a list of unknown length has is no error.
    failed |= value.get<Sequence>() && value.get<Sequence>()->isOpen;
    call.arguments[index] = std::move(value);
    call.places[index] = place;
  }
  for (auto [slot, value] : zip_equal(signature.slots, call.arguments))
    if (!slot.isOptional && value.get<Nothing>()) {
      fail(expr.range, call.name + " lacks its argument `" + slot.name + "`");
      failed = true;
    }
  return failed ? Value() : builtin.handler(call);
}

} // namespace quern::frontend
