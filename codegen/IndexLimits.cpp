//===- IndexLimits.cpp - what indices may be ---------------------------------------------------===//

#include "codegen/IndexLimits.h"

#include "llvm/ADT/SetVector.h"

#include <optional>

using namespace mlir;

namespace quern::codegen {

static bool areIndices(Type type) {
  if (auto buffer = dyn_cast<BufferType>(type))
    type = buffer.getTensor();
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && (tensor.getElementType().isInteger(32) || isa<PositionType>(tensor.getElementType()));
}

namespace {

/// What becomes of the indices that a kernel has as an argument.
struct IndexUses {
  /// What they lie below.
  SmallVector<Dim> limits;
  /// The results that hold some of them.
  SmallVector<unsigned> results;
};

} // namespace

/// What a kernel indexes by its argument, or by what only moves that; what is chosen of a table are the table's
/// elements.
static IndexUses getIndexUses(BlockArgument argument) {
  IndexUses found;
  llvm::SetVector<Value> values;
  values.insert(argument);
  for (size_t i = 0; i < values.size(); ++i)
    for (OpOperand &use : values[i].getUses()) {
      if (isa<YieldOp>(use.getOwner()) && isa<KernelOp>(use.getOwner()->getParentOp()))
        found.results.push_back(use.getOperandNumber());
      auto indexing = dyn_cast<IndexingOpInterface>(use.getOwner());
      if (std::optional<Dim> limit = indexing ? indexing.getIndexLimit(use) : std::nullopt) {
        found.limits.push_back(*limit);
        continue;
      }
      for (Value result : use.getOwner()->getResults())
        if (areIndices(result.getType()))
          values.insert(result);
    }
  return found;
}

/// A buffer that holds indices, and those that it lies in.
static void addBuffer(Value buffer, llvm::SetVector<Value> &buffers) {
  if (!areIndices(buffer.getType()))
    return;
  while (buffers.insert(buffer)) {
    if (auto part = buffer.getDefiningOp<PartOp>())
      buffer = part.getSource();
    else if (auto alias = buffer.getDefiningOp<AliasOp>())
      buffer = alias.getSource();
  }
}

SmallVector<Dim> getIndexLimits(ProgramOp program, BlockArgument argument) {
  SmallVector<Dim> limits;
  llvm::SetVector<Value> buffers;
  addBuffer(argument, buffers);
  for (size_t i = 0; i < buffers.size(); ++i)
    for (OpOperand &use : buffers[i].getUses()) {
      auto launch = dyn_cast<LaunchOp>(use.getOwner());
      if (!launch) {
        for (Value output : use.getOwner()->getResults())
          addBuffer(output, buffers);
        continue;
      }
      if (use.getOperandNumber() >= launch.getInputs().size())
        continue;
      auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
      IndexUses uses = getIndexUses(kernel.getInputArguments()[use.getOperandNumber()]);
      for (Dim limit : uses.limits)
        if (!llvm::is_contained(limits, limit))
          limits.push_back(limit);
      for (unsigned result : uses.results)
        addBuffer(launch.getOutputs()[result], buffers);
    }
  return limits;
}

} // namespace quern::codegen
