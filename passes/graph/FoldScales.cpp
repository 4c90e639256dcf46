//===- FoldScales.cpp - factors of channels become part of the weights ------------------------===//

#include "passes/Constants.h"
#include "passes/Passes.h"
#include "passes/Rewrite.h"
#include "passes/TensorType.h"

#include "dialect/Images.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_FOLDSCALESPASS
#include "passes/Passes.h.inc"

/// Why `factor` cannot become part of the weight of `conv`; null if it can.
static const char *whyNot(Conv2dOp conv, Value factor) {
  SmallVector<Dim> dims = getDims(getTensorType(factor));
  Dim outputs = getDims(getTensorType(conv.getWeight())).front(), one = Dim::fixed(1);
  if (conv.getLayout() != ImageLayout::NCHW || dims != ArrayRef({outputs, one, one}))
    return "the factor is not one value per channel";
  if (!conv.getResult().hasOneUse())
    return "the convolution has other users";
  if (!getTensorType(conv.getWeight()).getElementType().isF32())
    return "the weight is narrower than the factor";
  if (!isConstant(conv.getWeight()) || !isConstant(factor))
    return "weight or factor are known at run time only";
  return nullptr;
}

namespace {

/// conv(x, w) · s -> conv(x, w · s), s one constant per output channel.
struct FoldScale : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    auto conv = op.getLhs().getDefiningOp<Conv2dOp>();
    Value factor = op.getRhs();
    if (!conv) {
      conv = op.getRhs().getDefiningOp<Conv2dOp>();
      factor = op.getLhs();
    }
    if (!conv)
      return rewriter.notifyMatchFailure(op, "no operand is a convolution");
    if (const char *reason = whyNot(conv, factor))
      return rewriter.notifyMatchFailure(op, reason);
    Location loc = rewriter.getFusedLoc({conv.getLoc(), op.getLoc()});
    Dim outputs = getDims(getTensorType(factor)).front(), one = Dim::fixed(1);
    auto column = getTensorType({outputs, one, one, one}, rewriter.getF32Type());
    Value perOutput = ReshapeOp::create(rewriter, loc, column, factor);
    Value weight = MulOp::create(rewriter, loc, conv.getWeight(), perOutput);
    Operation *folded = rewriter.clone(*conv);
    cast<Conv2dOp>(folded).getWeightMutable().assign(weight);
    rewriter.replaceOp(op, folded);
    rewriter.eraseOp(conv);
    return success();
  }
};

struct FoldScalesPass : impl::FoldScalesPassBase<FoldScalesPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldScale>(&getContext());
    if (failed(rewriteEntries(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace quern
