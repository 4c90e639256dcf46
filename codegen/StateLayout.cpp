//===- StateLayout.cpp - how a cache lies in memory -------------------------------------------===//

#include "codegen/StateLayout.h"

#include "runtime/include/quern/Format.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace quern::codegen {

static_assert(QUERN_SEQUENCE_ROWS % stateLanes == 0, "a sequence begins with a vector of rows");

llvm::SmallVector<BufferDim> getStateDims(RankedTensorType type) {
  int64_t groups = llvm::alignTo(type.getDimSize(0), stateChunk) / stateLanes, heads = type.getDimSize(1), size = type.getDimSize(2);
  return {{Dim::fixed(stateLanes), 1},
          {Dim::fixed(size), stateLanes},
          {Dim::fixed(groups), stateLanes * size},
          {Dim::fixed(heads), stateLanes * size * groups}};
}

int64_t getStateBytes(RankedTensorType type) {
  int64_t elements = 1;
  for (BufferDim dim : getStateDims(type))
    elements *= dim.extent.size();
  elements += (stateChunk - stateLanes) * type.getDimSize(2);
  return elements * type.getElementTypeBitWidth() / 8;
}

bool isState(BlockArgument argument) {
  return llvm::any_of(argument.getUses(), [](OpOperand &use) {
    if (auto append = dyn_cast<CacheAppendOp>(use.getOwner()))
      return &append.getCacheMutable() == &use;
    if (auto attend = dyn_cast<AttendOp>(use.getOwner()))
      return &attend.getKeysMutable() == &use || &attend.getValuesMutable() == &use;
    return false;
  });
}

} // namespace quern::codegen
