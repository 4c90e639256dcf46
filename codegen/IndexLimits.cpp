//===- IndexLimits.cpp - what indices may be ---------------------------------------------------===//

#include "codegen/IndexLimits.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace quern::codegen {

static bool areIndices(Type type) {
  if (auto buffer = dyn_cast<BufferType>(type))
    type = buffer.getTensor();
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && (tensor.getElementType().isInteger(32) || isa<PositionType>(tensor.getElementType()));
}

/// The table whose rows `use` chooses, or null.
static Value getIndexedTable(OpOperand &use) {
  if (auto gather = dyn_cast<GatherOp>(use.getOwner()))
    return &use == &gather.getIndicesMutable() ? gather.getTable() : Value();
  if (auto rope = dyn_cast<RopeOp>(use.getOwner()))
    return &use == &rope.getAtMutable() ? rope.getTable() : Value();
  return {};
}

/// The tables that a kernel indexes by its argument, or by what only moves that.
static SmallVector<Value> getIndexedTables(BlockArgument argument) {
  SmallVector<Value> tables;
  llvm::SetVector<Value> values;
  values.insert(argument);
  for (size_t i = 0; i < values.size(); ++i)
    for (OpOperand &use : values[i].getUses()) {
      if (Value table = getIndexedTable(use))
        tables.push_back(table);
      for (Value result : use.getOwner()->getResults())
        if (areIndices(result.getType()))
          values.insert(result);
    }
  return tables;
}

/// Limits of what `launch` reads as its input `index`.
static void addLimits(LaunchOp launch, size_t index, SmallVector<Dim> &limits) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
  for (Value table : getIndexedTables(kernel.getBody().getArgument(index))) {
    // Kernels are shared: the sizes of what it is given are the launch's.
    auto argument = dyn_cast<BlockArgument>(table);
    auto type = argument ? cast<BufferType>(launch.getInputs()[argument.getArgNumber()].getType()).getTensor()
                         : cast<RankedTensorType>(table.getType());
    Dim limit = getDims(type)[0];
    if (!llvm::is_contained(limits, limit))
      limits.push_back(limit);
  }
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
      if (launch && use.getOperandNumber() < launch.getInputs().size())
        addLimits(launch, use.getOperandNumber(), limits);
      for (Value output : launch ? ValueRange(launch.getOutputs()) : ValueRange(use.getOwner()->getResults()))
        addBuffer(output, buffers);
    }
  return limits;
}

} // namespace quern::codegen
