//===- Group.h - ops that will be one kernel --------------------------------------------------===//

#ifndef QUERN_PASSES_FUSE_GROUP_H
#define QUERN_PASSES_FUSE_GROUP_H

#include "dialect/Ops.h"

#include "mlir/IR/PatternMatch.h"

namespace quern {

/// The group that holds `op`, or `op` itself where none does: what will be one kernel with it.
mlir::Operation *getOwner(mlir::Operation *op);

/// The op that computes the result of `op`: what a group yields, or `op` itself.
mlir::Operation *getCore(mlir::Operation *op);

/// The ops of a group, or `op` itself.
llvm::SmallVector<mlir::Operation *> getMembers(mlir::Operation *op);

/// The anchor among the members of `owner` that names its form: the last one, or null.
KernelAnchorOpInterface getAnchor(mlir::Operation *owner);

/// Whether `owner` is all that uses the result of `op`.
bool feedsOnly(mlir::Operation *op, mlir::Operation *owner);

/// Whether `op` may be computed as late as `later`: it writes no state, and none that it reads is written in between.
bool canSink(mlir::Operation *op, mlir::Operation *later);

/// Moves `producer`, an op or a group that feeds `owner` only, to the front of `owner`,
/// which becomes a group if it is none.
FusedOp fuseInto(mlir::RewriterBase &rewriter, mlir::Operation *producer, mlir::Operation *owner);

/// Puts a clone of `producer` at the front of `owner`, which becomes a group if it is none, for its members to use.
FusedOp cloneInto(mlir::RewriterBase &rewriter, mlir::Operation *producer, mlir::Operation *owner);

} // namespace quern

#endif // QUERN_PASSES_FUSE_GROUP_H
