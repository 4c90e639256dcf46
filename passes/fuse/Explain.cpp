//===- Explain.cpp - run fusion patterns, and say what they did and why the others did not ----===//

#include "passes/fuse/Explain.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Rewrite/FrozenRewritePatternSet.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace quern {

/// How a remark on `op`, which stands in an entry, is filed.
static remark::RemarkOpts describe(Operation *op) {
  auto entry = op->getParentOfType<EntryOp>();
  return remark::RemarkOpts::name(op->getName().stripDialect()).category(fusionCategory).function(entry.getSymName());
}

void remarkFused(Operation *op, StringRef reason) {
  remark::passed(op->getLoc(), describe(op)) << remark::reason("{0}", reason);
}

void remarkApart(Operation *op, StringRef reason) {
  remark::missed(op->getLoc(), describe(op)) << remark::reason("{0}", reason);
}

namespace {

/// Turns the reasons of patterns into remarks.
struct RefusalListener : RewriterBase::Listener {
  void notifyPatternBegin(const Pattern &, Operation *op) override { options = describe(op); }
  void notifyMatchFailure(Location loc, function_ref<void(Diagnostic &)> reason) override {
    Diagnostic diagnostic(loc, DiagnosticSeverity::Remark);
    reason(diagnostic);
    remark::missed(loc, options) << remark::reason("{0}", diagnostic.str());
  }

private:
  /// Those of the op that is being matched.
  remark::RemarkOpts options;
};

} // namespace

LogicalResult applyFusion(EntryOp entry, RewritePatternSet patterns) {
  FrozenRewritePatternSet frozen(std::move(patterns));
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal(true).enableFolding(false).enableConstantCSE(false).setRegionSimplificationLevel(
      GreedySimplifyRegionLevel::Disabled);
  if (failed(applyPatternsGreedily(entry, frozen, config)))
    return failure();
  if (!entry->getContext()->getRemarkEngine())
    return success();
  // Again, now that nothing matches: a refusal before the end may have been overcome since.
  RefusalListener listener;
  config.setListener(&listener);
  return applyPatternsGreedily(entry, frozen, config);
}

} // namespace quern
