//===- CommutePools.cpp - averages after the convolution that has fewer channels --------------===//

#include "passes/Passes.h"
#include "passes/Rewrite.h"
#include "passes/TensorType.h"

#include "dialect/Images.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_COMMUTEPOOLSPASS
#include "passes/Passes.h.inc"

/// Whether `conv` computes each place of its result from the same place of its input, of all channels.
static bool isPointwise(Conv2dOp conv) {
  auto areAll = [](ArrayRef<int64_t> numbers, int64_t number) {
    return llvm::all_of(numbers, [=](int64_t other) { return other == number; });
  };
  return areAll(conv.getWindow(), 1) && areAll(conv.getStrides(), 1) && areAll(conv.getPads(), 0) &&
         conv.getGroups() == 1;
}

/// Additions and products of a pool and a pointwise convolution for one image, in either order.
struct Work {
  Work(AvgPoolOp pool, Conv2dOp conv) {
    ImageAxes axes(pool.getLayout());
    RankedTensorType input = getTensorType(pool.getInput()), result = getTensorType(conv.getResult());
    auto countPlaces = [&](RankedTensorType image) {
      return image.getDimSize(axes.height) * image.getDimSize(axes.width);
    };
    int64_t from = countPlaces(input), to = countPlaces(result);
    int64_t channels = input.getDimSize(axes.channel), outputs = result.getDimSize(axes.channel);
    int64_t places = pool.getWindow()[0] * pool.getWindow()[1];
    poolFirst = to * channels * (places + outputs);
    convFirst = from * channels * outputs + to * outputs * places;
  }

  int64_t poolFirst, convFirst;
};

/// Why `conv` cannot or should not come before `pool`, its input; null if it can and should.
static const char *whyNot(AvgPoolOp pool, Conv2dOp conv) {
  if (!isPointwise(conv))
    return "the convolution does not read single places";
  if (pool.getLayout() != conv.getLayout())
    return "pool and convolution have different layouts";
  if (!pool.getResult().hasOneUse())
    return "the pool has other users";
  Work work(pool, conv);
  return work.convFirst < work.poolFirst ? nullptr : "the convolution first would be more work";
}

namespace {

/// conv(avg(x), w) -> avg(conv(x, w)) for a pointwise convolution without bias: both are linear, and the divisor of an
/// average depends on the place alone, also where padding counts, as the convolution of zeros is zero.
struct CommutePool : OpRewritePattern<Conv2dOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(Conv2dOp conv, PatternRewriter &rewriter) const override {
    auto pool = conv.getInput().getDefiningOp<AvgPoolOp>();
    if (!pool)
      return rewriter.notifyMatchFailure(conv, "the input is no average pool");
    if (const char *reason = whyNot(pool, conv))
      return rewriter.notifyMatchFailure(conv, reason);
    SmallVector<Dim> dims = getDims(getTensorType(pool.getInput()));
    int64_t channel = ImageAxes(conv.getLayout()).channel;
    dims[channel] = getDims(getTensorType(conv.getResult()))[channel];
    auto inner = cast<Conv2dOp>(rewriter.clone(*conv));
    inner.getInputMutable().assign(pool.getInput());
    inner.getResult().setType(getTensorType(dims, rewriter.getF32Type()));
    auto outer = cast<AvgPoolOp>(rewriter.clone(*pool));
    outer.getInputMutable().assign(inner.getResult());
    outer.getResult().setType(conv.getResult().getType());
    rewriter.replaceOp(conv, outer);
    rewriter.eraseOp(pool);
    return success();
  }
};

struct CommutePoolsPass : impl::CommutePoolsPassBase<CommutePoolsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<CommutePool>(&getContext());
    if (failed(rewriteEntries(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace quern
