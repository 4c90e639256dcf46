//===- RoutedLaunches.cpp - where a program chooses among weights -----------------------------===//

#include "codegen/RoutedLaunches.h"

using namespace mlir;

namespace quern::codegen {

/// What `launch` reads where its kernel has `argument`.
static Value getBuffer(LaunchOp launch, Value argument) {
  return launch.getInputs()[cast<BlockArgument>(argument).getArgNumber()];
}

static ArenaOp getArena(Value buffer) {
  while (auto alias = buffer.getDefiningOp<AliasOp>())
    buffer = alias.getSource();
  return buffer.getDefiningOp<ArenaOp>();
}

/// The array whose experts the product by the buffer `weight` reads; empty where that is not known.
static StringRef getArray(Value weight) {
  auto buffer = weight.getDefiningOp<ParamBufferOp>();
  auto parameter =
      buffer ? SymbolTable::lookupNearestSymbolFrom<ParameterOp>(buffer, buffer.getParameterAttr()) : ParameterOp();
  return parameter ? findExpertArray(parameter) : StringRef();
}

SmallVector<RoutedLaunches> getRoutedLaunches(ProgramOp program) {
  SmallVector<RoutedLaunches> routed;
  // By the memory that they write, the launches, and by the begins of groups the elements of `routed`.
  llvm::DenseMap<Operation *, unsigned> writers;
  llvm::DenseMap<Operation *, size_t> known;
  for (auto [i, launch] : llvm::enumerate(program.getBody().getOps<LaunchOp>())) {
    for (Value output : launch.getOutputs())
      if (ArenaOp arena = getArena(output))
        writers[arena] = i;
    auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(program, launch.getKernelAttr());
    auto matmul = dyn_cast_or_null<MatmulOp>(kernel.getAnchor());
    if (!matmul || !matmul.isGrouped())
      continue;
    ArenaOp order = getArena(getBuffer(launch, matmul.getOrder())),
            begins = getArena(getBuffer(launch, matmul.getBegins()));
    if (!order || !begins || !writers.contains(begins))
      continue;
    auto [place, isNew] = known.try_emplace(begins, routed.size());
    if (isNew) {
      SmallVector<Dim> dims = getDims(order.getResult().getType().getTensor());
      routed.push_back({getArray(getBuffer(launch, matmul.getWeight())),
                        matmul.getNumGroups(),
                        dims[0],
                        dims[1].size(),
                        writers.lookup(begins),
                        {},
                        order.getOffset(),
                        begins.getOffset()});
    }
    routed[place->second].readers.push_back(i);
  }
  return routed;
}

} // namespace quern::codegen
