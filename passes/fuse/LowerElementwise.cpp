//===- LowerElementwise.cpp - elementwise ops become maps -------------------------------------===//

#include "passes/Passes.h"
#include "passes/Rewrite.h"
#include "passes/TensorType.h"

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_LOWERELEMENTWISEPASS
#include "passes/Passes.h.inc"

static Type getElementType(Value tensor) { return getTensorType(tensor).getElementType(); }

/// The value that all elements of `tensor` have, where it is a splat literal.
static TypedAttr getSplat(Value tensor) {
  auto constant = tensor.getDefiningOp<ConstantOp>();
  auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : SplatElementsAttr();
  return splat ? dyn_cast<TypedAttr>(splat.getSplatValue<Attribute>()) : TypedAttr();
}

/// Whether scalars of `type` can be computed with.
static bool isScalar(Type type) { return type.isIntOrFloat(); }

/// `value` as a scalar of type `to`: floats round to nearest even, floats to integers towards zero.
static Value convert(OpBuilder &builder, Location loc, Value value, Type to) {
  Type from = value.getType();
  if (isa<IntegerType>(from) && isa<FloatType>(to))
    return from.isInteger(1) ? Value(arith::UIToFPOp::create(builder, loc, to, value))
                             : Value(arith::SIToFPOp::create(builder, loc, to, value));
  if (isa<FloatType>(from) && isa<IntegerType>(to))
    return arith::FPToSIOp::create(builder, loc, to, value);
  if (isa<IntegerType>(from))
    return from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth()
               ? Value(arith::ExtUIOp::create(builder, loc, to, value))
               : Value(arith::TruncIOp::create(builder, loc, to, value));
  if (!from.isF32())
    value = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
  return to.isF32() ? value : Value(arith::TruncFOp::create(builder, loc, to, value));
}

/// Replaces `op` by a map over its operands that are not splat literals. `build` makes the body's value from one scalar
/// per operand.
static void replaceByMap(PatternRewriter &rewriter, Operation *op, function_ref<Value(OpBuilder &, ValueRange)> build) {
  SmallVector<Value> inputs;
  for (Value operand : op->getOperands())
    if (!getSplat(operand))
      inputs.push_back(operand);
  auto map = MapOp::create(rewriter, op->getLoc(), op->getResult(0).getType(), inputs);
  {
    OpBuilder::InsertionGuard guard(rewriter);
    Block *body = rewriter.createBlock(&map.getBody());
    SmallVector<Value> scalars;
    for (Value operand : op->getOperands()) {
      if (TypedAttr splat = getSplat(operand))
        scalars.push_back(arith::ConstantOp::create(rewriter, op->getLoc(), splat));
      else
        scalars.push_back(body->addArgument(getElementType(operand), op->getLoc()));
    }
    YieldOp::create(rewriter, op->getLoc(), build(rewriter, scalars));
  }
  rewriter.replaceOp(op, map);
}

namespace {

/// An elementwise op -> a map of its scalar function.
struct LowerScalarBody : OpInterfaceRewritePattern<ScalarBodyOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(ScalarBodyOpInterface op, PatternRewriter &rewriter) const override {
    replaceByMap(rewriter, op,
                 [&](OpBuilder &builder, ValueRange scalars) { return op.buildScalar(builder, scalars); });
    return success();
  }
};

/// cast(x) -> a map of conversions.
struct LowerCast : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    Type from = getElementType(op.getInput()), to = getElementType(op.getResult());
    if (!isScalar(from) || !isScalar(to) || from == to)
      return rewriter.notifyMatchFailure(op, "elements are no scalars that convert");
    replaceByMap(rewriter, op, [&](OpBuilder &builder, ValueRange scalars) {
      return convert(builder, op.getLoc(), scalars.front(), to);
    });
    return success();
  }
};

/// map(…, map(a), …) -> one map, where the inner one feeds nothing else and has the outer one's shape.
struct MergeMaps : OpRewritePattern<MapOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MapOp op, PatternRewriter &rewriter) const override {
    for (Value input : op.getInputs()) {
      auto inner = input.getDefiningOp<MapOp>();
      if (!inner || !canMerge(inner, op))
        continue;
      merge(inner, op, rewriter);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no input is a map that feeds only this one, of this one's shape");
  }

private:
  static bool canMerge(MapOp inner, MapOp outer) {
    bool onlyUser = llvm::all_of(inner->getUsers(), [&](Operation *user) { return user == outer; });
    return onlyUser && inner->getBlock() == outer->getBlock() &&
           getDims(getTensorType(inner.getResult())) == getDims(getTensorType(outer.getResult()));
  }

  /// The inner body stands before the outer one's and gives the argument that the inner result was.
  static void merge(MapOp inner, MapOp outer, PatternRewriter &rewriter) {
    llvm::SmallSetVector<Value, 4> inputs(inner.getInputs().begin(), inner.getInputs().end());
    for (Value input : outer.getInputs())
      if (input != inner.getResult())
        inputs.insert(input);
    auto merged = MapOp::create(rewriter, rewriter.getFusedLoc({inner.getLoc(), outer.getLoc()}),
                                outer.getResult().getType(), inputs.getArrayRef());
    OpBuilder::InsertionGuard guard(rewriter);
    Block *body = rewriter.createBlock(&merged.getBody());
    llvm::DenseMap<Value, Value> scalars;
    for (Value input : inputs)
      scalars[input] = body->addArgument(getElementType(input), input.getLoc());
    scalars[inner.getResult()] = cloneBody(inner, scalars, rewriter);
    YieldOp::create(rewriter, merged.getLoc(), cloneBody(outer, scalars, rewriter));
    rewriter.replaceOp(outer, merged);
    rewriter.eraseOp(inner);
  }

  /// Clones the body of `map` for the elements `scalars` of its inputs and returns the value that it yields.
  static Value cloneBody(MapOp map, const llvm::DenseMap<Value, Value> &scalars, PatternRewriter &rewriter) {
    Block &body = map.getBody().front();
    IRMapping mapping;
    for (auto [input, argument] : llvm::zip_equal(map.getInputs(), body.getArguments()))
      mapping.map(argument, scalars.lookup(input));
    for (Operation &op : body.without_terminator())
      rewriter.clone(op, mapping);
    return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
  }
};

struct LowerElementwisePass : impl::LowerElementwisePassBase<LowerElementwisePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerScalarBody, LowerCast, MergeMaps>(&getContext());
    if (failed(rewriteEntries(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace quern
