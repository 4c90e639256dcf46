//===- FuseHorizontal.cpp - products that read one tensor become one --------------------------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"
#include "passes/fuse/Products.h"
#include "passes/tile/CostModel.h"

#include "dialect/Shapes.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_FUSEHORIZONTALPASS
#include "passes/Passes.h.inc"

/// The elementwise ops through which alone the result of `op` goes.
static llvm::SmallSetVector<Operation *, 4> getChain(MatmulOp op) {
  llvm::SmallSetVector<Operation *, 4> chain;
  Value value = op.getResult();
  while (!value.use_empty() && llvm::all_equal(value.getUsers())) {
    Operation *user = *value.getUsers().begin();
    if (!isa<ScalarBodyOpInterface>(user))
      break;
    chain.insert(user);
    value = user->getResult(0);
  }
  return chain;
}

/// Whether the results of `a` and `b` meet in an elementwise op, as in silu(gate) · up.
static bool doMeet(MatmulOp a, MatmulOp b) {
  auto chain = getChain(a);
  return llvm::any_of(getChain(b), [&](Operation *op) { return chain.contains(op); });
}

static Value getInput(MatmulOp op) { return op.getLhs(); }
static Value getInput(Conv2dOp op) { return op.getInput(); }

/// Whether `a` and `b`, of one input, may be one product.
static bool areAlike(MatmulOp a, MatmulOp b) {
  auto isPlain = [](MatmulOp op) { return !op.isGrouped() && !op.isBatched() && op.hasRows(); };
  return isPlain(a) && isPlain(b) &&
         getTensorType(a.getWeight()).getElementType() == getTensorType(b.getWeight()).getElementType();
}
static bool areAlike(Conv2dOp a, Conv2dOp b) {
  return getTensorType(a.getWeight()).getElementType() == getTensorType(b.getWeight()).getElementType() &&
         a.getWindow() == b.getWindow() && a.getStrides() == b.getStrides() && a.getPads() == b.getPads() &&
         a.getDilations() == b.getDilations() &&
         llvm::equal(getTail(a, a.getWeight()), getTail(b, b.getWeight()), areEqual);
}

/// What it means that none is like `op`.
static const char *getDifference(MatmulOp) { return "the other weights on this tensor have other element types"; }
static const char *getDifference(Conv2dOp) {
  return "the other convolutions of this tensor have other elements, windows, biases or activations";
}

/// Why `op` may not become one with others of `siblings`, which have its input; null if it may.
static const char *whyNot(MatmulOp op, ArrayRef<MatmulOp> siblings) {
  bool meets = llvm::any_of(siblings, [&](MatmulOp other) { return other != op && doMeet(op, other); });
  return meets ? "the results meet in an elementwise op, where they become one kernel without joining" : nullptr;
}
static const char *whyNot(Conv2dOp op, ArrayRef<Conv2dOp>) {
  if (op.getLayout() != ImageLayout::NHWC || op.getGroups() != 1)
    return "the convolution has groups, or its channels are not last";
  Value end = getEnd(getTail(op, op.getWeight()), op.getResult());
  bool isImage = llvm::all_of(end.getUsers(), [&](Operation *user) {
    auto reader = dyn_cast<ImageOpInterface>(user);
    return reader && reader.getInput() == end;
  });
  return isImage ? nullptr
                 : "not only convolutions and pools read the result; others would lose a fusion or copy their part";
}

/// Those of `parts` that are worth joining.
static SmallVector<MatmulOp> chooseParts(ArrayRef<MatmulOp> parts, TargetAttr) { return llvm::to_vector(parts); }

