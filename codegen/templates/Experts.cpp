//===- Experts.cpp - products by weights that each row chooses --------------------------------===//
//
// Slots stand in the order of the groups that they chose (`quern.group_rows`). A task has some panels of outputs. It
// goes through the groups, of each through its slots, `rows` at a time, and multiplies them with the task's panels of
// the group's weight, `vectors` at a time. A tile never crosses groups; the panels of a task stay in the second cache
// from one to the next, so that every weight that was chosen is read once, however many slots chose it, and no other.
// The last tile of a group is computed whole; what is another group's is not written. The sum of a slot is in ascending
// order of k, wherever it stands in the order.
//
// On a device a block has some panels of one group, and goes through its slots by tiles, of which it adds up slices of
// k as other contractions do.
//
//===------------------------------------------------------------------------------------------===//

#include "codegen/templates/Contract.h"

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

namespace quern::codegen {

static constexpr int panelRows = PackedLayout::panelRows;

namespace {

/// Indices: i the lane of panel o, counted over all weights; m a slot of a group, counted over all groups.
struct ExpertsFuncs {
  /// [i, o, j, s], o counted within one weight; behind a combination [i, o, s]
  Func output;
  /// The products of all slots, before a combination: f32 [i, o, slot]. Undefined where there is none.
  Func slots;
  /// i32 [m]: the row of the left side that a slot reads.
  Func rowAt{"row_at"};
  ContractFuncs contract;
  /// The slots of a tile, the tiles of a group, the groups.
  RDom tiles;
  /// Panels of one weight.
  int panels = 0;
  int rows = 1;

