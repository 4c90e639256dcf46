//===- FusePrologues.cpp - what precedes an anchor joins its kernel ---------------------------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"
#include "passes/fuse/Group.h"

#include "dialect/Shapes.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_FUSEPROLOGUESPASS
#include "passes/Passes.h.inc"

/// Whether `op` stands in an entry, in no group.
static bool isFree(Operation *op) { return op && isa<EntryOp>(op->getParentOp()); }

/// The owners of the users of `op` that will be kernels, each once, in the order of the program.
static SmallVector<Operation *> getOwners(Operation *op) {
  SmallVector<Operation *> owners;
  for (Operation *user : op->getUsers()) {
    Operation *owner = getOwner(user);
    if (!isa<ReshapeOp, ConcatOp, ReturnOp>(owner) && !llvm::is_contained(owners, owner))
      owners.push_back(owner);
  }
  llvm::sort(owners, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return owners;
}

/// Whether `op` only splits the last axis: […, h·d] to […, h, d].
static bool splitsLastAxis(ReshapeOp op) {
  SmallVector<Dim> from = getDims(getTensorType(op.getInput())), to = getDims(getTensorType(op.getResult()));
  return !from.empty() && to.size() > from.size() &&
         ArrayRef(from).drop_back() == ArrayRef(to).take_front(from.size() - 1);
}

/// Clones `op` into each kernel that uses it, for `reason`.
static LogicalResult cloneIntoAll(PatternRewriter &rewriter, Operation *op, StringRef reason) {
  SmallVector<Operation *> owners = getOwners(op);
  if (!owners.empty())
    remarkFused(op, reason);
  for (Operation *owner : owners)
    cloneInto(rewriter, op, owner);
  if (op->use_empty())
    rewriter.eraseOp(op);
  return success(!owners.empty());
}

/// Whether `use` is that of the rows operand of an anchor that may compute `op` for itself.
static bool isPrologue(OpOperand &use, Operation *op) {
  auto anchor = dyn_cast<KernelAnchorOpInterface>(use.getOwner());
  return anchor && anchor.takesPrologue(op) && &anchor.getRowsOperand() == &use;
}

/// Whether all users of `op`, one at least, are anchors that may compute it for themselves.
static bool feedsOnlyAnchors(Operation *op) {
  return !op->use_empty() && llvm::all_of(op->getUses(), [&](OpOperand &use) { return isPrologue(use, op); });
}

namespace {

/// matmul(quantize(x), w) -> a group of both, for each matmul: q8_1 never crosses a kernel's edge.
struct CloneQuantize : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op, PatternRewriter &rewriter) const override {
    return isFree(op) ? cloneIntoAll(rewriter, op, "each kernel of products rounds its own left side") : failure();
  }
};

/// matmul(cast(x), w), conv2d(cast(x), w), attend(cast(x), …), x rounded to bf16 -> a group of both, for each: as for
/// `quantize`.
struct CloneCast : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op) || !feedsOnlyAnchors(op))
      return failure();
    return cloneIntoAll(rewriter, op, "each kernel of products rounds its own left side");
  }
};

/// A slice is an offset of what a kernel reads: each kernel that uses one takes it in.
struct CloneSlice : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SliceOp op, PatternRewriter &rewriter) const override {
    return isFree(op) ? cloneIntoAll(rewriter, op, "a slice is an offset of what a kernel reads") : failure();
  }
};

/// reshape(slice(x)), splitting the last axis -> into each kernel that uses it. Of a whole buffer it is an alias, which
/// costs nothing; of a slice it would be a copy.
struct CloneReshape : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op) || !op.getInput().getDefiningOp<SliceOp>())
      return failure();
    if (!splitsLastAxis(op))
      return rewriter.notifyMatchFailure(op, "the reshape of a slice does not only split the last axis");
    return cloneIntoAll(rewriter, op, "to split the last axis is to index otherwise");
  }
};

/// conv(transpose(x), w) -> one group: a convolution reads its image element by element, in any order.
struct CloneTranspose : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op))
      return failure();
    if (!feedsOnlyAnchors(op))
      return rewriter.notifyMatchFailure(op, "the transposed tensor is not only the image of convolutions");
    return cloneIntoAll(rewriter, op, "a convolution reads its image in any order");
  }
};

/// matmul(rms_norm(x), w), narrowed or not -> one group, where nothing else needs the norm.
struct FuseNorm : OpRewritePattern<RmsNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RmsNormOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op))
      return failure();
    SmallVector<Operation *> owners = getOwners(op);
    if (owners.size() != 1 || !feedsOnly(op, owners.front()))
      return rewriter.notifyMatchFailure(op, "the norm feeds more than one kernel");
    auto anchor = getAnchor(owners.front());
    if (!anchor || !anchor.takesPrologue(op) || !isLeftSide(op))
      return rewriter.notifyMatchFailure(op, "the norm is not the left side of a matmul");
    if (!canSink(op, owners.front()))
      return rewriter.notifyMatchFailure(op, "the norm reads a state that is written before the matmul");
    remarkFused(op, "one kernel alone reads the norm: each task computes it for less than writing it costs");
    fuseInto(rewriter, op, owners.front());
    return success();
  }

private:
  /// Whether all users are anchors that may compute it for themselves, or what narrows it for them.
  static bool isLeftSide(RmsNormOp op) {
    return llvm::all_of(op->getUses(),
                        [&](OpOperand &use) { return isPrologue(use, op) || isa<QuantizeOp, CastOp>(use.getOwner()); });
  }
};

/// append(rope(x)), attend(rope(x), …), rounded or not -> one group, where nothing else needs the rotated tensor.
struct FuseRope : OpRewritePattern<RopeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RopeOp op, PatternRewriter &rewriter) const override {
    Operation *producer = getOwner(op);
    if (getCore(producer) != op)
      return failure();
    SmallVector<Operation *> owners = getOwners(producer);
    if (owners.size() != 1 || !feedsOnly(producer, owners.front()))
      return rewriter.notifyMatchFailure(op, "the rotated tensor feeds more than one kernel");
    auto anchor = getAnchor(owners.front());
    if (!anchor || !anchor.takesPrologue(op))
      return rewriter.notifyMatchFailure(op, "the rotated tensor feeds neither an append nor an attention");
    if (isReadAgain(producer->getResult(0)))
      return rewriter.notifyMatchFailure(op, "the rotated tensor is what attention reads again for each query");
    remarkFused(op, "one kernel alone reads the rotated tensor");
    fuseInto(rewriter, producer, owners.front());
    return success();
  }

private:
  /// Whether an anchor has `value` for more than its rows, as attention has keys and values.
  static bool isReadAgain(Value value) {
    return llvm::any_of(value.getUses(), [](OpOperand &use) {
      auto anchor = dyn_cast<KernelAnchorOpInterface>(use.getOwner());
      return anchor && &anchor.getRowsOperand() != &use;
    });
  }
};

struct FuseProloguesPass : impl::FuseProloguesPassBase<FuseProloguesPass> {
  void runOnOperation() override {
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      RewritePatternSet patterns(&getContext());
      patterns.add<CloneQuantize, CloneCast, CloneSlice, CloneReshape, CloneTranspose, FuseNorm, FuseRope>(
          &getContext());
      if (failed(applyFusion(entry, std::move(patterns))))
        return signalPassFailure();
    }
  }
};

} // namespace

} // namespace quern
