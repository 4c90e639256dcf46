//===- ConvSchedule.cpp - the schedule of a convolution ---------------------------------------===//

#include "passes/TensorType.h"
#include "passes/tile/Heuristics.h"
#include "passes/tile/Tiles.h"

#include "dialect/PackedLayout.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace quern {

Values chooseConv(KernelOp kernel, TargetAttr target) {
  auto image = getTensorType(cast<Conv2dOp>(kernel.getAnchor()).getResult());
  ContractShape shape = getShape(image.getDimSize(2), image.getDimSize(3));
  Tile tile = chooseTile(shape, target);
  return {tile.rows, tile.vectors, chooseLines(image.getDimSize(1), llvm::divideCeil(shape.panels, tile.vectors))};
}

double estimateConv(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  auto image = getTensorType(cast<Conv2dOp>(kernel.getAnchor()).getResult());
  ContractShape shape = getShape(image.getDimSize(2), image.getDimSize(3));
  Tile tile{values[0], values[1]};
  if (!fits(tile, shape, target) || values[2] >= 2 * image.getDimSize(1))
    return std::numeric_limits<double>::infinity();
  int64_t lines = chooseLines(image.getDimSize(1), llvm::divideCeil(shape.panels, tile.vectors));
  return getCost(tile, shape) * estimateByDistance(kernel.getForm(), {values[0], values[1], lines}, values);
}

Features describeConv(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  constexpr double floatBytes = 4;
  auto anchor = cast<Conv2dOp>(kernel.getAnchor());
  auto image = getTensorType(anchor.getResult()), source = getTensorType(anchor.getInput());
  ContractShape shape = getShape(image.getDimSize(2), image.getDimSize(3));
  int64_t groups = llvm::divideCeil(shape.panels, values[1]);
  double cache = double(target.getL2Bytes()), depth = double(getTensorType(anchor.getWeight()).getDimSize(1));
  double weights = double(values[1] * PackedLayout::panelRows) * depth * floatBytes;
  double lines = double(values[2] * source.getDimSize(1)) / double(image.getDimSize(1));
  double pixels = lines * double(source.getDimSize(2) * source.getDimSize(3)) * floatBytes;
  Features features;
  describeTile(features, {values[0], values[1]}, shape, target);
  features.add("task", std::log2(double(values[2])));
  features.add("tail", getTail(countImages(image) * groups * llvm::divideCeil(image.getDimSize(1), values[2])));
  features.add("height waste", getWaste(image.getDimSize(1), values[2]));
  features.add("weights", getExcess(weights, cache, 2));
  features.add("pixels", getExcess(pixels, cache, 2));
  return features;
}

} // namespace quern