  /// What writes the products.
  Func &getWriter() { return slots.defined() ? slots : output; }
};

} // namespace

/// The slots of each group, tile by tile. Tiles and slots have conditions that do not follow from each other, for
/// Halide to keep both: a tile that the group does not have is not computed, a slot that it does not have is not
/// written.
static RDom getTiles(MatmulOp matmul, Halide::ImageParam begins, int rows, Expr allSlots, bool isOnDevice) {
  int groups = static_cast<int>(matmul.getNumGroups());
  // Of one group Halide would ask on the processor whether it has slots, which is written on the device.
  RDom tiles(0, rows, 0, (allSlots + (rows - 1)) / rows, 0, isOnDevice ? std::max(groups, 2) : groups, "tiles");
  Expr count = begins(min(tiles.z + 1, groups)) - begins(tiles.z);
  tiles.where(tiles.y < (count + (rows - 1)) / rows);
  tiles.where(tiles.y * rows + tiles.x < count);
  return tiles;
}

static FailureOr<ExpertsFuncs> algorithm(Lowering &lowering, int rows) {
  KernelOp kernel = lowering.getKernel();
  ExpertsFuncs f;
  ContractFuncs &contract = f.contract;
  contract.i = Var("i"), contract.o = Var("o"), contract.m = Var("m"), contract.n = Var("n");
  SmallVector<MatmulOp> matmuls;
  QuantizeOp quantize;
  if (failed(findProducts(kernel, matmuls, quantize)))
    return failure();
  MatmulOp first = matmuls.front();
  int64_t outputs = first.getNumOutputs();
  if (outputs % panelRows != 0)
    return first.emitError("each of the weights that rows choose has ")
           << outputs << " outputs, expected a multiple of " << panelRows;
  for (MatmulOp matmul : matmuls)
    if (failed(addProduct(lowering, contract, matmul)))
      return failure();
  int slots = static_cast<int>(first.getNumSlots());
  f.panels = static_cast<int>(outputs / panelRows);
  f.rows = rows;

  auto orderParam = lowering.getBuffer(first.getOrder(), first), begins = lowering.getBuffer(first.getBegins(), first);
  if (failed(orderParam) || failed(begins))
    return failure();
  Expr allRows = lowering.extent(getDims(cast<RankedTensorType>(first.getOrder().getType()))[0]);
  Expr allSlots = Halide::Internal::simplify(allRows * slots);
  auto slotAt = [order = *orderParam, slots, allSlots](Expr place) mutable {
    place = clamp(place, 0, allSlots - 1);
    return clamp(order(place % slots, place / slots), 0, allSlots - 1);
  };
  Formula lhs;
  if (failed(buildLhs(lowering, contract, first, quantize, lhs)))
    return failure();
  bool isShared = cast<RankedTensorType>(first.getLhs().getType()).getRank() == 2;
  f.tiles = getTiles(first, *begins, rows, allSlots, lowering.getTarget().isDevice());
  // Counted from the first slot of group 0, as if each group had all slots: that a tile is so many is then known.
  Expr most = f.tiles.y.extent() * f.rows;
  Expr group = clamp(contract.m / most, 0, static_cast<int>(first.getNumGroups()) - 1);
  Expr read = slotAt((*begins)(group) + contract.m % most);
  f.rowAt(contract.m) = isShared ? read / slots : read;
  Expr row = f.rowAt(contract.m);
  Expr within = f.tiles.y * f.rows + f.tiles.x, place = (*begins)(f.tiles.z) + within;
  Expr counted = f.tiles.z * most + within;
  for (auto [matmul, product] : llvm::zip_equal(matmuls, contract.products)) {
    buildProduct(lowering, contract, product, matmul, lhs, row);
    // Asked for at the slot that is being written alone.
    lowering.set(matmul.getResult(),
                 {lowering.shapeOf(matmul.getResult().getType()),
                  [sum = product.sum, counted, panels = f.panels, group = Expr(f.tiles.z), i = contract.i,
                   o = contract.o](const Index &) { return sum(i, group * panels + o, counted); }});
  }
  if (quantize)
    lowering.set(quantize.getResult(), {});

  Var i = contract.i, o = contract.o, s("s"), j("j"), slot("slot");
  Expr written = slotAt(place);
  auto combines = kernel.getBody().getOps<CombineOp>();
  f.output = Func("output");
  if (combines.empty()) {
    FailureOr<Formula> result = lowering.lowerResult(std::next(first->getIterator()));
    if (failed(result))
      return failure();
    f.output(i, o, j, s) = Halide::undef<float>();
    f.output(i, o, written % slots, written / slots) =
        result->at({written / slots, written % slots, o * panelRows + i});
    return f;
  }
  CombineOp combine = *combines.begin();
  Block &body = kernel.getBody().front();
  if (failed(lowering.lowerOps(body.begin(), combine->getIterator())))
    return failure();
  FailureOr<Formula> all = lowering.get(combine.getInput());
  if (failed(all))
    return failure();
  f.slots = Func("slots");
  f.slots(i, o, slot) = Halide::undef<float>();
  f.slots(i, o, written) = all->at({written / slots, written % slots, o * panelRows + i});
  lowering.set(combine.getInput(),
               panelFormula(all->shape, i, o, [stored = f.slots, slots](Expr lane, Expr panel, const Index &at) {
                 return stored(lane, panel, at[0] * slots + at[1]);
               }));
  FailureOr<Formula> result = lowering.lowerResult(combine->getIterator());
  if (failed(result))
    return failure();
  f.output(i, o, s) = result->at({s, o * panelRows + i});
  return f;
}

/// The loops of what writes the products: a task's panels, group by group, tile by tile.
static void scheduleWriter(ExpertsFuncs &f, int vectors, int panels) {
  ContractFuncs &contract = f.contract;
  Var oo("oo"), oi("oi"), task("task");
  Func &writer = f.getWriter();
  Halide::Stage update = writer.update();
  update.split(contract.o, oo, oi, vectors, TailStrategy::GuardWithIf);
  std::vector<Halide::VarOrRVar> order = {contract.i, oi, f.tiles.x, oo, f.tiles.y, f.tiles.z};
  if (!f.slots.defined()) {
    update.split(oo, task, oo, (panels + vectors - 1) / vectors, TailStrategy::GuardWithIf);
    order.push_back(task);
  }
  update.reorder(order).vectorize(contract.i).unroll(oi).unroll(f.tiles.x);
  if (!f.slots.defined())
    update.parallel(task);
  f.rowAt.compute_at(writer, f.tiles.y).bound_extent(contract.m, f.rows);
  for (Product &product : contract.products) {
    product.sum.compute_at(writer, oo).bound_extent(contract.m, f.rows).bound_extent(contract.o, vectors);
    scheduleProduct(product, contract, /*tiled=*/true);
  }
}

static void schedule(ExpertsFuncs &f, const Lowering &lowering, const Parameters &parameters, bool few) {
  ContractFuncs &contract = f.contract;
  contract.output = f.output;
  scheduleLhs(contract, lowering, few);
  // Whole tiles: what a weight has no panel for is the next one's, or no memory at all.
  int vectors = std::min(parameters["vectors"], f.panels);
  while (f.panels % vectors != 0)
    --vectors;
  int panels = std::max(parameters["panels"] / vectors, 1) * vectors;
  f.output.bound(contract.i, 0, panelRows);
  if (f.slots.defined()) {
    Var oo("oo"), task("task");
    f.output.split(contract.o, task, oo, panels, TailStrategy::GuardWithIf)
        .reorder({contract.i, oo, f.output.args().back(), task})
        .vectorize(contract.i)
        .parallel(task);
    f.slots.compute_at(f.output, task).bound(contract.i, 0, panelRows);
  }
  scheduleWriter(f, vectors, panels);
}

static void spread(ExpertsFuncs &f, const Lowering &lowering, const DeviceSchedule &device) {
  ContractFuncs &contract = f.contract;
  spreadLhs(contract, lowering, device);
  DeviceTile tile{.panels = getPanelsOfBlock(device), .rows = f.rows};
  Func writer = f.getWriter();
  writer.bound(contract.i, 0, panelRows);
  Var panels("panels"), panel("panel");
  writer.update().split(contract.o, panels, panel, tile.panels, TailStrategy::GuardWithIf);
  DeviceSchedule::Block block =
      device.spreadWrites(writer, {contract.i, panel, f.tiles.x}, f.tiles.y, {panels, f.tiles.z}).inTurn();
  f.rowAt.bound_extent(contract.m, f.rows);
  device.spreadWithin(f.rowAt, block, {contract.m});
  for (Product &product : contract.products)
    spreadProduct(product, contract, tile, device, block);
  if (f.slots.defined())
    device.spread(f.output.bound(contract.i, 0, panelRows));
}

/// How many slots a tile has.
static int chooseRows(const Parameters &parameters, RankedTensorType order) {
  int rows = parameters["rows"];
  return areFew(order) ? std::min<int>(rows, std::max<int64_t>(1, order.getDimSize(0))) : rows;
}

FailureOr<KernelPlan> buildExperts(Lowering &lowering, const Parameters &parameters) {
  auto anchor = cast<MatmulOp>(lowering.getKernel().getAnchor());
  auto order = cast<RankedTensorType>(anchor.getOrder().getType());
  bool few = areFew(order);
  FailureOr<ExpertsFuncs> funcs = algorithm(lowering, chooseRows(parameters, order));
  if (failed(funcs))
    return failure();
  return KernelPlan(
      {funcs->output},
      [funcs = *funcs, &lowering, parameters, few]() mutable {
        schedule(funcs, lowering, parameters, few);
        return success();
      },
      [funcs = *funcs, &lowering](const DeviceSchedule &device) mutable { spread(funcs, lowering, device); });
}

} // namespace quern::codegen
