//===- Tiles.cpp - what a tile of a contraction costs -----------------------------------------===//

#include "passes/tile/Tiles.h"
#include "passes/TensorType.h"
#include "passes/tile/Heuristics.h"

#include "dialect/PackedLayout.h"
#include "dialect/Schedules.h"
#include "dialect/Shapes.h"

#include <cmath>

using namespace mlir;

namespace quern {

ContractShape getShape(MatmulOp anchor) {
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

ContractShape getShape(int64_t width, int64_t outputs) {
  return {width, true, std::max<int64_t>(1, PackedLayout::panels(outputs)), 1, 32, false, /*alone=*/true};
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

bool fits(Tile tile, const ContractShape &shape, TargetAttr target) {
  return tile.vectors <= shape.panels && (!shape.rowsKnown || tile.rows <= shape.rows) &&
         countRegisters(tile, shape, target) <= target.getVectorRegisters();
}

/// Instructions per product of a vector: loading (and unpacking) weights is shared by the rows; the left side is an
/// operand in memory, shared by the vectors; a sum of fewer than 8 independent terms waits for
/// the one before; beyond 8 rows the rows of the left side begin to evict each other; rows and panels beyond the tensor
/// are wasted. The weights reproduce the measured order of the tiles on Zen 4.
double getCost(Tile tile, const ContractShape &shape) {
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

void describeTile(Features &features, Tile tile, const ContractShape &shape, TargetAttr target) {
  int64_t sharing = tile.rows * shape.lines;
  features.add("loads", (shape.weightBits == 4 ? 2.5 : 1.0) / double(sharing));
  features.add("left", shape.leftCost / double(tile.vectors));
  features.add("waiting", double(std::max<int64_t>(0, 8 - sharing * tile.vectors)) / 8);
  features.add("height", double(std::max<int64_t>(0, sharing - 8)) / 8);
  features.add("width", std::log2(double(tile.vectors)));
  features.add("registers", double(countRegisters(tile, shape, target)) / double(target.getVectorRegisters()));
  features.add("columns", getWaste(shape.panels, tile.vectors));
  features.add("rows", shape.rowsKnown ? getWaste(shape.rows, tile.rows) : 0);
}

void describeTask(Features &features, int64_t panels, int64_t prefetch, MatmulOp anchor, const ContractShape &shape,
                  TargetAttr target) {
  double panelBytes = double(PackedLayout::panelRows * getTensorType(anchor.getWeight()).getDimSize(1) * shape.matmuls *
                             shape.weightBits) /
                      8;
  features.add("task", std::log2(double(panels)));
  features.add("tail", getTail(llvm::divideCeil(shape.panels, panels)));
  features.add("footprint", getExcess(double(panels) * panelBytes, double(target.getL2Bytes()), 1));
  describePrefetch(features, prefetch);
}

/// The cheapest tile that fits the registers.
Tile chooseTile(const ContractShape &shape, TargetAttr target) {
  Tile best = {1, 1};
  // A few rows are as fast as memory, which likes few sequential streams: one of quants, one per weight of a pair.
  bool isUnpacked = shape.integer || shape.weightBits == 13;
  bool isStream = shape.rowsKnown && shape.rows <= 8 && (isUnpacked || shape.matmuls > 1);
  for (int64_t vectors = 1; vectors <= (isStream ? 1 : shape.alone ? 6 : 4); ++vectors)
    for (int64_t rows = 1; rows <= 14; ++rows) {
      Tile tile = {rows, vectors};
      if (fits(tile, shape, target) && getCost(tile, shape) < getCost(best, shape))
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
double getTaskCost(int64_t panels, MatmulOp anchor, const ContractShape &shape) {
  constexpr double dispatchTime = 250;
  double panelTime = getPanelTime(anchor, shape);
  int64_t tasks = llvm::divideCeil(shape.panels, panels);
  double longest = 0;
  for (int64_t threads : {2, 4, 8})
    longest += (double(llvm::divideCeil(tasks, threads)) + 0.5) * double(panels * threads) / double(shape.panels);
  return longest / 3 * (1 + dispatchTime / (double(panels) * panelTime));
}

int64_t choosePanels(MatmulOp anchor, const ContractShape &shape, Tile tile) {
  int64_t best = tile.vectors;
  for (int64_t panels : getLegal(anchor.getKernelForm(), ScheduleKind::Processor, "panels"))
    if (panels % tile.vectors == 0 && getTaskCost(panels, anchor, shape) < getTaskCost(best, anchor, shape))
      best = panels;
  return best;
}

int64_t chooseLines(int64_t height, int64_t panelGroups) {
  constexpr int64_t enoughTasks = 16;
  int64_t best = 1;
  for (int64_t lines : {2, 4, 8, 16, 32, 64})
    if (panelGroups * llvm::divideCeil(height, lines) >= enoughTasks)
      best = lines;
  return best;
}

bool isWorthTrying(Tile tile, int64_t panels, int64_t prefetch, MatmulOp anchor, TargetAttr target) {
  ContractShape shape = getShape(anchor);
  bool streams = areFew(getTensorType(anchor.getLhs()));
  bool isSame = panels % tile.vectors != 0 || panels >= 2 * shape.panels || (prefetch != 0 && !streams);
  return fits(tile, shape, target) && !isSame;
}

int64_t choosePrefetch(RankedTensorType lhs, TargetAttr target) { return areFew(lhs) ? target.getPrefetchBytes() : 0; }

} // namespace quern
