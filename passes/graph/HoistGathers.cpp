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

/// The value by whose rows the rows of `op` choose among weights, where `op` is a product that they choose.
static Value getChosen(Operation *op) {
  auto matmul = dyn_cast<MatmulOp>(op);
  auto grouped = matmul && matmul.isGrouped() ? matmul.getOrder().getDefiningOp<GroupRowsOp>() : GroupRowsOp();
  return grouped && grouped.getBegins() == matmul.getBegins() ? grouped.getChosen() : Value();
}

/// The operands that `op` takes row by row.
static SmallVector<OpOperand *> getRowOperands(Operation *op) {
  if (getChosen(op))
    return {&cast<MatmulOp>(op).getLhsMutable()};
  auto rowwise = dyn_cast<RowwiseOpInterface>(op);
  return rowwise ? rowwise.getRowOperands() : SmallVector<OpOperand *>();
}

/// What `op` takes row by row: of a product by weights that rows choose, the rows and what they choose.
static SmallVector<Value> getRowValues(Operation *op) {
  SmallVector<Value> values;
  for (OpOperand *operand : getRowOperands(op))
    values.push_back(operand->get());
  if (Value chosen = getChosen(op))
    values.push_back(chosen);
  return values;
}

/// Whether the rows of `value`, no floats, are computed again of rows of what `value` is computed from.
static bool isComputedAgain(Value value);

/// Whether rows of `value` can be had: those of numbers are gathered, or computed again.
static bool canChoose(Value value) {
  Type element = getTensorType(value).getElementType();
  return element.isF32() || element.isInteger() || isComputedAgain(value);
}

static bool isComputedAgain(Value value) {
  Operation *op = value.getDefiningOp();
  SmallVector<Value> rows = op ? getRowValues(op) : SmallVector<Value>();
  return !getTensorType(value).getElementType().isF32() && !rows.empty() && llvm::all_of(rows, canChoose);
}

/// Why `gather` cannot choose among the rows of what `op` computes its table from; null if it can.
static const char *whyNot(Operation *op, GatherOp gather) {
  if (!gather.takesRows())
    return "what is chosen are no rows, one by one";
  // A table of known size may be a constant, which costs nothing as a whole.
  if (getDims(getTensorType(gather.getTable())).front().isStatic())
    return "the rows are not those of a step";
  for (OpOperand &use : op->getUses())
    if (getChosenRows(use) != gather.getIndices())
      return "something else reads other rows";
  SmallVector<Value> rows = getRowValues(op);
  if (rows.empty())
    return "no operand has the rows";
  if (!llvm::all_of(rows, canChoose))
    return "an operand's rows are neither f32 nor integers";
  return nullptr;
}

/// `op` for the rows `indices` of what it computes.
static Operation *chooseRows(OpBuilder &builder, Location loc, Operation *op, Value indices);

/// The rows `indices` of `value`.
static Value chooseRows(OpBuilder &builder, Location loc, Value value, Value indices) {
  if (!isComputedAgain(value))
    return GatherOp::create(builder, loc, value, indices);
  Operation *chosen = chooseRows(builder, loc, value.getDefiningOp(), indices);
  return chosen->getResult(cast<OpResult>(value).getResultNumber());
}

static Operation *chooseRows(OpBuilder &builder, Location loc, Operation *op, Value indices) {
  SmallVector<Value> operands(op->getOperands());
  for (OpOperand *operand : getRowOperands(op))
    operands[operand->getOperandNumber()] = chooseRows(builder, loc, operand->get(), indices);
  if (Value chosen = getChosen(op)) {
    auto matmul = cast<MatmulOp>(op);
    Value choices = chooseRows(builder, loc, chosen, indices);
    auto grouped = GroupRowsOp::create(builder, loc, choices, matmul.getNumGroups());
    MutableOperandRange groups = matmul.getGroupsMutable();
    operands[groups[0].getOperandNumber()] = grouped.getOrder();
    operands[groups[1].getOperandNumber()] = grouped.getBegins();
  }
  Operation *chosen = builder.clone(*op);
  chosen->setOperands(operands);
  Dim count = getDims(getTensorType(indices)).front();
  for (Value result : chosen->getResults()) {
    SmallVector<Dim> dims = getDims(getTensorType(result));
    dims.front() = count;
    result.setType(getTensorType(dims, getTensorType(result).getElementType()));
  }
  return chosen;
}

namespace {

/// gather(f(x, w), i) -> f(gather(x, i), w), f row by row in x.
struct HoistGather : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp gather, PatternRewriter &rewriter) const override {
    Operation *op = gather.getTable().getDefiningOp();
    if (!op || !isa<RowwiseOpInterface>(op))
      return rewriter.notifyMatchFailure(gather, "the table is not computed row by row");
    if (const char *reason = whyNot(op, gather))
      return rewriter.notifyMatchFailure(gather, reason);
    // All gathers of the results are of these rows; the first of them comes after both op and indices.
    SmallVector<Operation *> gathers(op->getUsers());
    rewriter.setInsertionPoint(
        *llvm::min_element(gathers, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); }));
    Operation *chosen = chooseRows(rewriter, gather.getLoc(), op, gather.getIndices());
    for (Operation *same : gathers)
      rewriter.replaceOp(same, chosen->getResult(cast<OpResult>(cast<GatherOp>(same).getTable()).getResultNumber()));
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
