//===- ElaborateName.cpp - what names mean ----------------------------------------------------===//

#include "frontend/Config.h"
#include "frontend/Elaborator.h"
#include "frontend/checkpoint/ModelConfig.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace quern::frontend {

bool Elaborator::isBound(StringRef name, const Frame &frame) const {
  if (frame.locals.contains(name))
    return true;
  if (frame.self) {
    const ModuleScope &scope = program.scope(frame.self->decl);
    if (frame.self->arguments.contains(name) || scope.members.contains(name) || scope.constants.contains(name))
      return true;
  }
  return program.findConstant(name) || program.findConfig(name);
}

std::optional<Value> Elaborator::lookUp(StringRef name, SourceRange place, Frame &frame) {
  if (auto it = frame.locals.find(name); it != frame.locals.end())
    return it->second;
  if (frame.self) {
    if (auto it = frame.self->arguments.find(name); it != frame.self->arguments.end())
      return it->second;
    const ModuleScope &scope = program.scope(frame.self->decl);
    if (scope.members.contains(name)) {
      Node *node = memberNode(*frame.self, name);
      if (node)
        return nodeValue(*node, place);
      // A member that is there without a node had an error.
      return frame.self->members.contains(name) ? Value()
                                                : fail(place, "member `" + name + "` is used before it is declared");
    }
    if (const ConstantDecl *constant = scope.constants.lookup(name)) {
      Frame inside{.self = frame.self};
      std::string parameter = frame.self->path.empty() ? name.str() : frame.self->path + "." + name.str();
      return constantValue(frame.self->constants[name], *constant, parameter, inside, place);
    }
  }
  if (const ConstantDecl *constant = program.findConstant(name)) {
    Frame inside;
    return constantValue(constants[name], *constant, name, inside, place);
  }
  if (program.findConfig(name))
    return configValue(name, place);
  return std::nullopt;
}

/// The one of `names` that is at most `limit` edits away from `name`, the nearest; empty if there
/// is none.
static StringRef nearest(StringRef name, ArrayRef<StringRef> names, unsigned limit) {
  StringRef best;
  unsigned bestDistance = limit + 1;
  for (StringRef candidate : names) {
    unsigned distance = name.edit_distance(candidate, /*AllowReplacements=*/true, limit);
    if (distance < bestDistance)
      best = candidate, bestDistance = distance;
  }
  return best;
}

Value Elaborator::unknownName(StringRef name, SourceRange place, const Frame &frame) {
  if (program.isLost(name.substr(name.rfind('.') + 1)))
    return Value();
  std::vector<StringRef> names = program.names();
  if (!budget.spend(Resource::Steps, place, names.size()))
    return Value();
  append_range(names, builtinNames());
  if (frame.self) {
    const ModuleScope &scope = program.scope(frame.self->decl);
    append_range(names, scope.members.keys());
    append_range(names, scope.constants.keys());
    append_range(names, scope.functions.keys());
    append_range(names, frame.self->arguments.keys());
  }
  append_range(names, frame.locals.keys());
  llvm::sort(names);
  Diagnostic &error = diagnostics.error(place, "unknown name `" + name + "`");
  unsigned limit = name.size() < 3 ? 0 : name.size() < 5 ? 1 : 2;
  if (StringRef best = nearest(name, names, limit); !best.empty())
    error.hint("did you mean `" + best + "`?");
  return Value();
}

bool Elaborator::checkNewName(const NameExpr &name, Frame &frame) {
  std::vector<StringRef> names = program.names();
  if (!budget.spend(Resource::Steps, name.range, names.size()))
    return false;
  if (frame.self) {
    append_range(names, program.scope(frame.self->decl).constants.keys());
    append_range(names, frame.self->arguments.keys());
  }
  llvm::sort(names);
  // A short name is likelier a symbol than a slip.
  unsigned limit = name.name.size() < 4 ? 0 : name.name.size() < 8 ? 1 : 2;
  StringRef best = nearest(name.name, names, limit);
  if (best.empty() || program.isLost(name.name))
    return true;
  diagnostics.error(name.range, "unknown dimension `" + name.name + "`")
      .hint("did you mean `" + best + "`? a new symbol needs a name less like it");
  return false;
}

Value Elaborator::evaluateName(const NameExpr &expr, Frame &frame) {
  StringRef name = expr.name;
  if (auto value = lookUp(name, expr.range, frame)) {
    if (!value->origin.isValid())
      value->origin = expr.range;
    return *value;
  }
  if (program.findModule(name))
    return fail(expr.range, "`" + name + "` is a module; declare a member of it to use it here");
  bool isMethod = frame.self && program.scope(frame.self->decl).functions.contains(name);
  if (program.findFunction(name) || findBuiltin(name) || isMethod)
    return fail(expr.range, "`" + name + "` is a function; expected a value, such as `" + name + "(…)`");
  std::string prefix = (name + ".").str();
  for (const auto &[key, entry] : program.config())
    if (key.starts_with(prefix))
      return fail(expr.range,
                  "`" + name + "` is a group of config fields; expected one of them, such as `" + key + "`");
  return unknownName(name, expr.range, frame);
}

