//===- Rewrite.cpp - patterns for what is compiled --------------------------------------------===//

#include "passes/Rewrite.h"

#include "mlir/Rewrite/FrozenRewritePatternSet.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace quern {

LogicalResult rewriteEntries(ModuleOp module, RewritePatternSet patterns) {
  FrozenRewritePatternSet frozen(std::move(patterns));
  for (EntryOp entry : module.getOps<EntryOp>())
    if (failed(applyPatternsGreedily(entry, frozen)))
      return failure();
  return success();
}

} // namespace quern
