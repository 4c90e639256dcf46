//===- AssignCacheLayouts.cpp - how each cache lies in memory ---------------------------------===//

#include "passes/Passes.h"
#include "passes/States.h"

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
    auto getLayout = [&](Value cache) {
      StringAttr state = getState(cache);
      return state && values.contains(state) && !keys.contains(state) ? CacheLayout::Rows : CacheLayout::Lanes;
    };
    getOperation().walk([&](AttendOp attend) { attend.setLayout(getLayout(attend.getValues())); });
    getOperation().walk([&](CacheAppendOp append) { append.setLayout(getLayout(append.getCache())); });
  }
};

} // namespace

} // namespace quern
