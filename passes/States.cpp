//===- States.cpp - which state a value is ------------------------------------------------------===//

#include "passes/States.h"

#include "passes/TensorType.h"

using namespace mlir;

namespace quern {

StringAttr getState(Value cache) {
  while (auto append = cache.getDefiningOp<CacheAppendOp>())
    cache = append.getCache();
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
    if (isa<StateRefOp, CacheAppendOp>(op) && states.contains(getState(op->getResult(0))))
      values.push_back(op->getResult(0));
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
