//===- Explain.h - run fusion patterns, and say why those that refuse do ----------------------===//

#ifndef QUERN_PASSES_FUSE_EXPLAIN_H
#define QUERN_PASSES_FUSE_EXPLAIN_H

#include "mlir/IR/PatternMatch.h"

namespace quern {

/// Applies `patterns` inside `op` until none matches, changing nothing else. With `explain`, emits each refusal that is
/// left as a remark at the op that was refused.
mlir::LogicalResult applyFusion(mlir::Operation *op, mlir::RewritePatternSet patterns, bool explain);

} // namespace quern

#endif // QUERN_PASSES_FUSE_EXPLAIN_H
