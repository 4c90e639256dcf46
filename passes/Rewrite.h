//===- Rewrite.h - patterns for what is compiled ----------------------------------------------===//

#ifndef QUERN_PASSES_REWRITE_H
#define QUERN_PASSES_REWRITE_H

#include "dialect/Ops.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Rewrite/FrozenRewritePatternSet.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace quern {

/// The category of the remarks on patterns that do not match where `rewriteEntries` applies them.
inline constexpr llvm::StringLiteral rewriteCategory = "rewrite";

/// How a remark of `category` on `op`, which stands in an entry, is filed: by the op's name and the entry's.
mlir::remark::RemarkOpts describeRemark(mlir::Operation *op, llvm::StringRef category);

/// Applies `patterns` in `entry` until none matches. Each refusal that is left becomes a remark of `category`, which
/// costs nothing where the context collects none.
mlir::LogicalResult rewriteEntry(EntryOp entry, const mlir::FrozenRewritePatternSet &patterns,
                                 mlir::GreedyRewriteConfig config, llvm::StringRef category);

/// The same in each entry. Initialisers of parameters are evaluated, not compiled: they stay.
mlir::LogicalResult rewriteEntries(mlir::ModuleOp module, mlir::RewritePatternSet patterns);

} // namespace quern

#endif // QUERN_PASSES_REWRITE_H
