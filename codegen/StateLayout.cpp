//===- StateLayout.cpp - how a cache lies in memory -------------------------------------------===//

#include "codegen/StateLayout.h"

#include "dialect/CacheLayout.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace quern::codegen {

static_assert(QUERN_SEQUENCE_ROWS % stateLanes == 0 && statePage % stateLanes == 0,
              "a sequence begins with a vector of rows");

llvm::SmallVector<BufferDim> getStateDims(RankedTensorType type, CacheLayout layout) {
  int64_t heads = type.getDimSize(1), size = type.getDimSize(2);
  bool rows = layout == CacheLayout::Rows;
  return {{Dim::fixed(stateLanes), rows ? size : 1},
          {Dim::fixed(size), rows ? 1 : stateLanes},
          {Dim::fixed(statePage / stateLanes), stateLanes * size},
          {Dim::fixed(heads), statePage * size},
          {Dim::fixed(llvm::divideCeil(type.getDimSize(0), statePage)), statePage * size * heads, {}, true}};
}

int64_t getCacheBytes(RankedTensorType type) {
  int64_t elements = 1;
  for (BufferDim dim : getStateDims(type, CacheLayout::Lanes))
    elements *= dim.extent.size();
  return elements * type.getElementTypeBitWidth() / 8;
}

int64_t getStateBytes(StateOp state) {
  RankedTensorType type = state.getTensorType();
  return state.isCache() ? getCacheBytes(type) : type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

std::optional<CacheLayout> getCacheLayout(BlockArgument argument) {
  for (OpOperand &use : argument.getUses()) {
    if (isPlain(use.getOwner()))
      continue;
    auto append = dyn_cast<CacheAppendOp>(use.getOwner());
    if (append && &append.getCacheMutable() == &use)
      return append.getLayout();
    auto attend = dyn_cast<AttendOp>(use.getOwner());
    if (attend && &attend.getKeysMutable() == &use)
      return CacheLayout::Lanes;
    if (attend && &attend.getValuesMutable() == &use)
      return attend.getLayout();
  }
  return std::nullopt;
}

llvm::StringMap<CacheLayout> getStateLayouts(ModuleOp module) {
  llvm::StringMap<CacheLayout> layouts;
  SymbolTable symbols(module);
  module.walk([&](StateBufferOp buffer) {
    for (OpOperand &use : buffer->getUses()) {
      auto launch = dyn_cast<LaunchOp>(use.getOwner());
      if (!launch)
        continue;
      auto kernel = symbols.lookup<KernelOp>(launch.getKernel());
      unsigned inputs = launch.getInputs().size(), operand = use.getOperandNumber();
      BlockArgument argument =
          operand < inputs ? kernel.getInputArguments()[operand] : kernel.getDestination(operand - inputs);
      if (std::optional<CacheLayout> layout = argument ? getCacheLayout(argument) : std::nullopt)
        layouts[buffer.getState()] = *layout;
    }
  });
  return layouts;
}

} // namespace quern::codegen
