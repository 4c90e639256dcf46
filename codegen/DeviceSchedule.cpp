//===- DeviceSchedule.cpp - functions as the launches of a device -----------------------------===//

#include "codegen/DeviceSchedule.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace Halide;
using llvm::ArrayRef;
using llvm::SmallVector;

namespace quern::codegen {

/// Update `update` of `func`: the arguments that it writes for all their values.
static SmallVector<VarOrRVar> findPure(Func func, int update) {
  SmallVector<VarOrRVar> pure;
  std::vector<Expr> written = func.update_args(update);
  for (auto [var, place] : llvm::zip_equal(func.args(), written))
    if (const auto *variable = place.as<Internal::Variable>(); variable && variable->name == var.name())
      pure.push_back(var);
  return pure;
}

/// The variables of the domain of update `update` but `parallel`.
static SmallVector<VarOrRVar> findSerial(Func func, int update, ArrayRef<RVar> parallel) {
  SmallVector<VarOrRVar> serial;
  for (const RVar &var : func.rvars(update))
    if (llvm::none_of(parallel, [&](const RVar &other) { return other.name() == var.name(); }))
      serial.push_back(var);
  return serial;
}

void DeviceSchedule::spread(Stage stage, ArrayRef<VarOrRVar> threads, ArrayRef<VarOrRVar> serial) const {
  if (threads.empty()) {
    stage.gpu_single_thread();
    return;
  }
  std::vector<VarOrRVar> order(serial.begin(), serial.end());
  order.insert(order.end(), threads.begin(), threads.end());
  if (order.size() > 1)
    stage.reorder(order);
  // What comes of a variable of a domain is one, too; Halide wants other names for these.
  auto makeVar = [](const std::string &name, bool isReduced) {
    return isReduced ? VarOrRVar(RVar("domain_" + name)) : VarOrRVar(Var(name));
  };
  VarOrRVar all = threads.front();
  for (size_t i = 1; i < threads.size(); ++i) {
    VarOrRVar fused = makeVar("fused" + std::to_string(i), all.is_rvar || threads[i].is_rvar);
    stage.fuse(all, threads[i], fused);
    all = fused;
  }
  stage.gpu_tile(all, makeVar("block", all.is_rvar), makeVar("thread", all.is_rvar), blockThreads, TailStrategy::GuardWithIf);
}

void DeviceSchedule::spread(Func func) const { spreadWrites(func, {}); }

void DeviceSchedule::spreadWrites(Func func, ArrayRef<RVar> parallel) const {
  func.compute_root();
  std::vector<Var> args = func.args();
  spread(Stage(func), SmallVector<VarOrRVar>(args.begin(), args.end()), {});
  for (int update = 0; update < func.num_update_definitions(); ++update) {
    Stage stage = func.update(update);
    SmallVector<VarOrRVar> threads = findPure(func, update);
    if (!parallel.empty())
      stage.allow_race_conditions();
    for (const RVar &var : parallel)
      threads.push_back(var);
    spread(stage, threads, findSerial(func, update, parallel));
  }
}

} // namespace quern::codegen
