//===- FlattenProducts.cpp - products of rows where the left side has more axes ----------------===//

#include "passes/Passes.h"
#include "passes/Rewrite.h"
#include "passes/TensorType.h"

#include "dialect/Shapes.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_FLATTENPRODUCTSPASS
#include "passes/Passes.h.inc"

/// Into how many products of rows one is split at most.
static constexpr int64_t maxParts = 16;

/// The axes before the last of a left side: those of static sizes above 1, and how many sizes only the run knows.
struct RowAxes {
  explicit RowAxes(MatmulOp product) {
    SmallVector<Dim> dims = getDims(getTensorType(product.getLhs()));
    for (auto [axis, dim] : llvm::enumerate(ArrayRef(dims).drop_back()))
      if (!dim.isStatic())
        ++open;
      else if (dim.size() != 1)
        wide.push_back(axis);
  }

  SmallVector<int64_t> wide;
  int64_t open = 0;
};

/// Why `product` is no product of rows by one matrix; null if it can be.
static const char *whyNot(MatmulOp product) {
  RankedTensorType left = getTensorType(product.getLhs());
  if (left.getRank() < 3)
    return "the left side has rows alone";
  if (!left.getElementType().isF32() || product.isGrouped() || product.getBatch() || product.getTransposed() ||
      getTensorType(product.getWeight()).getRank() != 2)
    return "rows have weights of their own";
  if (!product.getWeight().getDefiningOp<ParamOp>())
    return "the weight is no parameter";
  RowAxes axes(product);
  if (axes.open > 1)
    return "more than one size is known at run time only";
  if (axes.open == 1 && !axes.wide.empty() && left.getDimSize(axes.wide.front()) > maxParts)
    return "it would be too many products";
  return nullptr;
}

/// `value` with the shape `dims`.
static Value reshape(PatternRewriter &rewriter, Value value, ArrayRef<Dim> dims) {
  RankedTensorType type = getTensorType(dims, getTensorType(value).getElementType());
  return ReshapeOp::create(rewriter, value.getLoc(), type, value);
}

/// The product with a left side of rank 2, whose rows are all of the left side's.
static Value flatten(PatternRewriter &rewriter, MatmulOp product) {
  SmallVector<Dim> dims = getDims(getTensorType(product.getLhs()));
  int64_t rows = 1;
  std::optional<Dim> open;
  for (Dim dim : ArrayRef(dims).drop_back())
    if (dim.isStatic())
      rows *= dim.size();
    else
      open = dim;
  Value left = reshape(rewriter, product.getLhs(), {open.value_or(Dim::fixed(rows)), dims.back()});
  Value result = MatmulOp::create(rewriter, product.getLoc(), left, product.getWeight());
  return reshape(rewriter, result, getDims(getTensorType(product.getResult())));
}

/// A product for each index of `axis`, which has a static size.
static Value split(PatternRewriter &rewriter, MatmulOp product, int64_t axis) {
  Location loc = product.getLoc();
  SmallVector<Dim> dims = getDims(getTensorType(product.getLhs())), partDims = dims;
  SmallVector<Dim> resultDims = getDims(getTensorType(product.getResult()));
  partDims.erase(partDims.begin() + axis);
  resultDims[axis] = Dim::fixed(1);
  SmallVector<Value> parts;
  for (int64_t i = 0; i < dims[axis].size(); ++i) {
    Value slice = SliceOp::create(rewriter, loc, product.getLhs(), axis, i, 1);
    Value part = MatmulOp::create(rewriter, loc, reshape(rewriter, slice, partDims), product.getWeight());
    parts.push_back(reshape(rewriter, part, resultDims));
  }
  return ConcatOp::create(rewriter, loc, parts, axis);
}

namespace {

/// matmul(x, w) for x of [a, b, k] -> the product of the rows [a·b, k] where both sizes are static; else of each
/// x[:, i] or x[i], by the axis that is static. The sums of a row are what they were.
struct FlattenProduct : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp product, PatternRewriter &rewriter) const override {
    if (const char *reason = whyNot(product))
      return rewriter.notifyMatchFailure(product, reason);
    RowAxes axes(product);
    bool isFlat = axes.open == 0 || axes.wide.empty();
    rewriter.replaceOp(product, isFlat ? flatten(rewriter, product) : split(rewriter, product, axes.wide.front()));
    return success();
  }
};

struct FlattenProductsPass : impl::FlattenProductsPassBase<FlattenProductsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FlattenProduct>(&getContext());
    if (failed(rewriteEntries(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace quern
