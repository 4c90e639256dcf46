//===- Rewrite.cpp - patterns for what is compiled --------------------------------------------===//

#include "passes/Rewrite.h"

using namespace mlir;

namespace quern {

remark::RemarkOpts describeRemark(Operation *op, StringRef category) {
  auto entry = op->getParentOfType<EntryOp>();
  return remark::RemarkOpts::name(op->getName().stripDialect()).category(category).function(entry.getSymName());
}

namespace {

/// Turns the reasons of patterns into remarks.
struct RefusalListener : RewriterBase::Listener {
  explicit RefusalListener(StringRef category) : category(category) {}

  void notifyPatternBegin(const Pattern &, Operation *op) override { options = describeRemark(op, category); }
  void notifyMatchFailure(Location loc, function_ref<void(Diagnostic &)> reason) override {
    Diagnostic diagnostic(loc, DiagnosticSeverity::Remark);
    reason(diagnostic);
    remark::missed(loc, options) << remark::reason("{0}", diagnostic.str());
  }

private:
  StringRef category;
  /// Those of the op that is being matched.
  remark::RemarkOpts options;
};

} // namespace

LogicalResult rewriteEntry(EntryOp entry, const FrozenRewritePatternSet &patterns, GreedyRewriteConfig config,
                           StringRef category) {
  if (failed(applyPatternsGreedily(entry, patterns, config)))
    return failure();
  if (!entry->getContext()->getRemarkEngine())
    return success();
  // Again, now that nothing matches: a refusal before the end may have been overcome since.
  RefusalListener listener(category);
  config.setListener(&listener);
  return applyPatternsGreedily(entry, patterns, config);
}

LogicalResult rewriteEntries(ModuleOp module, RewritePatternSet patterns) {
  FrozenRewritePatternSet frozen(std::move(patterns));
  for (EntryOp entry : module.getOps<EntryOp>())
    if (failed(rewriteEntry(entry, frozen, {}, rewriteCategory)))
      return failure();
  return success();
}

} // namespace quern
