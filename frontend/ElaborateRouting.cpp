//===- ElaborateRouting.cpp - elements of an array that rows choose ---------------------------===//

#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"
#include "frontend/Elaborator.h"
#include "frontend/Routing.h"

#include "dialect/ExpertUse.h"
#include "dialect/PackedLayout.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace quern::frontend {

/// Why `a` and `b`, in the same place of two elements of an array, are not alike; empty where they are, but for what is
/// in them.
static std::string findDifference(const Node &a, const Node &b) {
  if (a.kind != b.kind)
    return "only one of them is there, or they are of several kinds";
  if (auto *tensor = dyn_cast<TensorNode>(&a)) {
    const Shape &shape = tensor->shape, &other = cast<TensorNode>(b).shape;
    bool fits = compareShapes(shape, other) != Equality::Different;
    return fits ? "" : "they have the shapes " + formatShape(shape) + " and " + formatShape(other);
  }
  auto *instance = dyn_cast<Instance>(&a);
  if (!instance)
    return "";
  auto &other = cast<Instance>(b);
  if (instance->decl != other.decl)
    return "they are of the modules `" + instance->decl->name.text.str() + "` and `" + other.decl->name.text.str() +
           "`";
  for (const auto &argument : instance->arguments)
    if (argument.second.describe() != other.arguments.lookup(argument.first()).describe())
      return ("their `" + argument.first() + "` differs").str();
  return "";
}

bool Elaborator::collectPeers(Routing &routing, ArrayRef<const Node *> nodes, SourceRange place) {
  const Node &first = *nodes.front();
  for (const Node *node : nodes) {
    if (!budget.spend(Resource::Steps, place))
      return false;
    if (std::string difference = findDifference(first, *node); !difference.empty()) {
      fail(place, "`" + first.path + "` and `" + node->path + "` differ: " + difference +
                      "; rows choose among elements that are alike");
      return false;
    }
  }
  if (auto *tensor = dyn_cast<TensorNode>(&first)) {
    for (const Node *node : nodes)
      routing.peers[tensor].push_back(cast<TensorNode>(node));
    return true;
  }
  auto collect = [&](auto getInner) {
    SmallVector<const Node *> inner = llvm::map_to_vector(nodes, getInner);
    return collectPeers(routing, inner, place);
  };
  if (auto *array = dyn_cast<ArrayNode>(&first)) {
    for (size_t i = 0; i < array->elements.size(); ++i)
      if (!collect([&](const Node *node) -> const Node * { return cast<ArrayNode>(node)->elements[i]; }))
        return false;
  } else if (auto *instance = dyn_cast<Instance>(&first)) {
    for (const auto &member : instance->members)
      if (!collect(
              [&](const Node *node) -> const Node * { return cast<Instance>(node)->members.lookup(member.first); }))
        return false;
  }
  return true;
}

Value Elaborator::chooseElements(ArrayNode &array, const Value &chosen, SourceRange place) {
  auto *choice = chosen.get<Tensor>();
  if (!choice->element.isInteger(32) || choice->shape.size() != 2 || choice->shape[1].mentions(SymbolKind::Runtime))
    return fail(place, "found " + chosen.describe() +
                           "; expected one integer, or `i32[s, k]`, the elements that each row chooses");
  auto *module = array.elements.empty() ? nullptr : dyn_cast<Instance>(array.elements.front());
  if (!module)
    return fail(place, "rows choose among modules; found an array of other members, or of none");
  Routing &made = routings.emplace_back();
  made.array = &array;
  made.rows = choice->shape[0];
  made.slots = choice->shape[1];
  SmallVector<const Node *> nodes(array.elements.begin(), array.elements.end());
  if (!collectPeers(made, nodes, place))
    return Value();
  SmallVector<mlir::Value> sorted = emitter.createAll<GroupRowsOp>(place, 2, choice->value, int64_t(nodes.size()));
  made.order = sorted[0];
  made.begins = sorted[1];
  return Value(ChosenModule{module, &made}, place);
}

/// `argument` with an axis of slots behind that of rows.
std::optional<Value> Elaborator::spreadArgument(const Routing &choice, const CallArgument &argument) {
  auto *tensor = argument.value.get<Tensor>();
  if (!tensor && !argument.value.get<Sequence>())
    return argument.value;
  if (!tensor || tensor->shape.empty() || Extent::compare(tensor->shape[0], choice.rows) == Equality::Different) {
    fail(argument.place, "found " + argument.value.describe() + "; expected a tensor with a row for each of the " +
                             choice.rows.str() + " that choose");
    return std::nullopt;
  }
  Shape shape = tensor->shape;
  shape.insert(shape.begin() + 1, choice.slots);
  if (!emitter.isRepresentable(shape)) {
    fail(argument.place, "found " + argument.value.describe() + ", whose rows cannot be chosen for");
    return std::nullopt;
  }
  mlir::Value value = emitter.isActive() ? emitter.create<BroadcastOp>(argument.place, tensor->value, uint64_t(1),
                                                                       uint64_t(choice.slots.constant().value_or(1)))
                                         : mlir::Value();
  return Value(Tensor{std::move(shape), tensor->element, value}, argument.value.origin);
}