/// `a.b.c` as the dotted text, or empty for another expression.
static std::string dottedName(const Expr &expr) {
  if (auto *name = dyn_cast<NameExpr>(&expr))
    return name->name.str();
  auto *member = dyn_cast<MemberExpr>(&expr);
  if (!member)
    return "";
  std::string base = dottedName(*member->base);
  return base.empty() ? "" : base + "." + member->member.text.str();
}

/// The name that `a.b.c` begins with, or empty.
static StringRef firstName(const Expr &expr) {
  const Expr *first = &expr;
  while (auto *member = dyn_cast<MemberExpr>(first))
    first = member->base;
  auto *name = dyn_cast<NameExpr>(first);
  return name ? name->name : StringRef();
}

Value Elaborator::evaluateMember(const MemberExpr &expr, Frame &frame) {
  StringRef first = firstName(expr);
  if (!first.empty() && !isBound(first, frame)) {
    std::string key = dottedName(expr);
    if (program.findConfig(key))
      return configValue(key, expr.range);
    bool isGroup =
        any_of(program.config(), [&](const auto &entry) { return entry.first.starts_with((first + ".").str()); });
    if (isGroup)
      return unknownName(key, expr.range, frame);
  }
  Value base = evaluate(*expr.base, frame);
  if (base.isPoison())
    return base;
  auto *module = base.get<ModuleValue>();
  StringRef name = expr.member.text;
  if (!module)
    return fail(expr.member.range, base.describe() + " has no members; expected a module before `." + name + "`");
  Frame inside{.self = module->instance};
  const ModuleScope &scope = program.scope(module->instance->decl);
  bool isHere =
      scope.members.contains(name) || scope.constants.contains(name) || module->instance->arguments.contains(name);
  if (!isHere && program.isLost(name))
    return Value();
  if (!isHere)
    return fail(expr.member.range, base.describe() + " has no member `" + name + "`");
  Value value = *lookUp(name, expr.range, inside);
  if (!value.origin.isValid())
    value.origin = expr.range;
  return value;
}

Node *Elaborator::memberNode(Instance &instance, StringRef name) {
  auto it = instance.members.find(name);
  return it == instance.members.end() ? nullptr : it->second;
}

Value Elaborator::nodeValue(Node &node, SourceRange place) {
  if (auto *tensor = dyn_cast<TensorNode>(&node))
    return tensorValue(*tensor, place);
  if (auto *array = dyn_cast<ArrayNode>(&node))
    return Value(ArrayValue{array}, place);
  if (auto *instance = dyn_cast<Instance>(&node))
    return Value(ModuleValue{instance}, place);
  diagnostics.error(place, "member `" + node.member->name.text + "` is absent: its condition does not hold")
      .note(node.member->clauses.presence ? node.member->clauses.presence->range : node.member->range,
            "the condition is here");
  return Value();
}

Value Elaborator::stateValue(const TensorNode &state, SourceRange place) {
  if (!state.element) {
    mlir::Type element = options.exact ? emitter.f32() : emitter.types().getF16Type();
    return Value(emitter.readState(place, state.path, state.shape, element, StateKind::Cache, ""), place);
  }
  std::string parameter;
  if (state.start && !emitter.isDeclared(state.path)) {
    auto [start, name] = emitter.computeParameter(place, state.path + ".start", [&] {
      Value value = tensorValue(*state.start, place);
      const Tensor *tensor = value.get<Tensor>();
      if (!tensor || !emitter.isActive() || tensor->element == state.element)
        return value;
      mlir::Value numbers = emitter.asF32(place, *tensor);
      if (!state.element.isF32())
        numbers = emitter.create<CastOp>(place, emitter.type(tensor->shape, state.element), numbers);
      return Value(Tensor{tensor->shape, state.element, numbers}, place);
    });
    if (!start.get<Tensor>())
      return Value();
    parameter = name;
  }
  return Value(emitter.readState(place, state.path, state.shape, state.element, StateKind::Variable, parameter), place);
}

Value Elaborator::tensorValue(const TensorNode &node, SourceRange place) {
  if (auto chosen = routing ? routing->peers.find(&node) : decltype(routing->peers)::const_iterator();
      routing && chosen != routing->peers.end())
    return chosenTensor(node, chosen->second, place);
  const TensorNode *whole = &node;
  SmallVector<const TensorNode *> views;
  for (unsigned length = 0; whole->tiedTo || (whole->viewOf && !whole->isState); ++length) {
    if (length > maxTieLength)
      return failTieLength(node.path, place);
    if (!whole->tiedTo)
      views.push_back(whole);
    whole = whole->tiedTo ? whole->tiedTo : whole->viewOf;
  }
  if (whole->isState)
    return stateValue(*whole, place);
  mlir::Type element = table.elementOfAccepted(whole->path);
  if (!element)
    return Value();
  Value value(emitter.readParameter(place, whole->path, whole->shape, element), place);
  for (const TensorNode *part : reverse(views)) {
    SmallVector<AxisSubscript, 4> subscripts;
    for (auto [axis, cut] : zip_equal(value.get<Tensor>()->shape, part->view))
      subscripts.push_back({cut.begin, cut.size, cut.drop, !cut.drop && axis.constant() == cut.size});
    BuiltinCall call{"a view", place, {value}, {place}, {}, {}, emitter, diagnostics, table};
    value = sliceTensor(call, subscripts);
    if (value.isPoison())
      break;
  }
  return value;
}

