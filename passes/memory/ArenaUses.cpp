//===- ArenaUses.cpp - when a program's buffers are in use ------------------------------------===//

#include "passes/memory/ArenaUses.h"
#include "passes/memory/ArenaPlanner.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace quern {

Operation *getSource(Value buffer) {
  while (isa_and_nonnull<AliasOp, PartOp>(buffer.getDefiningOp()))
    buffer = buffer.getDefiningOp()->getOperand(0);
  return buffer.getDefiningOp();
}

FailureOr<SmallVector<ArenaUse>> collectArenaUses(ProgramOp program) {
  SmallVector<ArenaUse> uses;
  llvm::DenseMap<Operation *, size_t> places;
  for (auto [step, op] : llvm::enumerate(program.getBody().front())) {
    auto launch = dyn_cast<LaunchOp>(op);
    if (!launch)
      continue;
    for (Value input : launch.getInputs()) {
      auto arena = dyn_cast_or_null<ArenaOp>(getSource(input));
      if (!arena)
        continue;
      auto place = places.find(arena);
      if (place == places.end()) {
        launch.emitOpError("reads a buffer that nothing wrote").attachNote(arena.getLoc()) << "the buffer";
        return failure();
      }
      uses[place->second].last = step;
    }
    auto arena = dyn_cast_or_null<ArenaOp>(getSource(launch.getOutputs().front()));
    if (!arena)
      continue;
    auto [place, isNew] = places.try_emplace(arena, uses.size());
    if (isNew)
      uses.push_back({arena, int64_t(step), int64_t(step)});
    uses[place->second].last = step;
  }
  return uses;
}

int64_t getLeastArena(ArrayRef<ArenaUse> uses) {
  int64_t least = 0;
  for (ArenaUse begun : uses) {
    int64_t bytes = 0;
    for (ArenaUse use : uses)
      if (use.first <= begun.first && begun.first <= use.last)
        bytes += llvm::alignTo(ArenaOp(use.arena).getBytes(), kArenaAlignment);
    least = std::max(least, bytes);
  }
  return least;
}

} // namespace quern
