//===- Explain.cpp - run fusion patterns, and say why those that refuse do --------------------===//

#include "passes/fuse/Explain.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Rewrite/FrozenRewritePatternSet.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace quern {

namespace {

/// Turns the reasons of patterns into remarks.
struct RefusalListener : RewriterBase::Listener {
  void notifyMatchFailure(Location loc, function_ref<void(Diagnostic &)> reason) override {
    Diagnostic diagnostic(loc, DiagnosticSeverity::Remark);
    reason(diagnostic);
    emitRemark(loc) << diagnostic.str();
  }
};

} // namespace

LogicalResult applyFusion(Operation *op, RewritePatternSet patterns, bool explain) {
  FrozenRewritePatternSet frozen(std::move(patterns));
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal(true)
      .enableFolding(false)
      .enableConstantCSE(false)
      .setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  if (failed(applyPatternsGreedily(op, frozen, config)))
    return failure();
  if (!explain)
    return success();
  // Again, now that nothing matches: a refusal before the end may have been overcome since.
  RefusalListener listener;
  config.setListener(&listener);
  return applyPatternsGreedily(op, frozen, config);
}

} // namespace quern
