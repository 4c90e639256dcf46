//===- Prefetch.cpp - loops that ask for memory ahead of time ----------------------------------===//

#include "codegen/Prefetch.h"

#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace quern::codegen {

static constexpr int64_t lineBytes = 64;

/// Bytes that a load must have to be one of a stream: numbers for all lanes are not.
static constexpr uint64_t leastBytes = 32;

namespace {

/// The analyses of one function.
struct Analyses {
  explicit Analyses(Function &function)
      : libraryImpl(function.getParent()->getTargetTriple()), library(libraryImpl), assumptions(function),
        dominators(function), loops(dominators), evolution(function, library, assumptions, dominators, loops) {}

  TargetLibraryInfoImpl libraryImpl;
  TargetLibraryInfo library;
  AssumptionCache assumptions;
  DominatorTree dominators;
  LoopInfo loops;
  ScalarEvolution evolution;
};

} // namespace

/// The address of `load` where it grows by a fixed number of bytes with each iteration of `loop`.
static const SCEVAddRecExpr *getStream(LoadInst &load, const Loop &loop, ScalarEvolution &evolution) {
  if (load.getModule()->getDataLayout().getTypeStoreSize(load.getType()).getFixedValue() < leastBytes)
    return nullptr;
  auto *address = dyn_cast<SCEVAddRecExpr>(evolution.getSCEV(load.getPointerOperand()));
  if (!address || address->getLoop() != &loop || !address->isAffine())
    return nullptr;
  auto *step = dyn_cast<SCEVConstant>(address->getStepRecurrence(evolution));
  return step && step->getAPInt().isStrictlyPositive() ? address : nullptr;
}

static void prefetchLoop(const Loop &loop, ScalarEvolution &evolution, int64_t distance) {
  SmallVector<const SCEVAddRecExpr *> prefetched;
  auto isPrefetched = [&](const SCEVAddRecExpr *address) {
    return any_of(prefetched, [&](const SCEVAddRecExpr *other) {
      auto *difference = dyn_cast<SCEVConstant>(evolution.getMinusSCEV(address, other));
      return difference && difference->getAPInt().abs().ult(lineBytes);
    });
  };
  SmallVector<LoadInst *> loads;
  for (BasicBlock *block : loop.blocks())
    for (Instruction &instruction : *block)
      if (auto *load = dyn_cast<LoadInst>(&instruction))
        loads.push_back(load);
  for (LoadInst *load : loads) {
    const SCEVAddRecExpr *address = getStream(*load, loop, evolution);
    if (!address || isPrefetched(address))
      continue;
    prefetched.push_back(address);
    IRBuilder<> builder(load);
    Value *ahead = builder.CreateConstGEP1_64(builder.getInt8Ty(), load->getPointerOperand(), distance);
    // To be read, soon again, as data.
    builder.CreateIntrinsic(Intrinsic::prefetch, {ahead->getType()},
                            {ahead, builder.getInt32(0), builder.getInt32(3), builder.getInt32(1)});
  }
}

void prefetchStreams(Function &function, int64_t distance) {
  if (function.isDeclaration())
    return;
  Analyses analyses(function);
  for (Loop *loop : analyses.loops.getLoopsInPreorder())
    if (loop->isInnermost())
      prefetchLoop(*loop, analyses.evolution, distance);
}

} // namespace quern::codegen
