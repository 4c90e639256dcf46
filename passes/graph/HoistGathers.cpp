//===- HoistGathers.cpp - rows are chosen before they are computed ----------------------------===//

#include "passes/Passes.h"
#include "passes/Rewrite.h"
#include "passes/TensorType.h"

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_HOISTGATHERSPASS
#include "passes/Passes.h.inc"

/// Why `gather` cannot choose among the rows of what `op` computes its table from; null if it can.
static const char *whyNot(RowwiseOpInterface op, GatherOp gather) {
  // A table of known size may be a constant, which costs nothing as a whole.
  if (getDims(getTensorType(gather.getTable())).front().isStatic())
    return "the rows are not those of a step";
  for (Operation *user : op->getUsers())
    if (auto other = dyn_cast<GatherOp>(user); !other || other.getIndices() != gather.getIndices())
      return "something else reads other rows";
  SmallVector<OpOperand *> rows = op.getRowOperands();
  if (rows.empty())
    return "no operand has the rows";
  for (OpOperand *operand : rows)
    if (!getTensorType(operand->get()).getElementType().isF32())
      return "an operand's rows are not f32";
  return nullptr;
}

namespace {

/// gather(f(x, w), i) -> f(gather(x, i), w), f row by row in x.
struct HoistGather : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp gather, PatternRewriter &rewriter) const override {
    auto op = gather.getTable().getDefiningOp<RowwiseOpInterface>();
    if (!op)
      return rewriter.notifyMatchFailure(gather, "the table is not computed row by row");
    if (const char *reason = whyNot(op, gather))
      return rewriter.notifyMatchFailure(gather, reason);
    // All gathers of the result are this one; the first of them comes after both op and indices.
    SmallVector<Operation *> gathers(op->getUsers());
    rewriter.setInsertionPoint(
        *llvm::min_element(gathers, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); }));
    SmallVector<Value> operands(op->getOperands());
    for (OpOperand *operand : op.getRowOperands())
      operands[operand->getOperandNumber()] =
          GatherOp::create(rewriter, gather.getLoc(), operand->get(), gather.getIndices());
    Operation *chosen = rewriter.clone(*op.getOperation());
    chosen->setOperands(operands);
    chosen->getResult(0).setType(gather.getResult().getType());
    for (Operation *same : gathers)
      rewriter.replaceOp(same, chosen);
    rewriter.eraseOp(op);
    return success();
  }
};

struct HoistGathersPass : impl::HoistGathersPassBase<HoistGathersPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<HoistGather>(&getContext());
    if (failed(rewriteEntries(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace quern
