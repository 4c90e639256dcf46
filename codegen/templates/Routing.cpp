//===- Routing.cpp - which rows go through which weights --------------------------------------===//
//
// What is between the scores of a router and products by weights that rows choose, in one kernel of several results.
// All is small: each value is stored, one after the other.
//
// The largest values: each element is compared with all others of its row, and how many come before it is its place. Of
// many elements, such as a vocabulary, these are found first: the k largest are in the k runs of 16 elements whose
// largest ones are the largest, which are found in the same way. Every element is read once.
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
/// How many elements make a run, and of how many, at most, each is compared with all others.
static constexpr int runElements = 16, fewElements = 512;

/// Integers in the order of floats, NaNs above all; -0 is as large as 0.
static Expr getKey(Expr value) {
  Expr bits = Halide::reinterpret<int32_t>(value + 0.0f);
  Expr ordered = select(bits < 0, bits ^ Expr(INT32_MAX), bits);
  return select(is_nan(value), Expr(INT32_MAX), ordered);
}

namespace {

/// What is ordered in each row: the largest key comes first, and of equal ones the lower order.
struct Elements {
  using Read = std::function<Expr(const Expr &element, const std::vector<Var> &row)>;
  Read key, order;
};

/// How a processor computes what a kernel stores.
struct Loops {
  /// Elements in a vector; whether there are many rows.
  int lanes;
  bool many;

  /// Rows, the last variable, shared between tasks.
  void share(Halide::Stage stage, ArrayRef<Var> row) const {
    if (many && !row.empty())
      stage.parallel(row.back(), rowsPerTask, Halide::TailStrategy::GuardWithIf);
  }
  /// The first variable by vectors, rows between tasks.
  void schedule(Func func, const Expr &count) const {
    vectorizeTail(func, func.args()[0], count, lanes);
    share(func, ArrayRef(func.args()).drop_front());
  }
};

/// What is stored before what follows, and its loops on a processor.
struct Stored {
  Func func;
  std::function<void(const Loops &loops)> schedule;
};

/// Defines the values of a kernel's routing ops.
class RoutingBuilder {
public:
  explicit RoutingBuilder(Lowering &lowering) : lowering(lowering) {}

  LogicalResult add(TopKOp op);
  LogicalResult add(GroupRowsOp op);
  LogicalResult add(GatherOp op);
  std::vector<Stored> take() { return std::move(stored); }

private:
  /// The places of the k largest of `count` elements, the largest first: [j, row…].
  Func findLargest(const Elements &elements, int count, int k, const std::vector<Var> &row);
  Func findRuns(const Elements &elements, int count, int runs, const std::vector<Var> &row);
  void keepRank(Func rank, const RDom &others, const Expr &count);
  LogicalResult addMany(TopKOp op, const Formula &given, int count);
  /// Stores `func`: elementwise, of `count` elements, or with loops of its own.
  void keep(Func func, const Expr &count) {
    keep(func, [func, count](const Loops &loops) { loops.schedule(func, count); });
  }
  void keep(Func func, std::function<void(const Loops &loops)> schedule) {
    stored.push_back({func, std::move(schedule)});
  }
  /// Computes `value` as `formula` says, each element once, and gives what reads it.
  Formula store(Value value, const Formula &formula);
  /// `func` as a tensor of the type of `value`.
  void set(Value value, Func func) {
    auto type = cast<RankedTensorType>(value.getType());
    lowering.set(value, {lowering.shapeOf(type), [func](const Index &index) { return callAt(func, index); }});
  }

  Lowering &lowering;
  std::vector<Stored> stored;
};

} // namespace

Formula RoutingBuilder::store(Value value, const Formula &formula) {
  std::vector<Var> vars;
  for (size_t d = 0; d < formula.shape.size(); ++d)
    vars.emplace_back("d" + std::to_string(d));
  Func func("stored");
  func(vars) = formula.at(Index(vars.rbegin(), vars.rend()));
  if (vars.empty())
    keep(func, [](const Loops &) {});
  else
    keep(func, formula.shape.back());
  Formula stored{formula.shape, [func](const Index &index) { return callAt(func, index); }};
  lowering.set(value, stored);
  return stored;
}

