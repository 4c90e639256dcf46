//===- RoutedLaunches.h - where a program chooses among weights -------------------------------===//

#ifndef QUERN_CODEGEN_ROUTEDLAUNCHES_H
#define QUERN_CODEGEN_ROUTEDLAUNCHES_H

#include "dialect/ExpertUse.h"

namespace quern::codegen {

/// A launch of a program that sorts what rows chose, and those that read the weights.
struct RoutedLaunches {
  /// The array of experts (dialect/ExpertUse.h).
  llvm::StringRef array;
  int64_t experts = 0;
  /// How many rows choose, and how many experts each.
  Dim rows = Dim::fixed(0);
  int64_t slots = 0;
  /// Indices of launches in their program.
  unsigned launch = 0;
  llvm::SmallVector<unsigned> readers;
  /// Where in the arena the results of `quern.group_rows` lie.
  uint64_t order = 0, begins = 0;
};

/// Those of `program`, in the order of the launches; none of slots that do not lie in the arena.
llvm::SmallVector<RoutedLaunches> getRoutedLaunches(ProgramOp program);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_ROUTEDLAUNCHES_H