Value Elaborator::callChosen(const ChosenModule &chosen, const FunctionDecl &call, ArrayRef<CallArgument> arguments,
                             SourceRange range) {
  if (routing)
    return fail(range, "elements are chosen while others are; expected one choice at a time");
  SmallVector<CallArgument> spread;
  for (const CallArgument &argument : arguments) {
    auto value = spreadArgument(*chosen.routing, argument);
    if (!value)
      return Value();
    spread.push_back({argument.name, std::move(*value), argument.place});
  }
  routing = chosen.routing;
  auto restore = make_scope_exit([&] { routing = nullptr; });
  return callFunction(call, chosen.instance, spread, range, chosen.instance->decl->name.text);
}

Value Elaborator::chosenTensor(const TensorNode &node, ArrayRef<const TensorNode *> peers, SourceRange place) {
  const Routing *choice = std::exchange(routing, nullptr);
  auto restore = make_scope_exit([&] { routing = choice; });
  if (node.isState)
    return fail(place, "`" + node.path + "` is a state; rows choose among elements without states");
  auto [known, isNew] = stacks.try_emplace(&node);
  if (isNew) {
    std::string name =
        (choice->array->path + anyElement).str() + node.path.substr(choice->array->elements.front()->path.size());
    Value stacked;
    std::string parameter;
    std::tie(stacked, parameter) = emitter.computeParameter(place, name, [&] { return stack(peers, place); });
    known->second = {parameter, stacked};
  }
  auto &[parameter, stacked] = known->second;
  auto *tensor = stacked.get<Tensor>();
  if (!tensor)
    return Value();
  Tensor all = parameter.empty() ? *tensor : emitter.readComputed(place, parameter, *tensor);
  return Value(ChosenTensor{{node.shape, all.element, all.value}, choice}, place);
}

/// How many rows a weight of that shape lacks to whole panels.
static int64_t getPanelPadding(const Shape &shape) {
  auto outputs = shape.size() == 2 ? shape[0].constant() : std::nullopt;
  return outputs && *outputs > 0 ? llvm::alignTo(*outputs, PackedLayout::panelRows) - *outputs : 0;
}

Value Elaborator::stack(ArrayRef<const TensorNode *> peers, SourceRange place) {
  SmallVector<mlir::Value> values;
  mlir::Type element;
  int64_t padding = getPanelPadding(peers.front()->shape);
  for (const TensorNode *peer : peers) {
    Value value = tensorValue(*peer, place);
    auto *tensor = value.get<Tensor>();
    if (!tensor)
      return Value();
    if (element && tensor->element != element)
      return fail(place, "`" + peer->path + "` is stored as " + formatElement(tensor->element) + " and `" +
                             peers.front()->path + "` as " + formatElement(element) +
                             "; expected one type of the elements that rows choose among");
    element = tensor->element;
    // Its own rows again, whose products nobody reads.
    SmallVector<mlir::Value> panels = {tensor->value};
    for (int64_t left = padding, size = padding; left > 0; left -= size) {
      size = std::min(left, *peers.front()->shape[0].constant());
      panels.push_back(emitter.create<SliceOp>(place, tensor->value, uint64_t(0), uint64_t(0), uint64_t(size)));
    }
    bool isWhole = panels.size() == 1;
    values.push_back(isWhole ? tensor->value : emitter.create<ConcatOp>(place, mlir::ValueRange(panels), uint64_t(0)));
  }
  Shape shape = peers.front()->shape;
  if (shape.empty())
    return fail(place, "`" + peers.front()->path + "` has no axis; rows choose among weights");
  auto outputs = Extent::add(shape[0], Extent(padding));
  auto rows = outputs ? Extent::multiply(*outputs, Extent(int64_t(peers.size()))) : std::nullopt;
  if (!rows)
    return fail(place, "the elements of `" + peers.front()->path + "` are too large together");
  shape[0] = *rows;
  mlir::Value joined = emitter.create<ConcatOp>(place, mlir::ValueRange(values), uint64_t(0));
  return Value(Tensor{std::move(shape), element, joined}, place);
}

} // namespace quern::frontend