/// `first`, then `row`.
static std::vector<Expr> joinArguments(const Expr &first, const std::vector<Var> &row) {
  std::vector<Expr> arguments = {first};
  arguments.insert(arguments.end(), row.begin(), row.end());
  return arguments;
}

static std::vector<Var> joinArguments(Var first, const std::vector<Var> &row) {
  std::vector<Var> arguments = {first};
  arguments.insert(arguments.end(), row.begin(), row.end());
  return arguments;
}

/// How many elements come before each, of `count`: [e, row…].
void RoutingBuilder::keepRank(Func rank, const RDom &others, const Expr &count) {
  keep(rank, [=](const Loops &loops) mutable {
    std::vector<Var> vars = rank.args();
    loops.schedule(rank, count);
    std::vector<Halide::VarOrRVar> order(vars.begin(), vars.end());
    order.insert(order.begin() + 1, others.x);
    rank.update().reorder(order);
    vectorizeTail(rank.update(), vars[0], count, loops.lanes);
    loops.share(rank.update(), ArrayRef(vars).drop_front());
  });
}

/// The runs that `findRuns` gives, as elements.
static Elements readRuns(Func run) {
  auto get = [run](int part) {
    return [run, part](const Expr &c, const std::vector<Var> &row) -> Expr { return run(joinArguments(c, row))[part]; };
  };
  return {get(0), get(1)};
}

/// Candidates of a row are all its elements, or those of the k runs with the largest ones; each is compared with all
/// others. Run c of R runs is c, c + R, c + 2 R, ….
Func RoutingBuilder::findLargest(const Elements &elements, int count, int k, const std::vector<Var> &row) {
  Var e("e"), j("j");
  std::vector<Var> at = joinArguments(e, row), chosen = joinArguments(j, row);
  // [e, row…]: where a candidate is among the elements, its key and order, and how many come before it.
  Func place("place"), keys("keys"), orders("orders"), rank("rank"), largest("largest");
  bool many = count > std::max(k * runElements, fewElements);
  int candidates = many ? k * runElements : count;
  if (many) {
    int runs = llvm::divideCeil(count, runElements);
    Func run = findRuns(elements, count, runs, row), best = findLargest(readRuns(run), runs, k, row);
    place(at) = best(joinArguments(e / runElements, row)) + e % runElements * runs;
    Expr isThere = place(at) < count, element = clamp(place(at), 0, count - 1);
    keys(at) = select(isThere, elements.key(element, row), INT32_MIN);
    orders(at) = select(isThere, elements.order(element, row), INT32_MAX);
  } else {
    place(at) = e;
    keys(at) = elements.key(e, row);
    orders(at) = elements.order(e, row);
  }
  RDom others(0, candidates, "others"), all(0, candidates, "all");
  std::vector<Expr> other = joinArguments(Expr(others), row);
  rank(at) = 0;
  rank(at) += Halide::cast<int32_t>(keys(other) > keys(at) || (keys(other) == keys(at) && orders(other) < orders(at)));
  Expr before = rank(joinArguments(Expr(all), row));
  all.where(before < k);
  largest(chosen) = 0;
  largest(joinArguments(clamp(before, 0, k - 1), row)) = place(joinArguments(Expr(all), row));

  for (Func func : {place, keys, orders})
    keep(func, candidates);
  keepRank(rank, others, candidates);
  keep(largest, [largest, row](const Loops &loops) mutable {
    loops.share(largest, row);
    loops.share(largest.update(), row);
  });
  return largest;
}

