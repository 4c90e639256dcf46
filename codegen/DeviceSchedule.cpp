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

/// What comes of a variable of a domain is one, too; Halide wants other names for these.
static VarOrRVar makeVar(const std::string &name, bool isReduced) {
  return isReduced ? VarOrRVar(RVar("domain_" + name)) : VarOrRVar(Var(name));
}

/// Makes one loop of those of `threads`, around those of `serial`.
static VarOrRVar fuse(Stage stage, ArrayRef<VarOrRVar> threads, ArrayRef<VarOrRVar> serial) {
  std::vector<VarOrRVar> order(serial.begin(), serial.end());
  order.insert(order.end(), threads.begin(), threads.end());
  if (order.size() > 1)
    stage.reorder(order);
  VarOrRVar all = threads.front();
  for (size_t i = 1; i < threads.size(); ++i) {
    VarOrRVar fused = makeVar("fused" + std::to_string(i), all.is_rvar || threads[i].is_rvar);
    stage.fuse(all, threads[i], fused);
    all = fused;
  }
  return all;
}

void DeviceSchedule::spread(Stage stage, ArrayRef<VarOrRVar> threads, ArrayRef<VarOrRVar> serial) const {
  if (threads.empty()) {
    stage.gpu_single_thread();
    return;
  }
  VarOrRVar all = fuse(stage, threads, serial);
  stage.gpu_tile(all, makeVar("block", all.is_rvar), makeVar("thread", all.is_rvar), blockThreads,
                 TailStrategy::GuardWithIf);
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

DeviceSchedule::Block DeviceSchedule::spreadTiles(Func func, ArrayRef<Side> sides) const {
  Stage stage(func);
  SmallVector<VarOrRVar> threads, turns, blocks;
  for (const Side &side : sides) {
    const std::string &name = side.var.name();
    Var tile(name + "_tile"), within(name + "_within"), turn(name + "_turn");
    stage.split(side.var, tile, within, side.size, TailStrategy::GuardWithIf);
    threads.push_back(within);
    if (side.turns > 1) {
      stage.split(tile, tile, turn, side.turns, TailStrategy::GuardWithIf);
      turns.push_back(turn);
    }
    blocks.insert(blocks.begin(), tile);
  }
  for (const Var &var : func.args())
    if (llvm::none_of(sides, [&](const Side &side) { return side.var.name() == var.name(); }))
      blocks.push_back(var);
  return spreadBlocks(func, stage, threads, turns, blocks);
}

DeviceSchedule::Block DeviceSchedule::spreadBlocks(Func func, const Var &inner) const {
  SmallVector<VarOrRVar> blocks;
  for (const Var &var : func.args())
    if (var.name() != inner.name())
      blocks.push_back(var);
  return spreadBlocks(func, Stage(func), {inner}, {}, blocks);
}

DeviceSchedule::Block DeviceSchedule::spreadWrites(Func func, ArrayRef<VarOrRVar> threads, const RVar &turn,
                                                   ArrayRef<VarOrRVar> blocks) const {
  std::vector<Var> args = func.args();
  spread(Stage(func), SmallVector<VarOrRVar>(args.begin(), args.end()), {});
  Stage update = func.update();
  update.allow_race_conditions();
  return spreadBlocks(func, update, threads, {turn}, blocks);
}

DeviceSchedule::Block DeviceSchedule::spreadBlocks(Func func, Stage stage, ArrayRef<VarOrRVar> threads,
                                                   ArrayRef<VarOrRVar> turns, ArrayRef<VarOrRVar> blocks) const {
  func.compute_root();
  VarOrRVar all = fuse(stage, threads, {});
  VarOrRVar part = makeVar("part", all.is_rvar), thread = makeVar("thread", all.is_rvar);
  stage.split(all, part, thread, blockThreads, TailStrategy::GuardWithIf);
  SmallVector<VarOrRVar> serial = {thread, part};
  serial.append(turns.begin(), turns.end());
  VarOrRVar of = fuse(stage, blocks, serial);
  // A name that the caller knows.
  VarOrRVar block = makeVar("block", of.is_rvar);
  stage.rename(of, block);
  stage.gpu_blocks(block).gpu_threads(thread);
  return Block(func, block, turns.empty() ? block : turns.front());
}

void DeviceSchedule::spreadWithin(Func func, const Block &block, ArrayRef<VarOrRVar> threads,
                                  ArrayRef<VarOrRVar> serial) const {
  func.compute_at(LoopLevel(block.consumer, block.loop)).store_in(MemoryType::GPUShared);
  if (!threads.empty())
    spreadUpdate(Stage(func), threads, serial);
}

void DeviceSchedule::spreadUpdate(Stage stage, ArrayRef<VarOrRVar> threads, ArrayRef<VarOrRVar> serial) const {
  if (llvm::any_of(threads, [](const VarOrRVar &var) { return var.is_rvar; }))
    stage.allow_race_conditions();
  VarOrRVar all = fuse(stage, threads, serial);
  VarOrRVar turn = makeVar("turn", all.is_rvar), thread = makeVar("thread", all.is_rvar);
  stage.split(all, turn, thread, blockThreads, TailStrategy::GuardWithIf).gpu_threads(thread);
}

void DeviceSchedule::keepInThread(Func func, Func consumer) const {
  func.compute_at(consumer, Var("thread")).store_in(MemoryType::Register);
}

} // namespace quern::codegen
