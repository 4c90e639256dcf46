//===- ArenaUses.h - when a program's buffers are in use --------------------------------------===//

#ifndef QUERN_PASSES_MEMORY_ARENAUSES_H
#define QUERN_PASSES_MEMORY_ARENAUSES_H

#include "dialect/Ops.h"

namespace quern {

/// A buffer of the arena, and the first and the last launch, counted as ops of the program, between which it is in use.
struct ArenaUse {
  ArenaOp arena;
  int64_t first;
  int64_t last;
};

/// The op that names the memory of `buffer`, or of what it is a part of; null for an argument of the program.
mlir::Operation *getSource(mlir::Value buffer);

/// The uses of the arena's buffers, in the order of their first launches;
/// an error at a launch that reads what nothing wrote.
mlir::FailureOr<llvm::SmallVector<ArenaUse>> collectArenaUses(ProgramOp program);

/// The most bytes that are in use at one launch: no arena for these launches, in this order, can be smaller.
int64_t getLeastArena(llvm::ArrayRef<ArenaUse> uses);

} // namespace quern

#endif // QUERN_PASSES_MEMORY_ARENAUSES_H