/// [c, row…]: key and order of the largest element of each run.
Func RoutingBuilder::findRuns(const Elements &elements, int count, int runs, const std::vector<Var> &row) {
  Var c("c");
  std::vector<Var> at = joinArguments(c, row);
  Func run("run");
  auto take = [&](const Expr &key, const Expr &order) {
    Expr isLarger = key > run(at)[0] || (key == run(at)[0] && order < run(at)[1]);
    run(at) = Halide::Tuple(select(isLarger, key, run(at)[0]), select(isLarger, order, run(at)[1]));
  };
  run(at) = Halide::Tuple(elements.key(c, row), elements.order(c, row));
  // Of the elements of a run all but the last are there, as there are many runs.
  RDom step(1, runElements - 2, "step");
  Expr element = step * runs + c, last = (runElements - 1) * runs + c, there = min(last, count - 1);
  take(elements.key(element, row), elements.order(element, row));
  take(select(last < count, elements.key(there, row), INT32_MIN), elements.order(there, row));
  keep(run, [=](const Loops &loops) mutable {
    loops.schedule(run, runs);
    for (int update : {0, 1}) {
      Halide::Stage stage = run.update(update);
      if (update == 0) {
        std::vector<Halide::VarOrRVar> order = {step.x, c};
        order.insert(order.end(), row.begin(), row.end());
        stage.reorder(order);
      }
      vectorizeTail(stage, c, runs, loops.lanes);
      loops.share(stage, row);
    }
  });
  return run;
}

/// Of many elements: the input is stored only where it is computed here.
LogicalResult RoutingBuilder::addMany(TopKOp op, const Formula &given, int count) {
  Formula input = isa<BlockArgument>(op.getInput()) ? given : store(op.getInput(), given);
  std::vector<Var> row;
  for (size_t d = 0; d + 1 < given.shape.size(); ++d)
    row.emplace_back("d" + std::to_string(d));
  auto read = [input](const Expr &e, const std::vector<Var> &row) {
    Index index(row.rbegin(), row.rend());
    index.push_back(e);
    return input.at(index);
  };
  Elements elements{[read](const Expr &e, const std::vector<Var> &row) { return getKey(read(e, row)); },
                    [](const Expr &e, const std::vector<Var> &) { return e; }};
  Func largest = findLargest(elements, count, static_cast<int>(op.getK()), row), values("values");
  std::vector<Var> chosen = joinArguments(Var("j"), row);
  values(chosen) = read(clamp(largest(chosen), 0, count - 1), row);
  keep(values, [values, row](const Loops &loops) { loops.share(values, row); });
  set(op.getValues(), values);
  set(op.getIndices(), largest);
  return success();
}

LogicalResult RoutingBuilder::add(TopKOp op) {
  FailureOr<Formula> given = lowering.get(op.getInput());
  if (failed(given))
    return failure();
  int64_t size = cast<RankedTensorType>(op.getInput().getType()).getShape().back();
  if (size > std::max(int64_t(op.getK()) * runElements, int64_t(fewElements)))
    return addMany(op, *given, static_cast<int>(size));
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

  for (Func func : {input, key})
    keep(func, count);
  keepRank(rank, others, count);
  for (Func func : {values, indices})
    keep(func, [func, row](const Loops &loops) mutable {
      loops.share(func, row);
      loops.share(func.update(), row);
    });
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

  for (Func func : {group, count, places, begins, order})
    keep(func, [](const Loops &) {});
  keep(before, [before, g](const Loops &loops) mutable {
    before.update().vectorize(g, loops.lanes, Halide::TailStrategy::GuardWithIf);
  });
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

FailureOr<KernelPlan> buildRouting(Lowering &lowering, const Parameters &) {
  Block &body = lowering.getKernel().getBody().front();
  auto anchor = cast<KernelAnchorOpInterface>(lowering.getKernel().getAnchor());
  auto type = cast<RankedTensorType>(anchor.getRowsOperand().get().getType());
  bool many = type.getRank() > 1 && !areFew(type);
  RoutingBuilder builder(lowering);
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
  std::vector<Stored> stored = builder.take();
  return KernelPlan(
      outputs,
      [outputs, stored, many, &lowering]() mutable {
        for (Stored &kept : stored) {
          kept.func.compute_root();
          kept.schedule({lowering.getTarget().lanes(), many});
        }
        scheduleStages(lowering, outputs.front(), nullptr, many);
        return success();
      },
      [outputs, stored, &lowering](const DeviceSchedule &device) {
        spreadStages(lowering, device);
        for (const Stored &kept : stored)
          device.spread(kept.func);
        for (Func output : outputs)
          device.spread(output);
      });
}

} // namespace quern::codegen