Value Elaborator::constantValue(ConstantSlot &slot, const ConstantDecl &decl, StringRef parameter, Frame &frame,
                                SourceRange place) {
  if (slot.state == ConstantSlot::State::Running) {
    diagnostics.error(place, "`" + decl.name.text + "` is computed from itself").note(decl.name.range, "declared here");
    return Value();
  }
  if (slot.state == ConstantSlot::State::Untouched) {
    slot.state = ConstantSlot::State::Running;
    Emitter::Scope outer = emitter.enterScope({parameter.str(), {}});
    std::tie(slot.value, slot.parameter) =
        emitter.computeParameter(decl.range, parameter, [&] { return evaluate(*decl.value, frame); });
    emitter.enterScope(std::move(outer));
    slot.state = ConstantSlot::State::Done;
    auto *table = slot.value.get<Tensor>();
    auto size = table ? volume(table->shape) : std::nullopt;
    // Each is at most `maxElements`, and an error ends the sum.
    tableElements += size ? size->constant().value_or(0) : 0;
    if (tableElements > maxTableElements)
      slot = {slot.state,
              fail(decl.name.range, "`" + decl.name.text + "` is a table of shape " + formatShape(table->shape) +
                                        "; the tables of a model have at most " + Twine(maxTableElements) +
                                        " elements in all"),
              ""};
  }
  if (slot.parameter.empty())
    return slot.value;
  return Value(emitter.readComputed(place, slot.parameter, *slot.value.get<Tensor>()), place);
}

//===--- Configuration
//-------------------------------------------------------------------------===//

Value Elaborator::configValue(StringRef key, SourceRange place) {
  ConstantSlot &slot = config[key];
  const ConfigEntry &entry = *program.findConfig(key);
  if (slot.state == ConstantSlot::State::Running) {
    diagnostics.error(place, "the default of `" + key + "` depends on itself")
        .note(entry.field->key.range, "declared here");
    return Value();
  }
  if (slot.state == ConstantSlot::State::Untouched) {
    slot.state = ConstantSlot::State::Running;
    Value value = readConfigField(entry);
    slot.value = std::move(value);
    slot.state = ConstantSlot::State::Done;
  }
  return slot.value;
}

Value Elaborator::readConfigField(const ConfigEntry &entry) {
  const ConfigField &field = *entry.field;
  SourceRange place = field.key.range;
  if (!unknownValue(field.key.text, *field.type, place))
    return fail(field.type->range, "found " + describeType(*field.type) +
                                       " as the type of a config field; expected `int`, "
                                       "`float`, `bool`, `string`, strings to choose from or a list of one of these");
  const ConfigValue *found = inputs.config ? inputs.config->find(field.key.text) : nullptr;
  std::string from = inputs.config && !inputs.config->origin().empty() ? "`" + inputs.config->origin().str() + "`"
                                                                       : "the configuration";
  if (found) {
    const ConfigValue::List *list = found->asList();
    if (list && !budget.spend(Resource::Bytes, place, list->size() * sizeof(Value)))
      return Value();
    if (auto value = convertConfig(*found, *field.type, place))
      return *value;
    return fail(place, "`" + inputs.config->fileKey(field.key.text) + "` is " + found->describe() + " in " + from +
                           "; expected " + describeType(*field.type));
  }
  if (entry.defaultValue) {
    Frame atFile;
    Value value = evaluate(*entry.defaultValue, atFile);
    if (auto converted = convertStatic(value, *field.type))
      return Value(*converted);
    return fail(entry.defaultValue->range, "the default of `" + field.key.text + "` is " + value.describe() +
                                               "; expected " + describeType(*field.type));
  }
  if (!inputs.config) {
    emitter.deactivate();
    return *unknownValue(field.key.text, *field.type, place);
  }
  return fail(place,
              from + " has no `" + inputs.config->fileKey(field.key.text) + "`, and the model has no default for it");
}

mlir::LogicalResult Elaborator::readConfig() {
  for (const auto &[key, entry] : program.config())
    configValue(key, entry.field->key.range);
  bool isGiven = inputs.config && !inputs.config->origin().empty(), holds = true;
  std::string origin = isGiven ? ("`" + inputs.config->origin() + "`").str() : "";
  for (const RequireDecl *require : program.requirements()) {
    Frame atFile;
    holds &= checkRequirement(require->requirement, require->range, atFile, origin);
  }
  return mlir::success(holds || !inputs.config);
}

} // namespace quern::frontend
