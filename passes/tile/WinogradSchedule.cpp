//===- WinogradSchedule.cpp - the schedule of a convolution by fewer products -----------------===//

#include "passes/TensorType.h"
#include "passes/tile/Heuristics.h"
#include "passes/tile/Tiles.h"

#include "dialect/PackedLayout.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace quern {

namespace {
/// A convolution whose tiles are `lines` rows of tiles high.
struct WinogradShape {
  /// The tiles of one point are the rows of a contraction: those of one or several rows of tiles.
  ContractShape contract;
  int64_t high = 1;
  /// All tiles come first.
  bool shared = true;
};
} // namespace

static WinogradShape getShape(WinogradOp anchor, int64_t lines, bool shared, TargetAttr target) {
  constexpr int64_t floatBytes = 4;
  constexpr double farCost = 1.0, keepCost = 0.25;
  auto image = getTensorType(anchor.getResult()), weight = getTensorType(anchor.getWeight());
  int64_t high = llvm::divideCeil(image.getDimSize(1), anchor.getTile()[0]);
  int64_t wide = llvm::divideCeil(image.getDimSize(2), anchor.getTile()[1]);
  int64_t points = weight.getDimSize(1) / getTensorType(anchor.getInput()).getDimSize(3);
  double cache = double(target.getL2Bytes());
  bool far = shared && double(high * wide * weight.getDimSize(1) * floatBytes) > cache;
  WinogradShape shape{quern::getShape(wide, image.getDimSize(3)), high, shared};
  shape.contract.lines = lines;
  shape.contract.leftCost = far ? farCost : ContractShape().leftCost;
  shape.contract.keepCost = keepCost * double(points * wide * lines * PackedLayout::panelRows * floatBytes) / cache;
  return shape;
}

/// A task transforms its tiles itself, for all panels, where there are rows of tiles enough for tasks and the weights
/// stay in the second cache from one to the next; else all tiles come first, and those that do not fit that cache are
/// read from behind it once per group of panels.
static bool isShared(WinogradOp anchor, int64_t lines, TargetAttr target) {
  constexpr int64_t enoughTasks = 16, floatBytes = 4;
  int64_t high = llvm::divideCeil(getTensorType(anchor.getResult()).getDimSize(1), anchor.getTile()[0]);
  double bytes = double(getTensorType(anchor.getWeight()).getNumElements() * floatBytes);
  return llvm::divideCeil(high, lines) < enoughTasks || bytes > double(target.getL2Bytes()) / 2;
}

static double getCost(Tile tile, int64_t lines, const WinogradShape &shape) {
  return getCost(tile, shape.contract) * double(llvm::alignTo(shape.high, lines)) / double(shape.high);
}

Values chooseWinograd(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<WinogradOp>(kernel.getAnchor());
  Values best;
  double limit = std::numeric_limits<double>::max();
  for (int64_t lines : getLegal(kernel.getForm(), ScheduleKind::Processor, "lines")) {
    bool shared = isShared(anchor, lines, target);
    WinogradShape shape = getShape(anchor, lines, shared, target);
    Tile tile = chooseTile(shape.contract, target);
    double cost = getCost(tile, lines, shape);
    if (lines > shape.high || cost >= limit)
      continue;
    best = {tile.rows, lines, tile.vectors, shared};
    limit = cost;
  }
  return best;
}

double estimateWinograd(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  auto anchor = cast<WinogradOp>(kernel.getAnchor());
  Tile tile{values[0], values[2]};
  int64_t lines = values[1];
  bool shared = values[3] != 0;
  WinogradShape shape = getShape(anchor, lines, shared, target);
  if (!fits(tile, shape.contract, target) || lines > shape.high)
    return std::numeric_limits<double>::infinity();
  constexpr double otherPlace = 1.05;
  return getCost(tile, lines, shape) * (shared == isShared(anchor, lines, target) ? 1 : otherPlace);
}

Features describeWinograd(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  constexpr double floatBytes = 4;
  auto anchor = cast<WinogradOp>(kernel.getAnchor());
  auto weight = getTensorType(anchor.getWeight());
  int64_t lines = values[1];
  bool shared = values[3] != 0;
  WinogradShape shape = getShape(anchor, lines, shared, target);
  double cache = double(target.getL2Bytes()), weights = double(weight.getNumElements()) * floatBytes;
  // Of one row of tiles: all points of all channels.
  double tiles = double(shape.contract.rows * weight.getDimSize(1)) * floatBytes;
  int64_t rowTasks = llvm::divideCeil(shape.high, lines);
  int64_t tasks = shared ? rowTasks * llvm::divideCeil(shape.contract.panels, values[2]) : rowTasks;
  Features features;
  describeTile(features, {values[0], values[2]}, shape.contract, target);
  features.add("lines", std::log2(double(lines)));
  features.add("height waste", getWaste(shape.high, lines));
  features.add("tail", getTail(countImages(getTensorType(anchor.getResult())) * tasks));
  features.add("shared", shared);
  features.add("shared tiles", shared ? getExcess(double(shape.high) * tiles, cache, 1) : 0);
  features.add("own tiles", shared ? 0 : getExcess(double(lines) * tiles, cache, 2));
  features.add("own weights", shared ? 0 : getExcess(weights, cache, 2));
  return features;
}

} // namespace quern
