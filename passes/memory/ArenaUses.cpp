//===- ArenaUses.cpp - when a program's buffers are in use ------------------------------------===//

#include "passes/memory/ArenaUses.h"
#include "passes/memory/ArenaPlanner.h"

#include "llvm/Support/MathExtras.h"

#include <map>

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
    auto writer = dyn_cast<ProgramStepOpInterface>(op);
    if (!writer)
      continue;
    for (Value input : writer.getRead()) {
      auto arena = dyn_cast_or_null<ArenaOp>(getSource(input));
      if (!arena)
        continue;
      auto place = places.find(arena);
      if (place == places.end()) {
        op.emitOpError("reads a buffer that nothing wrote").attachNote(arena.getLoc()) << "the buffer";
        return failure();
      }
      uses[place->second].last = step;
    }
    for (Value output : writer.getWritten()) {
      auto arena = dyn_cast_or_null<ArenaOp>(getSource(output));
      if (!arena)
        continue;
      auto [place, isNew] = places.try_emplace(arena, uses.size());
      if (isNew)
        uses.push_back({arena, int64_t(step), int64_t(step)});
      uses[place->second].last = step;
    }
  }
  return uses;
}

int64_t getLeastArena(ArrayRef<ArenaUse> uses) {
  // What begins and ends at a step.
  std::map<int64_t, int64_t> changes;
  for (ArenaUse use : uses) {
    int64_t bytes = llvm::alignTo(use.arena.getBytes(), kArenaAlignment);
    changes[use.first] += bytes;
    changes[use.last + 1] -= bytes;
  }
  int64_t least = 0, bytes = 0;
  for (auto [step, change] : changes)
    least = std::max(least, bytes += change);
  return least;
}

} // namespace quern
