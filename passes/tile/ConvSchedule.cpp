//===- ConvSchedule.cpp - the schedule of a convolution ---------------------------------------===//

#include "passes/TensorType.h"
#include "passes/tile/Heuristics.h"
#include "passes/tile/Tiles.h"

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

} // namespace quern
