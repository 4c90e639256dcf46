//===- KernelWork.h - what one launch of a kernel reads, writes and computes ------------------===//

#ifndef QUERN_DIALECT_KERNELWORK_H
#define QUERN_DIALECT_KERNELWORK_H

#include "dialect/Ops.h"

namespace quern {

/// Sums of terms.
struct KernelWork {
  /// Every weight, state and tensor once, as far as it is touched: of tables and caches, the rows in question, of
  /// experts, those that rows chose.
  llvm::SmallVector<WorkTerm> bytes;
  /// Sums and products of contractions and attention, and the scalar ops of maps. Attention counts as if all tokens
  /// were consecutive rows of one sequence.
  llvm::SmallVector<WorkTerm> operations;
};

/// What the products of `kernel` are computed in: `f32`, `i8` or `bf16`, a word of the description.
llvm::StringRef getArithmetic(KernelOp kernel);

/// The work of `kernel`, as a formula of its symbolic sizes.
KernelWork getWork(KernelOp kernel);

} // namespace quern

#endif // QUERN_DIALECT_KERNELWORK_H
