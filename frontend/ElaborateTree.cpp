//===- ElaborateTree.cpp - the tree of module instances ---------------------------------------===//

#include "frontend/Config.h"
#include "frontend/Elaborator.h"
#include "frontend/ElementNames.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace llvm;

namespace quern::frontend {

/// How deep modules may nest.
static constexpr unsigned maxInstanceDepth = 64;
/// The most elements one array may have.
static constexpr int64_t maxArraySize = 65536;

static std::string joinPath(StringRef base, StringRef part) {
  if (base.empty() || part.empty())
    return (base + part).str();
  return (base + "." + part).str();
}

bool Elaborator::bindParameters(const ModuleDecl &module, ArrayRef<Argument> arguments, Frame &caller,
                                SourceRange place, StringMap<Value> &bound) {
  bool fits = true;
  DenseMap<const Parameter *, const Argument *> given;
  for (auto [i, argument] : enumerate(arguments)) {
    const Parameter *parameter = nullptr;
    for (auto [j, candidate] : enumerate(module.parameters))
      if (argument.name ? candidate.name.text == argument.name.text : i == j)
        parameter = &candidate;
    if (!parameter) {
      fail(argument.name ? argument.name.range : argument.value->range,
           argument.name ? "module `" + module.name.text + "` has no parameter `" + argument.name.text + "`"
                         : "module `" + module.name.text + "` takes " + Twine(module.parameters.size()) +
                               " arguments; found " + Twine(arguments.size()));
      fits = false;
    } else if (!given.try_emplace(parameter, &argument).second) {
      fail(argument.value->range,
           "argument `" + parameter->name.text + "` of module `" + module.name.text + "` is given twice");
      fits = false;
    }
  }
  Frame inside;
  for (const Parameter &parameter : module.parameters) {
    const Argument *argument = given.lookup(&parameter);
    const Expr *source = argument ? argument->value : parameter.defaultValue;
    if (!source) {
      diagnostics.error(place, "module `" + module.name.text + "` lacks its argument `" + parameter.name.text + "`")
          .note(parameter.name.range, "the parameter is declared here");
      fits = false;
      continue;
    }
    Value value = evaluate(*source, argument ? caller : inside);
    auto converted = convertStatic(value, *parameter.type);
    if (!converted)
      diagnostics
          .error(source->range, "argument `" + parameter.name.text + "` of module `" + module.name.text + "` is " +
                                    value.describe() + "; expected " + describeType(*parameter.type))
          .note(parameter.name.range, "the parameter is declared here");
    fits &= converted && !converted->isPoison();
    bound[parameter.name.text] = inside.locals[parameter.name.text] = converted.value_or(Value());
  }
  return fits;
}

bool Elaborator::payMember(SourceRange place, StringRef path) {
  return budget.spend(Resource::Members, place) && budget.spend(Resource::Bytes, place, path.size());
}

Instance *Elaborator::instantiate(const ModuleDecl &module, std::string path, const MemberDecl *member,
                                  SourceRange place, StringMap<Value> arguments) {
  if (instanceDepth >= maxInstanceDepth && endless.insert(&module).second)
    fail(place, "modules nest deeper than " + Twine(maxInstanceDepth) + "; a module cannot hold itself");
  if (endless.contains(&module) || !payMember(place, path))
    return nullptr;
  ++instanceDepth;
  auto leave = scope_exit([&] { --instanceDepth; });
  reached.insert(&module);
  auto *instance = tree.create<Instance>(std::move(path), member, place, &module);
  instance->arguments = std::move(arguments);
  for (const Decl *decl : module.body) {
    if (budget.isSpent())
      return instance;
    if (auto *memberDecl = dyn_cast<MemberDecl>(decl)) {
      if (program.scope(&module).members.lookup(memberDecl->name.text) == memberDecl)
        instance->members[memberDecl->name.text] = buildMember(*instance, *memberDecl);
    } else if (auto *require = dyn_cast<RequireDecl>(decl)) {
      Frame frame{.self = instance};
      checkRequirement(require->requirement, require->range, frame);
    }
  }
  // Ties may name members that are declared later.
  for (auto &[name, node] : instance->members)
    if (node)
      linkMember(*instance, *program.scope(&module).members.lookup(name), *node);
  return instance;
}

std::optional<std::string> Elaborator::namePart(const MemberClauses &clauses, std::string part, Frame &frame) {
  if (!clauses.name)
    return part;
  Value name = evaluate(*clauses.name, frame);
  auto *text = name.get<StringValue>();
  return text ? std::optional(text->value.value_or(part)) : std::nullopt;
}

Node *Elaborator::buildMember(Instance &owner, const MemberDecl &member) {
  Frame frame{.self = &owner};
  auto part = namePart(member.clauses, member.name.text.str(), frame);
  if (!part)
    return nullptr;
  std::string path = joinPath(owner.path, *part);
  // A library's members are reported where the model's own file made the instance.
  bool isInLibrary = program.scope(owner.decl).isLibrary && owner.member;
  SourceRange place = isInLibrary ? owner.place : member.name.range;
  if (const Expr *presence = member.clauses.presence) {
    auto condition = evaluateCondition(*presence, frame);
    if (!condition)
      return nullptr;
    if (*condition == false && !payMember(place, path))
      return nullptr;
    if (*condition == false)
      return tree.create<AbsentNode>(path, &member, place);
  }
  return buildNode(frame, member, *member.type, path, place);
}

Node *Elaborator::buildNode(Frame &frame, const MemberDecl &member, const TypeExpr &type, std::string path,
                            SourceRange place) {
  return TypeSwitch<const TypeExpr *, Node *>(&type)
      .Case([&](const TensorType *t) { return buildTensor(frame, member, *t, path, place); })
      .Case([&](const ArrayType *t) { return buildArray(frame, member, *t, path, place); })
      .Case([&](const ForArrayType *t) { return buildForArray(frame, member, *t, path, place); })
      .Case([&](const NamedType *t) { return buildInstance(frame, member, *t, path, place); })
      .Default([&](const TypeExpr *t) {
        fail(t->range, "`" + textOf(t->range) + "` is not the type of a member; expected a shape or a module");
        return nullptr;
      });
}

Node *Elaborator::buildTensor(Frame &frame, const MemberDecl &member, const TensorType &type, std::string path,
                              SourceRange place) {
  mlir::Type element = type.element ? findElement(type.element.text, emitter.context()) : mlir::Type();
  if (type.element && !member.isState) {
    fail(type.element.range, "the element type of a parameter is the checkpoint's; expected a shape");
    return nullptr;
  }
  if (type.element && !isa_and_nonnull<mlir::FloatType>(element) && !(element && element.isInteger(32))) {
    fail(type.element.range, "a variable of `" + type.element.text + "`; expected `f32`, `f16`, `bf16` or `i32`");
    return nullptr;
  }
  if (member.isState && !element && type.dims.size() != 3) {
    fail(type.range, "`" + textOf(type.range) +
                         "` is the shape of a cache; expected `[length, heads, dim]`, or an "
                         "element type before it: `f32" +
                         textOf(type.range) + "` is a variable");
    return nullptr;
  }
  if (!payMember(place, path))
    return nullptr;
  auto *node = tree.create<TensorNode>(std::move(path), &member, place, member.isState);
  node->element = element;
  for (const Expr *dim : type.dims) {
    auto extent = evaluateExtent(*dim, frame, "a dimension");
    if (!extent)
      return nullptr;
    if (extent->constant().value_or(1) < 1) {
      fail(dim->range, "dimension `" + textOf(dim->range) + "` is " + extent->str() + "; expected at least 1");
      return nullptr;
    }
    node->shape.push_back(*extent);
  }
  if (!volume(node->shape)) {
    fail(type.range, "`" + formatShape(node->shape) + "` has more elements than 64 bits count");
    return nullptr;
  }
  return node;
}

Node *Elaborator::buildArray(Frame &frame, const MemberDecl &member, const ArrayType &type, std::string path,
                             SourceRange place) {
  auto count = evaluateExtent(*type.count, frame, "the size of an array");
  if (!count)
    return nullptr;
  int64_t size = count->constant().value_or(1);
  if (size < 0 || size > maxArraySize) {
    fail(type.count->range, "found " + Twine(size) + " elements; expected 0 to " + Twine(maxArraySize));
    return nullptr;
  }
  return buildElements(member, path, place, size, !count->constant(), [&](size_t, StringRef part) {
    return buildNode(frame, member, *type.element, joinPath(path, part), place);
  });
}

bool Elaborator::bindElement(const ForArrayType &type, const LoopElements &elements, size_t i, Frame &frame) {
  Value value = elements.at(i);
  // The one element stands for all: its index is any, not the first.
  if (elements.isOpen && !elements.list)
    value = unknownLike(value, type.variables.front().text);
  return bindLoop(type.variables, value, type.iterable->range, frame);
}

Node *Elaborator::buildForArray(Frame &frame, const MemberDecl &member, const ForArrayType &type, std::string path,
                                SourceRange place) {
  auto elements = iterate(*type.iterable, frame);
  if (!elements)
    return nullptr;
  if (elements->size > size_t(maxArraySize)) {
    fail(type.iterable->range, "found " + Twine(elements->size) + " elements; expected 0 to " + Twine(maxArraySize));
    return nullptr;
  }
  return buildElements(member, path, place, elements->size, elements->isOpen, [&](size_t i, StringRef index) -> Node * {
    if (!budget.spend(Resource::Steps, type.range) || !bindElement(type, *elements, i, frame))
      return nullptr;
    auto part = namePart(type.clauses, index.str(), frame);
    return part ? buildNode(frame, member, *type.element, joinPath(path, *part), place) : nullptr;
  });
}

Node *Elaborator::buildElements(const MemberDecl &member, std::string path, SourceRange place, size_t size, bool isOpen,
                                function_ref<Node *(size_t, StringRef)> build) {
  if (!payMember(place, path))
    return nullptr;
  auto *array = tree.create<ArrayNode>(path, &member, place);
  array->countKnown = !isOpen;
  if (instanceDepth >= maxInstanceDepth) {
    fail(place, "arrays and modules nest deeper than " + Twine(maxInstanceDepth));
    return nullptr;
  }
  ++instanceDepth;
  auto leave = scope_exit([&] { --instanceDepth; });
  for (size_t i = 0; i < size; ++i) {
    Node *element = build(i, std::to_string(i));
    if (!element)
      return nullptr;
    array->elements.push_back(element);
  }
  return array;
}

Node *Elaborator::buildInstance(Frame &frame, const MemberDecl &member, const NamedType &type, std::string path,
                                SourceRange place) {
  const ModuleDecl *module = program.findModule(type.name.text);
  if (!module) {
    unknownName(type.name.text, type.name.range, frame);
    return nullptr;
  }
  StringMap<Value> arguments;
  if (!bindParameters(*module, type.arguments, frame, type.range, arguments))
    return nullptr;
  return instantiate(*module, std::move(path), &member, place, std::move(arguments));
}

//===--- Ties and views
//------------------------------------------------------------------------===//

Node *Elaborator::resolveNode(const Expr &expr, Frame &frame) {
  if (auto *name = dyn_cast<NameExpr>(&expr)) {
    if (Node *node = memberNode(*frame.self, name->name))
      return node;
    if (!frame.self->members.contains(name->name) && !program.isLost(name->name))
      fail(expr.range, "module `" + frame.self->decl->name.text + "` has no member `" + name->name + "`");
    return nullptr;
  }
  if (auto *member = dyn_cast<MemberExpr>(&expr)) {
    Node *base = resolveNode(*member->base, frame);
    auto *instance = dyn_cast_or_null<Instance>(base);
    Node *node = instance ? memberNode(*instance, member->member.text) : nullptr;
    if (base && !node && !program.isLost(member->member.text))
      fail(member->member.range, "`" + textOf(member->base->range) + "` has no member `" + member->member.text + "`");
    return node;
  }
  auto *index = dyn_cast<IndexExpr>(&expr);
  if (!index || index->subscripts.size() != 1 || index->subscripts[0].kind != Subscript::Kind::Index) {
    fail(expr.range, "found `" + textOf(expr.range) + "`; expected the path of a member");
    return nullptr;
  }
  Node *base = resolveNode(*index->base, frame);
  if (!base)
    return nullptr;
  auto position = evaluateInteger(*index->subscripts[0].begin, frame, "an index");
  auto *array = dyn_cast<ArrayNode>(base);
  if (!position)
    return nullptr;
  if (array && !array->countKnown)
    return array->elements.front();
  if (!array || *position < 0 || *position >= int64_t(array->elements.size())) {
    fail(expr.range, "`" + textOf(index->base->range) + "` has no element " + Twine(*position));
    return nullptr;
  }
  return array->elements[*position];
}

void Elaborator::linkMember(Instance &owner, const MemberDecl &member, Node &node) {
  Frame frame{.self = &owner};
  if (!isa<AbsentNode>(node))
    linkNode(frame, member.clauses, *member.type, node);
}

/// Whether elements of arrays by `type` have ties or views of their own.
static bool hasLinks(const TypeExpr &type) {
  if (auto *array = dyn_cast<ArrayType>(&type))
    return hasLinks(*array->element);
  auto *array = dyn_cast<ForArrayType>(&type);
  return array && (array->clauses.tie || array->clauses.view || array->clauses.start || hasLinks(*array->element));
}

void Elaborator::linkElements(Frame &frame, const TypeExpr &type, Node &node) {
  ArrayRef<Node *> nodes = cast<ArrayNode>(node).elements;
  if (auto *array = dyn_cast<ArrayType>(&type)) {
    for (Node *element : nodes)
      linkElements(frame, *array->element, *element);
    return;
  }
  auto &array = cast<ForArrayType>(type);
  auto elements = iterate(*array.iterable, frame);
  if (!elements)
    return;
  for (auto [i, element] : enumerate(nodes))
    if (!budget.spend(Resource::Steps, array.range) || !bindElement(array, *elements, i, frame))
      return;
    else
      linkNode(frame, array.clauses, *array.element, *element);
}

void Elaborator::linkNode(Frame &frame, const MemberClauses &clauses, const TypeExpr &type, Node &node) {
  if (hasLinks(type))
    linkElements(frame, type, node);
  if (clauses.start)
    if (Node *target = resolveNode(*clauses.start, frame))
      start(node, *target, clauses.start->range);
  if (clauses.tie) {
    std::optional<std::optional<bool>> holds = std::optional(true);
    if (clauses.tieCondition)
      holds = evaluateCondition(*clauses.tieCondition, frame);
    if (holds && *holds == true)
      if (Node *target = resolveNode(*clauses.tie, frame))
        tie(node, *target, clauses.tie->range);
    return;
  }
  if (!clauses.view)
    return;
  auto *part = dyn_cast<IndexExpr>(clauses.view);
  if (Node *target = resolveNode(part ? *part->base : *clauses.view, frame)) {
    if (part)
      view(frame, node, *target, *part);
    else
      tie(node, *target, clauses.view->range);
  }
}

Value Elaborator::failTieLength(StringRef path, SourceRange place) {
  return stop(place, "more than " + Twine(maxTieLength) + " ties and views lead from `" + path +
                         "` to the tensor with its values");
}

bool Elaborator::canLead(const TensorNode &node, const TensorNode &target, SourceRange place) {
  unsigned length = 0;
  for (const TensorNode *step = &target; step; step = step->tiedTo ? step->tiedTo : step->viewOf) {
    if (step == &node) {
      fail(place, "`" + node.path + "` is tied to itself or a view of itself");
      return false;
    }
    if (++length > maxTieLength) {
      failTieLength(node.path, place);
      return false;
    }
  }
  return true;
}

void Elaborator::tie(Node &node, const Node &target, SourceRange place) {
  auto *tensor = dyn_cast<TensorNode>(&node);
  auto *source = dyn_cast<TensorNode>(&target);
  if (tensor && source) {
    if (!canLead(*tensor, *source, place))
      return;
    if (compareShapes(tensor->shape, source->shape) == Equality::Different) {
      fail(place, "`" + node.path + "` has shape " + formatShape(tensor->shape) + ", but `" + target.path +
                      "`, to which it is tied, has shape " + formatShape(source->shape));
      return;
    }
    tensor->tiedTo = source;
    return;
  }
  auto *instance = dyn_cast<Instance>(&node);
  auto *other = dyn_cast<Instance>(&target);
  auto *array = dyn_cast<ArrayNode>(&node);
  auto *otherArray = dyn_cast<ArrayNode>(&target);
  if (array && otherArray && array->elements.size() == otherArray->elements.size()) {
    for (auto [element, otherElement] : zip_equal(array->elements, otherArray->elements))
      tie(*element, *otherElement, place);
    return;
  }
  if (!instance || !other) {
    fail(place, "`" + node.path + "` and `" + target.path + "` are different kinds of members");
    return;
  }
  for (auto &[name, child] : instance->members) {
    if (!child || isa<AbsentNode>(child))
      continue;
    if (const Node *otherChild = memberNode(const_cast<Instance &>(*other), name))
      tie(*child, *otherChild, place);
    else
      fail(place, "`" + target.path + "` has no member `" + name + "` to tie `" + child->path + "` to");
  }
}

void Elaborator::start(Node &node, const Node &target, SourceRange place) {
  auto *variable = dyn_cast<TensorNode>(&node);
  auto *parameter = dyn_cast<TensorNode>(&target);
  if (!variable || !isa_and_nonnull<mlir::FloatType>(variable->element)) {
    fail(place, "`" + node.path + "` is no variable of floats; expected one, as `state x : f32[n] starts as weight`");
    return;
  }
  if (!parameter || parameter->isState) {
    fail(place, "`" + target.path + "` is no parameter");
    return;
  }
  if (compareShapes(variable->shape, parameter->shape) == Equality::Different) {
    fail(place, "`" + node.path + "` has shape " + formatShape(variable->shape) + ", but `" + target.path +
                    "`, as which it starts, has shape " + formatShape(parameter->shape));
    return;
  }
  variable->start = parameter;
}

void Elaborator::view(Frame &frame, Node &node, const Node &target, const IndexExpr &part) {
  auto *tensor = dyn_cast<TensorNode>(&node);
  auto *whole = dyn_cast<TensorNode>(&target);
  if (tensor && whole)
    return viewTensor(frame, *tensor, *whole, part);
  auto *instance = dyn_cast<Instance>(&node);
  auto *other = dyn_cast<Instance>(&target);
  if (!instance || !other)
    return void(fail(part.range, "`" + node.path + "` and `" + target.path + "` are different kinds of members"));
  for (auto &[name, child] : instance->members) {
    if (!child || isa<AbsentNode>(child))
      continue;
    if (const Node *otherChild = memberNode(const_cast<Instance &>(*other), name))
      view(frame, *child, *otherChild, part);
    else
      fail(part.range, "`" + target.path + "` has no member `" + name + "` of which `" + child->path + "` is a view");
  }
}

void Elaborator::viewTensor(Frame &frame, TensorNode &node, const TensorNode &target, const IndexExpr &part) {
  if (!canLead(node, target, part.range))
    return;
  Tensor whole{target.shape, emitter.f32(), {}};
  auto subscripts = resolveSubscripts(part, whole, frame);
  if (!subscripts)
    return;
  Shape shape;
  for (auto [dim, subscript] : zip_equal(target.shape, *subscripts)) {
    Extent size = subscript.all ? dim : Extent(subscript.size);
    node.view.push_back({subscript.begin, size.constant().value_or(1), subscript.drop});
    if (!subscript.drop)
      shape.push_back(size);
  }
  if (compareShapes(shape, node.shape) == Equality::Different) {
    fail(part.range, "`" + textOf(part.range) + "` has shape " + formatShape(shape) + "; `" + node.path + "` expects " +
                         formatShape(node.shape));
    return;
  }
  node.viewOf = &target;
}

void Elaborator::requireTensors() {
  for (const auto &node : tree.tensors()) {
    if (node->isState)
      continue;
    if (node->tiedTo || node->viewOf)
      table.accept(node->path);
    else
      table.require(node->path, node->shape, node->place,
                    node->member->name.range.Start == node->place.Start ? SourceRange() : node->member->range);
  }
}

} // namespace quern::frontend
