//===- Routing.cpp - which rows go through which weights --------------------------------------===//
//
// What is between the scores of a router and products by weights that rows choose, in one kernel of several results.
// All is small: each value is stored, one after the other.
//
// The largest values: each element is compared with all others of its row, and how many come before it is its place.
//
// The order of slots is a counting sort. Slots are taken in blocks of 64: how many of a group come before a block is a
// sum over the blocks, how many within it are counted by comparing.
//
//===------------------------------------------------------------------------------------------===//

#include "codegen/templates/Common.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace quern::codegen {

static constexpr int blockSlots = 64;

/// Integers in the order of floats, NaNs above all; -0 is as large as 0.
static Expr getKey(Expr value) {
  Expr bits = Halide::reinterpret<int32_t>(value + 0.0f);
  Expr ordered = select(bits < 0, bits ^ Expr(INT32_MAX), bits);
  return select(is_nan(value), Expr(INT32_MAX), ordered);
}

namespace {

/// Defines the values of a kernel's routing ops, and their loops.
class RoutingBuilder {
public:
  RoutingBuilder(Lowering &lowering, bool many) : lowering(lowering), many(many) {}

  LogicalResult add(TopKOp op);
  LogicalResult add(GroupRowsOp op);
  LogicalResult add(GatherOp op);

private:
  /// `func`, stored before what follows: its first variable by vectors, its last shared between tasks.
  void schedule(Func func, const Expr &count);
  void share(Halide::Stage stage, ArrayRef<Var> row);
  /// Computes `value` as `formula` says, each element once, and gives what reads it.
  Formula store(Value value, const Formula &formula);
  /// `func` as a tensor of the type of `value`.
  void set(Value value, Func func) {
    auto type = cast<RankedTensorType>(value.getType());
    lowering.set(value, {lowering.shapeOf(type), [func](const Index &index) { return callAt(func, index); }});
  }

  Lowering &lowering;
  bool many;
};

} // namespace

void RoutingBuilder::share(Halide::Stage stage, ArrayRef<Var> row) {
  if (many && !row.empty())
    stage.parallel(row.back(), rowsPerTask, Halide::TailStrategy::GuardWithIf);
}

void RoutingBuilder::schedule(Func func, const Expr &count) {
  func.compute_root();
  vectorizeTail(func, func.args()[0], count, lowering.getTarget().lanes());
  share(func, ArrayRef(func.args()).drop_front());
}

Formula RoutingBuilder::store(Value value, const Formula &formula) {
  std::vector<Var> vars;
  for (size_t d = 0; d < formula.shape.size(); ++d)
    vars.emplace_back("d" + std::to_string(d));
  Func func("stored");
  func(vars) = formula.at(Index(vars.rbegin(), vars.rend()));
  if (vars.empty())
    func.compute_root();
  else
    schedule(func, formula.shape.back());
  Formula stored{formula.shape, [func](const Index &index) { return callAt(func, index); }};
  lowering.set(value, stored);
  return stored;
}

LogicalResult RoutingBuilder::add(TopKOp op) {
  FailureOr<Formula> given = lowering.get(op.getInput());
  if (failed(given))
    return failure();
  Var e("e"), j("j");
  std::vector<Var> row;
  for (size_t d = 0; d + 1 < given->shape.size(); ++d)
    row.emplace_back("d" + std::to_string(d));
  auto with = [&](auto first) {
    std::vector<decltype(first)> arguments = {first};
    for (Var var : row)
      arguments.push_back(var);
    return arguments;
  };
  Expr count = given->shape.back();
  std::vector<Var> at = with(e), chosen = with(j);
  // [e, row…]: the values, their order, and how many come before each; then [j, row…].
  Func input("input"), key("key"), rank("rank"), values("values"), indices("indices");
  input(at) = given->at(Index(at.rbegin(), at.rend()));
  key(at) = getKey(input(at));
  RDom others(0, count, "others"), elements(0, count, "elements");
  Expr other = key(with(Expr(others))), own = key(at);
  rank(at) = 0;
  rank(at) += Halide::cast<int32_t>(other > own || (other == own && others < e));
  Expr isIt = rank(with(Expr(elements))) == j;
  values(chosen) = 0.0f;
  values(chosen) = select(isIt, input(with(Expr(elements))), values(chosen));
  indices(chosen) = 0;
  indices(chosen) = select(isIt, elements, indices(chosen));

  for (Func func : {input, key, rank})
    schedule(func, count);
  std::vector<Halide::VarOrRVar> order = {e, others.x};
  order.insert(order.end(), row.begin(), row.end());
  rank.update().reorder(order);
  vectorizeTail(rank.update(), e, count, lowering.getTarget().lanes());
  share(rank.update(), row);
  for (Func func : {values, indices}) {
    func.compute_root();
    share(func, row);
    share(func.update(), row);
  }
  set(op.getValues(), values);
  set(op.getIndices(), indices);
  return success();
}

