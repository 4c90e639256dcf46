//===- ExpertsSchedule.cpp - the schedule of products by chosen weights -----------------------===//

#include "passes/TensorType.h"
#include "passes/tile/Heuristics.h"
#include "passes/tile/Tiles.h"

#include "dialect/PackedLayout.h"

#include <limits>

using namespace mlir;

namespace quern {

/// How many panels a task computes of many slots of several groups. Each task reads the left side of all slots from
/// behind the second cache, so there are as few tasks as several threads share evenly; its panels are read again by
/// each tile, and take half of that cache at most.
static int64_t chooseGroupedPanels(MatmulOp anchor, const ContractShape &shape, Tile tile, TargetAttr target) {
  constexpr int64_t enoughTasks = 16;
  int64_t columns = getTensorType(anchor.getWeight()).getDimSize(1) * shape.matmuls;
  int64_t panelBytes = std::max<int64_t>(1, PackedLayout::panelRows * columns * shape.weightBits / 8);
  int64_t most = std::min<int64_t>(target.getL2Bytes() / 2 / panelBytes, shape.panels / enoughTasks);
  int64_t best = tile.vectors;
  for (int64_t panels : getLegal(anchor.getKernelForm(), ScheduleKind::Processor, "panels"))
    if (panels % tile.vectors == 0 && panels <= most)
      best = panels;
  return best;
}

/// As a contraction whose rows are the slots of one group: of few rows each may have chosen it once.
Values chooseExperts(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  ContractShape shape = getShape(anchor);
  Tile tile = chooseTile(shape, target);
  int64_t panels =
      shape.rowsKnown ? choosePanels(anchor, shape, tile) : chooseGroupedPanels(anchor, shape, tile, target);
  return {tile.rows, tile.vectors, panels, choosePrefetch(getTensorType(anchor.getLhs()), target)};
}

double estimateExperts(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  ContractShape shape = getShape(anchor);
  Tile tile{values[0], values[1]};
  if (!isWorthTrying(tile, values[2], values[3], anchor, target))
    return std::numeric_limits<double>::infinity();
  Values chosen = chooseExperts(kernel, target);
  return getCost(tile, shape) *
         estimateByDistance(kernel.getForm(), {values[0], values[1], chosen[2], chosen[3]}, values);
}

Features describeExperts(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return describeContract(kernel, values, target);
}

} // namespace quern
