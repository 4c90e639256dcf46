//===- Explain.h - run fusion patterns, and say what they did and why the others did not ------===//

#ifndef QUERN_PASSES_FUSE_EXPLAIN_H
#define QUERN_PASSES_FUSE_EXPLAIN_H

#include "dialect/Ops.h"

#include "mlir/IR/PatternMatch.h"

namespace quern {

/// The category of the optimisation remarks on fusion. A remark is named after its op and says the entry that the op is
/// in. Where the context collects none, they cost nothing.
inline constexpr llvm::StringLiteral fusionCategory = "fusion";

/// Applies `patterns` inside `entry` until none matches, changing nothing else. Each refusal that is left becomes a
/// remark of a missed fusion.
mlir::LogicalResult applyFusion(EntryOp entry, mlir::RewritePatternSet patterns);

/// Remarks that `op` is computed with others, in place or at compile time, and why.
void remarkFused(mlir::Operation *op, llvm::StringRef reason);
/// Remarks that `op` is not, and why not.
void remarkApart(mlir::Operation *op, llvm::StringRef reason);

} // namespace quern

#endif // QUERN_PASSES_FUSE_EXPLAIN_H