/// For convolutions, the set that the cost model finds to gain most: a joined one is one launch and reads its input
/// once, but its panels may fill tiles worse than theirs did.
static SmallVector<Conv2dOp> chooseParts(ArrayRef<Conv2dOp> parts, TargetAttr target) {
  constexpr size_t most = 8; // 256 sets
  parts = parts.take_front(most);
  auto countOutputs = [](Conv2dOp part) { return getTensorType(part.getWeight()).getDimSize(0); };
  SmallVector<Conv2dOp> best;
  double bestGain = 0;
  for (unsigned set = 1; set < 1u << parts.size(); ++set) {
    SmallVector<Conv2dOp> chosen;
    int64_t outputs = 0;
    double gain = 0;
    for (auto [i, part] : llvm::enumerate(parts)) {
      if (!(set >> i & 1))
        continue;
      chosen.push_back(part);
      outputs += countOutputs(part);
      gain += estimateCost(part, countOutputs(part), target);
    }
    gain -= estimateCost(parts.front(), outputs, target);
    if (gain > bestGain)
      best = chosen, bestGain = gain;
  }
  return best;
}

/// The product of the input of `op` and `weight`.
static Value createProduct(RewriterBase &rewriter, Location loc, MatmulOp op, Value weight) {
  return MatmulOp::create(rewriter, loc, op.getLhs(), weight);
}

namespace {

/// What the entries do with parameters.
class ParameterUses {
public:
  explicit ParameterUses(ModuleOp module) {
    for (EntryOp entry : module.getOps<EntryOp>()) {
      llvm::DenseSet<StringAttr> inEntry;
      entry.walk([&](ParamOp param) {
        for (OpOperand &use : param.getResult().getUses()) {
          if (!isWeight(use) || !inEntry.insert(param.getParameterAttr().getAttr()).second)
            shared.insert(param.getParameterAttr().getAttr());
        }
      });
    }
  }

  /// Whether an entry uses the parameter `name` for more than one product's weight.
  bool isShared(StringAttr name) const { return shared.contains(name); }

private:
  llvm::DenseSet<StringAttr> shared;

