//===- States.cpp - which state a value is ------------------------------------------------------===//

#include "passes/States.h"

#include "passes/TensorType.h"

#include "dialect/Destination.h"

using namespace mlir;

namespace quern {

StringAttr getState(Value cache) {
  while (OpOperand *destination = getDestination(cache))
    cache = destination->get();
  auto state = cache.getDefiningOp<StateRefOp>();
  return state ? state.getStateAttr().getAttr() : StringAttr();
}

bool isCacheUse(OpOperand &use) {
  if (auto append = dyn_cast<CacheAppendOp>(use.getOwner()))
    return &append.getCacheMutable() == &use;
  auto attend = dyn_cast<AttendOp>(use.getOwner());
  return attend && (&attend.getKeysMutable() == &use || &attend.getValuesMutable() == &use);
}

/// The values of `states`, in all entries.
static SmallVector<Value> getValues(ModuleOp module, const llvm::DenseSet<StringAttr> &states) {
  SmallVector<Value> values;
  module.walk([&](Operation *op) {
    for (Value result : op->getResults())
      if ((isa<StateRefOp>(op) || getDestination(result)) && states.contains(getState(result)))
        values.push_back(result);
  });
  return values;
}

bool areCaches(ModuleOp module, const llvm::DenseSet<StringAttr> &states) {
  return llvm::all_of(getValues(module, states), [](Value value) { return llvm::all_of(value.getUses(), isCacheUse); });
}

void setElements(ModuleOp module, const llvm::DenseSet<StringAttr> &states, Type element) {
  for (Value value : getValues(module, states))
    value.setType(getTensorType(value).clone(element));
  for (auto state : module.getOps<StateOp>())
    if (states.contains(state.getSymNameAttr()))
      state.setType(state.getTensorType().clone(element));
}

} // namespace quern
