//===- Explain.cpp - run fusion patterns, and say what they did and why the others did not ----===//

#include "passes/fuse/Explain.h"
#include "passes/Rewrite.h"

using namespace mlir;

namespace quern {

void remarkFused(Operation *op, StringRef reason) {
  remark::passed(op->getLoc(), describeRemark(op, fusionCategory)) << remark::reason("{0}", reason);
}

void remarkApart(Operation *op, StringRef reason) {
  remark::missed(op->getLoc(), describeRemark(op, fusionCategory)) << remark::reason("{0}", reason);
}

LogicalResult applyFusion(EntryOp entry, RewritePatternSet patterns) {
  FrozenRewritePatternSet frozen(std::move(patterns));
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal(true).enableFolding(false).enableConstantCSE(false).setRegionSimplificationLevel(
      GreedySimplifyRegionLevel::Disabled);
  return rewriteEntry(entry, frozen, config, fusionCategory);
}

} // namespace quern
