//===- CostModel.cpp - the schedule that a kernel gets without measuring ----------------------===//

#include "passes/tile/CostModel.h"
#include "passes/TensorType.h"

#include "dialect/PackedLayout.h"
#include "dialect/Shapes.h"

#include "mlir/IR/Builders.h"

#include <limits>

using namespace mlir;

namespace quern {

/// What a contraction costs per step of k on one machine, as far as the tile decides it.
struct ContractShape {
  /// Rows of the left side, where they are known at compile time.
  int64_t rows = 1;
  bool rowsKnown = true;
  /// Panels of the weight.
  int64_t panels = 1;
  /// Matmuls in the kernel, which share the left side.
  int64_t matmuls = 1;
  /// Bits per weight as stored.
  int64_t weightBits = 32;
  /// Products are integers, with scales per block.
  bool integer = false;
  /// Nothing but sums, weights and one element of the left side is in registers.
  bool alone = false;
  /// Groups of rows that share each weight.
  int64_t lines = 1;
  /// Loading an element of the left side from the nearest cache, in products of vectors.
  double leftCost = 0.25;
  /// How much longer all takes for each panel whose sums are kept until the task has all of them.
  double keepCost = 0;
};

/// `rows` × `vectors` accumulators per matmul.
struct Tile {
  int64_t rows;
  int64_t vectors;
};

static ScheduleAttr makeSchedule(MLIRContext *context, ArrayRef<std::pair<StringRef, int64_t>> parameters) {
  Builder builder(context);
  SmallVector<NamedAttribute> attributes;
  for (auto [name, value] : parameters)
    attributes.push_back(builder.getNamedAttr(name, builder.getI64IntegerAttr(value)));
  return ScheduleAttr::get(context, builder.getDictionaryAttr(attributes));
}

static ContractShape getShape(MatmulOp anchor) {
  auto lhs = getTensorType(anchor.getLhs());
  FailureOr<PackedLayout> layout = getPackedLayout(anchor.getWeight());
  int64_t bits = succeeded(layout) ? layout->bits : 32;
  ContractShape shape = {1, true, 0, 0, bits, isa<BlockType>(lhs.getElementType())};
  SmallVector<Dim> dims = getDims(lhs);
  for (Dim dim : ArrayRef(dims).drop_back()) {
    shape.rowsKnown &= dim.isStatic();
    if (dim.isStatic())
      shape.rows *= dim.size();
  }
  if (anchor.isBatched())
    shape.rows /= anchor.getBatchSize();
  if (anchor.isGrouped()) // slots of one row go to as many groups
    shape.rows = shape.rowsKnown ? getTensorType(anchor.getOrder()).getDimSize(0) : 1;
  shape.panels = std::max<int64_t>(1, PackedLayout::panels(anchor.getNumOutputs()));
  shape.matmuls = llvm::range_size(anchor->getBlock()->getOps<MatmulOp>());
  // Floats come from farther away than bytes, and more so where two weights are in the second cache.
  if (!shape.integer)
    shape.leftCost = 0.3 * double(shape.matmuls);
  return shape;
}

/// Vector registers that one row of a panel takes as accumulators: of floats those of each matmul; of integers those of
/// the matmul at hand, i32 within a block beside its f32 where one instruction adds four products to them, and else the
/// sums of both halves alone, in 16 bits each or in 32.
static int64_t countAccumulators(const ContractShape &shape, TargetAttr target) {
  if (!shape.integer)
    return shape.matmuls;
  return target.getDot() != "none" || shape.weightBits > 4 ? 2 : 1;
}

/// Vector registers that `tile` needs: accumulators, a vector of weights per column, unpacked for 4 bits, and an eighth
/// of all for what else there is.
static int64_t countRegisters(Tile tile, const ContractShape &shape, TargetAttr target) {
  int64_t perPanel = std::max<int64_t>(1, PackedLayout::panelRows * 32 / target.getVectorBits());
  int64_t accumulators = tile.rows * shape.lines * tile.vectors * countAccumulators(shape, target);
  bool isNarrow = shape.integer && target.getDot() == "none";
  int64_t weights = tile.vectors * (shape.weightBits == 4 ? (isNarrow ? 2 : 3) : 1);
  int64_t others = shape.alone ? 0 : target.getVectorRegisters() / 8;
  return perPanel * (accumulators + weights) + 1 + others;
}

/// Instructions per product of a vector: loading (and unpacking) weights is shared by the rows; the left side is an
/// operand in memory, shared by the vectors; a sum of fewer than 8 independent terms waits for
/// the one before; beyond 8 rows the rows of the left side begin to evict each other; rows and panels beyond the tensor
/// are wasted. The weights reproduce the measured order of the tiles on Zen 4.
static double getCost(Tile tile, const ContractShape &shape) {
  double load = shape.weightBits == 4 ? 2.5 : 1.0;
  int64_t sharing = tile.rows * shape.lines;
  double cost = 1.0 + load / double(sharing) + shape.leftCost / double(tile.vectors);
  if (!shape.integer) {
    cost += 0.1 * double(std::max<int64_t>(0, 8 - sharing * tile.vectors));
    cost += 0.01 * double(std::max<int64_t>(0, sharing - 8));
  }
  double columns = double(llvm::alignTo(shape.panels, tile.vectors)) / double(shape.panels);
  double rows = shape.rowsKnown ? double(llvm::alignTo(shape.rows, tile.rows)) / double(shape.rows) : 1.0;
  return cost * columns * rows * (1.0 + shape.keepCost * double(tile.vectors));
}

/// The cheapest tile that fits the registers.
static Tile chooseTile(const ContractShape &shape, TargetAttr target) {
  Tile best = {1, 1};
  // A few rows are as fast as memory, which likes few sequential streams: one of quants, one per weight of a pair.
  bool isUnpacked = shape.integer || shape.weightBits == 13;
  bool isStream = shape.rowsKnown && shape.rows <= 8 && (isUnpacked || shape.matmuls > 1);
  for (int64_t vectors = 1; vectors <= (isStream ? 1 : shape.alone ? 6 : 4); ++vectors)
    for (int64_t rows = 1; rows <= 14; ++rows) {
      Tile tile = {rows, vectors};
      if (vectors > shape.panels || (shape.rowsKnown && rows > shape.rows) ||
          countRegisters(tile, shape, target) > target.getVectorRegisters())
        continue;
      if (getCost(tile, shape) < getCost(best, shape))
        best = tile;
    }
  return best;
}

/// How long one panel of the weight takes, in nanoseconds: its bytes at 25 GB/s, or its products at the speed of one
/// core. A kernel for any number of rows reads prompts, in steps of hundreds of them.
static double getPanelTime(MatmulOp anchor, const ContractShape &shape) {
  constexpr double bytesPerNanosecond = 25, integerProducts = 200, floatProducts = 50, promptRows = 256;
  double weights = double(PackedLayout::panelRows * getTensorType(anchor.getWeight()).getDimSize(1) * shape.matmuls);
  double rows = shape.rowsKnown ? double(shape.rows) : promptRows;
  return std::max({1.0, weights * double(shape.weightBits) / 8 / bytesPerNanosecond,
                   weights * rows / (shape.integer ? integerProducts : floatProducts)});
}

/// How much longer `panels` panels per task take than work that 2, 4 or 8 threads share evenly and for free. A thread
/// that was interrupted makes the others wait for half a task. Handing out a task costs 250 ns.
static double getTaskCost(int64_t panels, double panelTime, const ContractShape &shape) {
  constexpr double dispatchTime = 250;
  int64_t tasks = llvm::divideCeil(shape.panels, panels);
  double longest = 0;
  for (int64_t threads : {2, 4, 8})
    longest += (double(llvm::divideCeil(tasks, threads)) + 0.5) * double(panels * threads) / double(shape.panels);
  return longest / 3 * (1 + dispatchTime / (double(panels) * panelTime));
}

/// The numbers of panels that a task may have.
static constexpr int64_t taskPanels[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};

/// How many panels a task computes: the cheapest number of whole tiles.
static int64_t choosePanels(MatmulOp anchor, const ContractShape &shape, Tile tile) {
  double time = getPanelTime(anchor, shape);
  int64_t best = tile.vectors;
  for (int64_t panels : taskPanels)
    if (panels % tile.vectors == 0 && getTaskCost(panels, time, shape) < getTaskCost(best, time, shape))
      best = panels;
  return best;
}

static ScheduleAttr chooseContract(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  if (anchor.isOfValues())
    return makeSchedule(kernel.getContext(), {}); // the template's own
  ContractShape shape = getShape(anchor);
  Tile tile = chooseTile(shape, target);
  return makeSchedule(kernel.getContext(),
                      {{"rows", tile.rows}, {"vectors", tile.vectors}, {"panels", choosePanels(anchor, shape, tile)}});
}

/// How many panels a task computes of many slots of several groups. Each task reads the left side of all slots from
/// behind the second cache, so there are as few tasks as several threads share evenly; its panels are read again by
/// each tile, and take half of that cache at most.
static int64_t chooseGroupedPanels(MatmulOp anchor, const ContractShape &shape, Tile tile, TargetAttr target) {
  constexpr int64_t enoughTasks = 16;
  int64_t columns = getTensorType(anchor.getWeight()).getDimSize(1) * shape.matmuls;
  int64_t panelBytes = std::max<int64_t>(1, PackedLayout::panelRows * columns * shape.weightBits / 8);
  int64_t most = std::min<int64_t>(target.getL2Bytes() / 2 / panelBytes, shape.panels / enoughTasks);
  int64_t best = tile.vectors;
  for (int64_t panels : taskPanels)
    if (panels % tile.vectors == 0 && panels <= most)
      best = panels;
  return best;
}

/// As a contraction whose rows are the slots of one group: of few rows each may have chosen it once.
static ScheduleAttr chooseExperts(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  ContractShape shape = getShape(anchor);
  Tile tile = chooseTile(shape, target);
  int64_t panels =
      shape.rowsKnown ? choosePanels(anchor, shape, tile) : chooseGroupedPanels(anchor, shape, tile, target);
  return makeSchedule(kernel.getContext(), {{"rows", tile.rows}, {"vectors", tile.vectors}, {"panels", panels}});
}

/// How many rows of an image a task computes: as many as leave a few threads tasks enough to share them evenly.
static int64_t chooseLines(int64_t height, int64_t panelGroups) {
  constexpr int64_t enoughTasks = 16;
  int64_t best = 1;
  for (int64_t lines : {2, 4, 8, 16, 32, 64})
    if (panelGroups * llvm::divideCeil(height, lines) >= enoughTasks)
      best = lines;
  return best;
}

/// A convolution to `outputs` channels as a contraction whose rows are the `width` places of a row of the image.
static ContractShape getShape(int64_t width, int64_t outputs) {
  return {width, true, std::max<int64_t>(1, PackedLayout::panels(outputs)), 1, 32, false, /*alone=*/true};
}

static ScheduleAttr chooseConv(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<Conv2dOp>(kernel.getAnchor());
  auto image = getTensorType(anchor.getResult());
  ContractShape shape = getShape(image.getDimSize(2), image.getDimSize(3));
  Tile tile = chooseTile(shape, target);
  int64_t lines = chooseLines(image.getDimSize(1), llvm::divideCeil(shape.panels, tile.vectors));
  return makeSchedule(kernel.getContext(), {{"rows", tile.rows}, {"vectors", tile.vectors}, {"lines", lines}});
}

double estimateCost(Conv2dOp conv, int64_t outputs, TargetAttr target) {
  // A launch takes about 2 µs until all threads have begun and ended: as long as two cores take for these products.
  constexpr double launch = 16 << 10;
  auto image = getTensorType(conv.getResult());
  ContractShape shape = getShape(image.getDimSize(2), outputs);
  int64_t depth = getTensorType(conv.getWeight()).getDimSize(1);
  int64_t vectors = shape.panels * std::max<int64_t>(1, PackedLayout::panelRows * 32 / target.getVectorBits());
  double products = double(image.getDimSize(1) * image.getDimSize(2)) * double(depth) * double(vectors);
  return launch + products * getCost(chooseTile(shape, target), shape);
}

TargetAttr getTarget(ModuleOp module) { return module->getAttrOfType<TargetAttr>("quern.target"); }

/// The tiles of one point are the rows of a contraction: those of one or several rows of tiles. A task transforms its
/// tiles itself, for all panels, where there are rows of tiles enough for tasks and the weights stay in the second
/// cache from one to the next; else all tiles come first, and those that do not fit that cache are read from behind it
/// once per group of panels.
static ScheduleAttr chooseWinograd(KernelOp kernel, TargetAttr target) {
  constexpr int64_t enoughTasks = 16, floatBytes = 4;
  constexpr double farCost = 1.0, keepCost = 0.25;
  auto anchor = cast<WinogradOp>(kernel.getAnchor());
  auto image = getTensorType(anchor.getResult()), weight = getTensorType(anchor.getWeight());
  int64_t high = llvm::divideCeil(image.getDimSize(1), anchor.getTile()[0]);
  int64_t wide = llvm::divideCeil(image.getDimSize(2), anchor.getTile()[1]);
  int64_t points = weight.getDimSize(1) / getTensorType(anchor.getInput()).getDimSize(3);
  double cache = double(target.getL2Bytes());
  ContractShape shape = getShape(wide, image.getDimSize(3));
  Tile best = {1, 1};
  int64_t bestLines = 1;
  bool bestShared = true;
  double limit = std::numeric_limits<double>::max();
  for (int64_t lines = 1; lines <= std::min<int64_t>(high, 4); ++lines) {
    bool shared =
        llvm::divideCeil(high, lines) < enoughTasks || double(weight.getNumElements() * floatBytes) > cache / 2;
    bool far = shared && double(high * wide * weight.getDimSize(1) * floatBytes) > cache;
    shape.lines = lines;
    shape.leftCost = far ? farCost : ContractShape().leftCost;
    shape.keepCost = keepCost * double(points * wide * lines * PackedLayout::panelRows * floatBytes) / cache;
    Tile tile = chooseTile(shape, target);
    double cost = getCost(tile, shape) * double(llvm::alignTo(high, lines)) / double(high);
    if (cost >= limit)
      continue;
    best = tile;
    bestLines = lines;
    bestShared = shared;
    limit = cost;
  }
  return makeSchedule(kernel.getContext(),
                      {{"rows", best.rows}, {"lines", bestLines}, {"vectors", best.vectors}, {"shared", bestShared}});
}

ScheduleAttr chooseSchedule(KernelOp kernel, TargetAttr target) {
  switch (kernel.getForm()) {
#define QUERN_HEURISTIC(Form)                                                                                          \
  case KernelForm::Form:                                                                                               \
    return choose##Form(kernel, target);
#define QUERN_NO_HEURISTIC(Form)                                                                                       \
  case KernelForm::Form:                                                                                               \
    return makeSchedule(kernel.getContext(), {});
#include "passes/tile/Heuristics.def"
  }
  llvm_unreachable("every form has a row in Heuristics.def");
}

} // namespace quern
