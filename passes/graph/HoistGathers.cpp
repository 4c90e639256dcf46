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

/// The rows that `use` chooses of a table; null where it is no table of which rows alone are chosen.
static Value getChosenRows(OpOperand &use) {
  auto gather = dyn_cast<GatherOp>(use.getOwner());
  return gather && gather.takesRows() && &use == &gather.getTableMutable() ? gather.getIndices() : Value();
}

/// Why `gather` cannot choose among the rows of what `op` computes its table from; null if it can.
static const char *whyNot(RowwiseOpInterface op, GatherOp gather) {
  if (!gather.takesRows())
    return "what is chosen are no rows, one by one";
  // A table of known size may be a constant, which costs nothing as a whole.
  if (getDims(getTensorType(gather.getTable())).front().isStatic())
    return "the rows are not those of a step";
  for (OpOperand &use : op->getUses())
    if (getChosenRows(use) != gather.getIndices())
      return "something else reads other rows";
  SmallVector<OpOperand *> rows = op.getRowOperands();
  if (rows.empty())
    return "no operand has the rows";
  for (OpOperand *operand : rows)
    if (Type element = getTensorType(operand->get()).getElementType(); !element.isF32() && !element.isInteger())
      return "an operand's rows are neither f32 nor integers";
  return nullptr;
}

/// `type` with `rows` on axis 0.
static Type withRows(Type type, Dim rows) {
  SmallVector<Dim> dims = getDims(cast<RankedTensorType>(type));
  dims.front() = rows;
  return getTensorType(dims, cast<RankedTensorType>(type).getElementType());
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
    // All readers are gathers of these rows; the first of them comes after both op and indices.
    SmallVector<Operation *> gathers(op->getUsers());
    rewriter.setInsertionPoint(
        *llvm::min_element(gathers, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); }));
    SmallVector<Value> operands(op->getOperands());
    for (OpOperand *operand : op.getRowOperands())
      operands[operand->getOperandNumber()] =
          GatherOp::create(rewriter, gather.getLoc(), operand->get(), gather.getIndices());
    Operation *chosen = rewriter.clone(*op.getOperation());
    chosen->setOperands(operands);
    Dim rows = getDims(getTensorType(gather.getIndices())).front();
    for (OpResult result : chosen->getResults())
      result.setType(withRows(result.getType(), rows));
    for (Operation *same : gathers) {
      auto result = cast<OpResult>(cast<GatherOp>(same).getTable());
      rewriter.replaceOp(same, chosen->getResult(result.getResultNumber()));
    }
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
