//===- SelectWinograd.cpp - convolutions by fewer products where that is faster ---------------===//

#include "passes/Constants.h"
#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"

#include "dialect/Images.h"
#include "dialect/PackedLayout.h"
#include "dialect/Winograd.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_SELECTWINOGRADPASS
#include "passes/Passes.h.inc"

namespace {

/// Results of a convolution that are computed together.
struct WinogradTile {
  int64_t height, width;
};

/// What the costs of a convolution of one image depend on.
struct ConvShape {
  explicit ConvShape(Conv2dOp conv)
      : rows(conv.getWindow()[0]), columns(conv.getWindow()[1]), channels(getTensorType(conv.getInput()).getDimSize(3)),
        panels(PackedLayout::panels(getTensorType(conv.getResult()).getDimSize(3))),
        height(getTensorType(conv.getResult()).getDimSize(1)), width(getTensorType(conv.getResult()).getDimSize(2)) {}

  int64_t rows, columns, channels, panels, height, width;
};

} // namespace

/// The factors of a transform that are not 0: its instructions.
static double countFactors(const Matrix &matrix) {
  int64_t count = 0;
  for (const std::vector<double> &row : matrix)
    count += llvm::count_if(row, [](double factor) { return factor != 0; });
  return double(count);
}

/// What a vector of weights costs beside its products, in products of vectors:
/// how much longer it takes to come from memory.
constexpr double weightCost = 9;

/// The time of the convolution of one image, in products of vectors. In bf16 a product multiplies twice as many
/// numbers, and weights have half the bytes.
static double getDirectCost(const ConvShape &shape, bool bf16) {
  double weights = double(shape.rows * shape.columns * shape.channels * shape.panels);
  return weights * (double(shape.height * shape.width) + weightCost) / (bf16 ? 2 : 1);
}

/// The same by tiles. Transforms wait for memory, so that an instruction of theirs costs as much as two products;
/// products of a single point are short loops.
static double getCost(const ConvShape &shape, WinogradTile tile) {
  constexpr double transformCost = 2, productCost = 1.15;
  MinimalFilter vertical(tile.height, shape.rows), horizontal(tile.width, shape.columns);
  double points = double(vertical.points * horizontal.points);
  double tiles = double(llvm::divideCeil(shape.height, tile.height) * llvm::divideCeil(shape.width, tile.width));
  double vectors = double(PackedLayout::panels(shape.channels));
  double input = countFactors(vertical.input) * double(tile.width) +
                 countFactors(horizontal.input) * double(vertical.points) + 2 * points;
  double output = countFactors(vertical.output) * double(horizontal.points) +
                  countFactors(horizontal.output) * double(tile.height) + 2 * points;
  double transforms = tiles * (input * vectors + output * double(shape.panels)) * transformCost;
  double weights = points * double(shape.channels * shape.panels);
  return weights * (tiles * productCost + weightCost) + transforms;
}

/// Why `conv` is computed directly, whatever that costs; null where it need not be.
static const char *whyNot(Conv2dOp conv) {
  auto isOne = [](int64_t size) { return size == 1; };
  if (conv.getLayout() != ImageLayout::NHWC || !getTensorType(conv.getWeight()).getElementType().isF32())
    return "the image has its channels outermost or the weight is not f32";
  if (!llvm::all_of(conv.getStrides(), isOne) || !llvm::all_of(conv.getDilations(), isOne) || conv.getGroups() != 1)
    return "the window moves by more than one place, has gaps, or sees a group of channels only";
  if (llvm::all_of(conv.getWindow(), isOne))
    return "a window of one place has no products to save";
  if (getTensorType(conv.getResult()).getDimSize(3) % PackedLayout::panelRows != 0)
    return "the result's channels do not fill whole panels";
  if (!isConstant(conv.getWeight()))
    return "the weight is known at run time only";
  return nullptr;
}

/// The tiles of one axis of a window of `taps`. The points beyond 8 cost a digit, which in two dimensions would be two.
static SmallVector<int64_t> getTileSizes(int64_t taps, bool both) {
  if (taps == 1)
    return {1};
  int64_t maxPoints = both ? 8 : MinimalFilter::maxPoints;
  SmallVector<int64_t> sizes;
  for (int64_t size = 2; size <= 6 && size + taps - 1 <= maxPoints; ++size)
    sizes.push_back(size);
  return sizes;
}

/// The tile that is cheapest, if one is clearly cheaper than the convolution as it stands, in f32 or bf16.
static std::optional<WinogradTile> chooseTile(const ConvShape &shape, bool bf16) {
  constexpr double worthwhile = 0.85;
  bool both = shape.rows > 1 && shape.columns > 1;
  std::optional<WinogradTile> best;
  double limit = getDirectCost(shape, bf16) * worthwhile;
  for (int64_t height : getTileSizes(shape.rows, both))
    for (int64_t width : getTileSizes(shape.columns, both)) {
      WinogradTile tile = {height, width};
      double cost = getCost(shape, tile);
      if (cost >= limit)
        continue;
      best = tile;
      limit = cost;
    }
  return best;
}

namespace {

/// conv2d(x, w) -> winograd(x, winograd_filter(w))
struct UseWinograd : OpRewritePattern<Conv2dOp> {
  UseWinograd(MLIRContext *context, bool bf16) : OpRewritePattern(context), bf16(bf16) {}

  LogicalResult matchAndRewrite(Conv2dOp conv, PatternRewriter &rewriter) const override {
    if (const char *reason = whyNot(conv))
      return rewriter.notifyMatchFailure(conv, reason);
    std::optional<WinogradTile> tile = chooseTile(ConvShape(conv), bf16);
    if (!tile)
      return rewriter.notifyMatchFailure(conv, "transforms would cost more than the products they save");
    int64_t sizes[] = {tile->height, tile->width};
    remarkFused(conv, "a tile of " + std::to_string(sizes[0]) + " by " + std::to_string(sizes[1]) +
                          " results takes fewer products");
    Value filter = WinogradFilterOp::create(rewriter, conv.getLoc(), conv.getWeight(), conv.getWindow(), sizes);
    rewriter.replaceOpWithNewOp<WinogradOp>(conv, conv.getInput(), filter, conv.getWindow(), sizes, conv.getPads());
    return success();
  }

private:
  bool bf16;
};

struct SelectWinogradPass : impl::SelectWinogradPassBase<SelectWinogradPass> {
  using SelectWinogradPassBase::SelectWinogradPassBase;

  void runOnOperation() override {
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      RewritePatternSet patterns(&getContext());
      patterns.add<UseWinograd>(&getContext(), bf16);
      if (failed(applyFusion(entry, std::move(patterns))))
        return signalPassFailure();
    }
  }
};

} // namespace

} // namespace quern