LogicalResult RoutingBuilder::add(GroupRowsOp op) {
  FailureOr<Formula> chosen = lowering.get(op.getChosen());
  if (failed(chosen))
    return failure();
  Var slot("slot"), g("g"), block("block"), j("j"), s("s");
  int groups = static_cast<int>(op.getGroups());
  Expr slots = chosen->shape[1], all = Halide::Internal::simplify(chosen->shape[0] * slots);
  Expr blocks = Halide::Internal::simplify((all + (blockSlots - 1)) / blockSlots);
  // The group of each slot; how many of a block chose each, and of all blocks before it.
  Func group("group"), count("count"), before("before"), begins("begins"), places("places"), order("order");
  group(slot) = clamp(chosen->at({slot / slots, slot % slots}), 0, groups - 1);
  RDom inBlock(0, blockSlots, 0, blocks, "in_block");
  Expr counted = inBlock.y * blockSlots + inBlock.x;
  inBlock.where(counted < all);
  count(g, block) = 0;
  count(group(min(counted, all - 1)), inBlock.y) += 1;
  RDom behind(1, blocks, "behind"), groupsBehind(1, groups, "groups_behind");
  before(g, block) = 0;
  before(g, behind) = before(g, behind - 1) + count(g, behind - 1);
  begins(g) = 0;
  begins(groupsBehind) = begins(groupsBehind - 1) + before(groupsBehind - 1, blocks);

  RDom earlier(0, blockSlots, "earlier"), placed(0, all, "placed");
  Expr own = group(slot), other = slot / blockSlots * blockSlots + earlier;
  places(slot) = begins(own) + before(own, slot / blockSlots);
  places(slot) += select(other < slot && group(min(other, all - 1)) == own, 1, 0);
  Expr place = clamp(places(placed), 0, all - 1);
  order(j, s) = Halide::undef<int32_t>();
  order(place % slots, place / slots) = placed;

  for (Func func : {group, count, before, places, begins, order})
    func.compute_root();
  before.update().vectorize(g, lowering.getTarget().lanes(), Halide::TailStrategy::GuardWithIf);
  set(op.getOrder(), order);
  set(op.getBegins(), begins);
  return success();
}

/// A computed table is stored, too, where more is taken of it than it has.
LogicalResult RoutingBuilder::add(GatherOp op) {
  auto sizeOf = [](Value value) {
    WorkTerm elements = multiply(1, getDims(cast<RankedTensorType>(value.getType())));
    return std::pair(elements.sizes.size(), elements.count);
  };
  FailureOr<Formula> table = lowering.get(op.getTable()), indices = lowering.get(op.getIndices());
  if (failed(table) || failed(indices))
    return failure();
  if (op.getTable().getDefiningOp() && sizeOf(op.getResult()) > sizeOf(op.getTable()))
    *table = store(op.getTable(), *table);
  FailureOr<Formula> gathered = lowerOp(lowering, op, {*table, *indices});
  if (failed(gathered))
    return failure();
  store(op.getResult(), *gathered);
  return success();
}

Space spaceRouting(KernelOp, const TargetSpec &) { return {}; }

int64_t prefetchRouting(KernelOp, const TargetSpec &, const Parameters &) { return 0; }

FailureOr<Outputs> buildRouting(Lowering &lowering, const Parameters &) {
  Block &body = lowering.getKernel().getBody().front();
  auto anchor = cast<KernelAnchorOpInterface>(lowering.getKernel().getAnchor());
  auto type = cast<RankedTensorType>(anchor.getRowsOperand().get().getType());
  bool many = type.getRank() > 1 && !areFew(type);
  RoutingBuilder builder(lowering, many);
  for (Operation &op : body.without_terminator()) {
    LogicalResult added =
        llvm::TypeSwitch<Operation *, LogicalResult>(&op)
            .Case<TopKOp, GroupRowsOp, GatherOp>([&](auto routing) { return builder.add(routing); })
            .Default([&](Operation *) { return lowering.lowerOps(op.getIterator(), std::next(op.getIterator())); });
    if (failed(added))
      return failure();
  }
  Outputs outputs;
  for (unsigned i = 0; i < lowering.getKernel().getNumResults(); ++i) {
    FailureOr<Formula> result = lowering.get(lowering.getYielded(i));
    if (failed(result))
      return failure();
    outputs.push_back(defineOutput(*result).func);
  }
  scheduleStages(lowering, outputs.front(), nullptr, many);
  return outputs;
}

} // namespace quern::codegen