  static bool isWeight(OpOperand &use) {
    if (auto matmul = dyn_cast<MatmulOp>(use.getOwner()))
      return &matmul.getWeightMutable() == &use;
    auto conv = dyn_cast<Conv2dOp>(use.getOwner());
    return conv && &conv.getWeightMutable() == &use;
  }
};

/// Slices of product(x, concat(a, b, …)) for product(x, a), product(x, b), …
template <typename OpT> struct JoinProducts : OpRewritePattern<OpT> {
  JoinProducts(MLIRContext *context, const ParameterUses &uses, JoinedParameters &joined, TargetAttr target)
      : OpRewritePattern<OpT>(context), uses(uses), joined(joined), target(target) {}

  LogicalResult matchAndRewrite(OpT first, PatternRewriter &rewriter) const override {
    SmallVector<OpT> siblings = getSiblings(first);
    if (siblings.size() < 2)
      return failure();
    SmallVector<OpT> peers =
        llvm::to_vector(llvm::make_filter_range(siblings, [&](OpT op) { return areAlike(first, op); }));
    if (peers.size() < 2)
      return rewriter.notifyMatchFailure(first, getDifference(first));
    if (peers.front() != first)
      return failure();
    SmallVector<OpT> parts = getParts(peers, siblings, rewriter);
    if (parts.size() < 2)
      return failure();
    SmallVector<OpT> chosen = chooseParts(parts, target);
    if (chosen.size() < 2)
      return rewriter.notifyMatchFailure(first, "one product would not take less time");
    join(chosen, rewriter);
    return success();
  }

private:
  const ParameterUses &uses;
  JoinedParameters &joined;
  TargetAttr target;

  /// The products in the block of `op` that have its input, in their order.
  static SmallVector<OpT> getSiblings(OpT op) {
    SmallVector<OpT> siblings;
    for (OpOperand &use : getInput(op).getUses())
      if (auto other = dyn_cast<OpT>(use.getOwner()); other && other->getBlock() == op->getBlock())
        siblings.push_back(other);
    llvm::sort(siblings, [](OpT a, OpT b) { return a->isBeforeInBlock(b); });
    return siblings;
  }

  /// Those of `peers`, which are alike, that may become one.
  SmallVector<OpT> getParts(ArrayRef<OpT> peers, ArrayRef<OpT> siblings, PatternRewriter &rewriter) const {
    SmallVector<OpT> parts;
    for (OpT op : peers) {
      const char *reason = whyNotWeight(op.getWeight());
      if (!reason)
        reason = whyNot(op, siblings);
      if (reason)
        (void)rewriter.notifyMatchFailure(op, reason);
      else
        parts.push_back(op);
    }
    return parts;
  }

  /// Why `weight` may not become rows of another; null if it may.
  const char *whyNotWeight(Value weight) const {
    auto param = weight.getDefiningOp<ParamOp>();
    if (!param)
      return "the weight is no parameter";
    return uses.isShared(param.getParameterAttr().getAttr())
               ? "the weight has other uses, so joining it would store it twice"
               : nullptr;
  }

  /// With what follows each part: a bias, ops of one operand.
  void join(ArrayRef<OpT> parts, PatternRewriter &rewriter) const {
    SmallVector<Location> locations;
    SmallVector<Value> weights;
    SmallVector<SmallVector<Operation *>> tails;
    for (OpT part : parts) {
      remarkFused(part, "one product by joined weights reads the tensor once");
      locations.push_back(part.getLoc());
      weights.push_back(part.getWeight());
      tails.push_back(getTail(part.getResult(), part.getWeight()));
    }
    cutTails(tails);
    Location loc = rewriter.getFusedLoc(locations);
    OpT first = parts.front();
    rewriter.setInsertionPoint(first);
    Value result = createProduct(rewriter, loc, first, joined.get(rewriter, loc, weights));
    Value bias = getBias(tails.front());
    if (bias)
      bias = joined.get(rewriter, loc, llvm::map_to_vector(tails, [](auto &tail) { return getBias(tail); }));
    result = cloneTail(rewriter, tails.front(), result, bias);
    int64_t axis = getTensorType(result).getRank() - 1, offset = 0;
    for (auto [part, weight, tail] : llvm::zip_equal(parts, weights, tails)) {
      OpT op = part;
      int64_t size = getTensorType(weight).getDimSize(0);
      Value slice = SliceOp::create(rewriter, op.getLoc(), result, axis, offset, size);
      offset += size;
      rewriter.replaceAllUsesWith(getEnd(tail, op.getResult()), slice);
      for (Operation *replaced : llvm::reverse(tail))
        rewriter.eraseOp(replaced);
      rewriter.eraseOp(op);
    }
  }

  /// Leaves of each tail what begins all of them alike.
  static void cutTails(MutableArrayRef<SmallVector<Operation *>> tails) {
    size_t common = tails.front().size();
    for (ArrayRef<Operation *> tail : tails) {
      common = std::min(common, tail.size());
      while (!llvm::equal(tail.take_front(common), ArrayRef(tails.front()).take_front(common), areEqual))
        --common;
    }
    for (SmallVector<Operation *> &tail : tails)
      tail.truncate(common);
  }
};

struct FuseHorizontalPass : impl::FuseHorizontalPassBase<FuseHorizontalPass> {
  void runOnOperation() override {
    TargetAttr target = getWeightsTarget(getOperation());
    ParameterUses uses(getOperation());
    JoinedParameters joined(getOperation());
    for (EntryOp entry : llvm::to_vector(getOperation().getOps<EntryOp>())) {
      RewritePatternSet patterns(&getContext());
      patterns.add<JoinProducts<MatmulOp>>(&getContext(), uses, joined, target);
      if (target)
        patterns.add<JoinProducts<Conv2dOp>>(&getContext(), uses, joined, target);
      if (failed(applyFusion(entry, std::move(patterns))))
        return signalPassFailure();
    }
  }
};

} // namespace

} // namespace quern
