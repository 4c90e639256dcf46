//===- States.cpp - which state a value is ------------------------------------------------------===//

#include "passes/States.h"

using namespace mlir;

namespace quern {

StringAttr getState(Value cache) {
  while (auto append = cache.getDefiningOp<CacheAppendOp>())
    cache = append.getCache();
  auto state = cache.getDefiningOp<StateRefOp>();
  return state ? state.getStateAttr().getAttr() : StringAttr();
}

} // namespace quern
