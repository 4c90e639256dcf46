//===- ContractSchedule.cpp - the schedule of a product by weights ----------------------------===//

#include "passes/TensorType.h"
#include "passes/tile/Heuristics.h"
#include "passes/tile/Tiles.h"

#include "dialect/Shapes.h"

#include <limits>

using namespace mlir;

namespace quern {

Values chooseContract(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  ContractShape shape = getShape(anchor);
  Tile tile = chooseTile(shape, target);
  return {tile.rows, tile.vectors, choosePanels(anchor, shape, tile),
          choosePrefetch(getTensorType(anchor.getLhs()), target)};
}

double estimateContract(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  ContractShape shape = getShape(anchor);
  Tile tile{values[0], values[1]};
  int64_t panels = values[2], prefetch = values[3];
  if (!isWorthTrying(tile, panels, prefetch, anchor, target))
    return std::numeric_limits<double>::infinity();
  // Which distance is best the machine knows better than a model of it.
  constexpr double otherDistance = 1.01;
  bool isUsual = prefetch == choosePrefetch(getTensorType(anchor.getLhs()), target);
  return getCost(tile, shape) * getTaskCost(panels, anchor, shape) * (isUsual ? 1 : otherDistance);
}

Features describeContract(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  ContractShape shape = getShape(anchor);
  Features features(areFew(getTensorType(anchor.getLhs())) ? "few" : "");
  describeTile(features, {values[0], values[1]}, shape, target);
  describeTask(features, values[2], values[3], anchor, shape, target);
  return features;
}

} // namespace quern
