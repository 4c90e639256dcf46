//===- Rewrite.h - patterns for what is compiled ----------------------------------------------===//

#ifndef QUERN_PASSES_REWRITE_H
#define QUERN_PASSES_REWRITE_H

#include "dialect/Ops.h"

#include "mlir/IR/PatternMatch.h"

namespace quern {

/// Applies `patterns` in each entry until none matches. Initialisers of parameters are evaluated, not compiled: they stay.
mlir::LogicalResult rewriteEntries(mlir::ModuleOp module, mlir::RewritePatternSet patterns);

} // namespace quern

#endif // QUERN_PASSES_REWRITE_H
