//===- AssignCacheLayouts.cpp - how each cache lies in memory ---------------------------------===//

#include "passes/Passes.h"
#include "passes/States.h"

#include "dialect/CacheLayout.h"
#include "dialect/Destination.h"
#include "dialect/Ops.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_ASSIGNCACHELAYOUTSPASS
#include "passes/Passes.h.inc"

namespace {

struct AssignCacheLayoutsPass : impl::AssignCacheLayoutsPassBase<AssignCacheLayoutsPass> {
  void runOnOperation() override {
    llvm::DenseSet<StringAttr> keys, values;
    getOperation().walk([&](AttendOp attend) {
      keys.insert(getState(attend.getKeys()));
      values.insert(getState(attend.getValues()));
    });
    llvm::DenseSet<StringAttr> plain = findPlain();
    auto assign = [&](auto op, Value cache) {
      StringAttr state = getState(cache);
      if (!state || plain.contains(state))
        op->setAttr(plainCacheAttr, UnitAttr::get(&getContext()));
      else if (values.contains(state) && !keys.contains(state))
        op.setLayout(CacheLayout::Rows);
    };
    getOperation().walk([&](AttendOp attend) { assign(attend, attend.getValues()); });
    getOperation().walk([&](CacheAppendOp append) { assign(append, append.getCache()); });
  }

private:
  /// The states that are plain: those that something else reads,
  /// and those that one attention reads beside what is plain.
  llvm::DenseSet<StringAttr> findPlain() {
    llvm::DenseSet<StringAttr> plain;
    getOperation().walk([&](Operation *op) {
      if ((isa<StateRefOp>(op) || writesInPlace(op)) && !llvm::all_of(op->getUses(), isCacheUse))
        plain.insert(getState(op->getResult(0)));
    });
    auto isPlain = [&](Value cache) {
      StringAttr state = getState(cache);
      return !state || plain.contains(state);
    };
    for (size_t known = ~size_t(0); known != plain.size();) {
      known = plain.size();
      getOperation().walk([&](AttendOp attend) {
        for (auto [cache, other] :
             {std::pair(attend.getKeys(), attend.getValues()), {attend.getValues(), attend.getKeys()}})
          if (StringAttr state = getState(cache); state && isPlain(other))
            plain.insert(state);
      });
    }
    return plain;
  }
};

} // namespace

} // namespace quern
