//===- FuseEpilogues.cpp - what follows an anchor joins its kernel ----------------------------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"
#include "passes/fuse/Group.h"

#include "dialect/Shapes.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_FUSEEPILOGUESPASS
#include "passes/Passes.h.inc"

/// The most ops of one kernel: what a kernel costs to schedule and to compile grows faster than they do, and registers
/// hold no more.
static constexpr size_t maxMembers = 64;

/// The most ops of one kernel when each value is written out wherever it is used, as code generation does now and then:
/// a row of x·y + x doubles it with every turn.
static constexpr uint64_t maxWrittenOut = 4096;

/// Whether `producer` and `owner` together, each value written out wherever it is used, stay below `maxWrittenOut`.
static bool staySmall(Operation *producer, Operation *owner) {
  llvm::DenseMap<Value, uint64_t> sizes;
  auto add = [&](Operation *op) {
    uint64_t size = 1;
    for (Value operand : op->getOperands())
      size += sizes.lookup(operand);
    for (Value result : op->getResults())
      sizes[result] = std::min(size, maxWrittenOut + 1);
    return size <= maxWrittenOut;
  };
  for (Operation *op : getMembers(producer))
    if (!add(op))
      return false;
  sizes[producer->getResult(0)] = sizes.lookup(getCore(producer)->getResult(0));
  return llvm::all_of(getMembers(owner), add);
}

/// How many anchors `owner` holds.
static int64_t countAnchors(Operation *owner) {
  return llvm::count_if(getMembers(owner), [](Operation *op) { return isa<KernelAnchorOpInterface>(op); });
}

/// Whether `producer` may have an elementwise epilogue at all.
static bool isCandidate(Operation *producer) {
  if (!producer || producer->getNumResults() != 1 || !isa<EntryOp>(producer->getParentOp()))
    return false;
  Operation *core = getCore(producer);
  auto anchor = dyn_cast_or_null<KernelAnchorOpInterface>(core);
  return anchor ? anchor.takesEpilogue() : isa_and_nonnull<ScalarBodyOpInterface, CombineOp>(core);
}

/// Why `producer`, a candidate, may not join `owner` before its member `consumer`; null if it may.
static const char *whyNot(Operation *producer, Operation *consumer, Operation *owner) {
  if (!feedsOnly(producer, owner))
    return "the operand has other users";
  if (getDims(getTensorType(producer->getResult(0))) != getDims(getTensorType(consumer->getResult(0))))
    return "the operand is broadcast";
  KernelAnchorOpInterface first = getAnchor(producer), second = getAnchor(owner);
  bool pair = first && second && countAnchors(producer) + countAnchors(owner) == 2 && second.sharesKernelWith(first);
  if (first && second && !pair)
    return "a kernel has one anchor, or two matmuls of one tensor by weights of one type";
  if (getMembers(producer).size() + getMembers(owner).size() > maxMembers)
    return "a kernel has at most 64 ops";
  if (!staySmall(producer, owner))
    return "a kernel has at most 4096 ops with each value written out where it is used";
  if (!canSink(producer, owner))
    return "the operand reads a state that is written before this op";
  return nullptr;
}

namespace {

/// f(anchor(x), …), elementwise f -> one group.
struct FuseEpilogue : OpInterfaceRewritePattern<ScalarBodyOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(ScalarBodyOpInterface op, PatternRewriter &rewriter) const override {
    const char *reason = nullptr;
    Operation *owner = getOwner(op);
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (!isCandidate(producer))
        continue;
      if (const char *refusal = whyNot(producer, op, owner)) {
        reason = refusal;
        continue;
      }
      remarkFused(op, getAnchor(producer) && getAnchor(owner)
                          ? "two products of one tensor meet here: neither is written"
                          : "the operand has this shape and no other user: it stays in registers");
      fuseInto(rewriter, producer, owner);
      return success();
    }
    return reason ? rewriter.notifyMatchFailure(op, reason) : failure();
  }
};

/// combine(products, weights) -> one group with the products by groups, which nothing else reads.
struct FuseCombine : OpRewritePattern<CombineOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CombineOp op, PatternRewriter &rewriter) const override {
    Operation *producer = op.getInput().getDefiningOp(), *owner = getOwner(op);
    if (producer && producer->getParentOp() == owner)
      return failure();
    auto matmul = isCandidate(producer) ? dyn_cast_or_null<MatmulOp>(getCore(producer)) : MatmulOp();
    if (!matmul || !matmul.isGrouped())
      return rewriter.notifyMatchFailure(op, "what is combined are no products by groups");
    if (!feedsOnly(producer, owner))
      return rewriter.notifyMatchFailure(op, "the operand has other users");
    if (!canSink(producer, owner))
      return rewriter.notifyMatchFailure(op, "the operand reads a state that is written before this op");
    remarkFused(op, "a task has all products of its outputs: what they add up to is written, not they");
    fuseInto(rewriter, producer, owner);
    return success();
  }
};

struct FuseEpiloguesPass : impl::FuseEpiloguesPassBase<FuseEpiloguesPass> {
  void runOnOperation() override {
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      RewritePatternSet patterns(&getContext());
      patterns.add<FuseEpilogue, FuseCombine>(&getContext());
      if (failed(applyFusion(entry, std::move(patterns))))
        return signalPassFailure();
    }
  }
};

} // namespace

} // namespace quern
