//===- FuseHorizontal.cpp - matmuls that read one tensor become one ---------------------------===//

#include "passes/Passes.h"
#include "passes/Signature.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"

#include "dialect/Shapes.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

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

/// The bias that alone uses the result of `op`: add(op, param) with one value per output; null where there is none.
static AddOp getBias(MatmulOp op) {
  Value result = op.getResult();
  auto add = result.hasOneUse() ? dyn_cast<AddOp>(*result.getUsers().begin()) : AddOp();
  if (!add || add.getLhs() != result || !add.getRhs().getDefiningOp<ParamOp>() ||
      getDims(getTensorType(add.getRhs())) != ArrayRef(getDims(getTensorType(op.getWeight()))).take_front(1))
    return nullptr;
  return add;
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
          auto matmul = dyn_cast<MatmulOp>(use.getOwner());
          bool isWeight = matmul && &matmul.getWeightMutable() == &use;
          if (!isWeight || !inEntry.insert(param.getParameterAttr().getAttr()).second)
            shared.insert(param.getParameterAttr().getAttr());
        }
      });
    }
  }

  /// Whether an entry uses the parameter `name` for more than one matmul's weight.
  bool isShared(StringAttr name) const { return shared.contains(name); }

private:
  llvm::DenseSet<StringAttr> shared;
};

/// Parameters that join others row by row, one per set of parts.
class JoinedParameters {
public:
  explicit JoinedParameters(ModuleOp module) : symbols(module) {
    for (auto parameter : module.getOps<ParameterOp>())
      if (!parameter.isExternal())
        known.try_emplace(getSignature(parameter), parameter);
  }

  /// The value, made at `rewriter`'s place, of the parameter that joins `parts`, values of parameters, along axis 0.
  Value get(PatternRewriter &rewriter, Location loc, ArrayRef<Value> parts) {
    ParameterOp parameter = getParameter(rewriter, loc, parts);
    return ParamOp::create(rewriter, loc, parameter.getType(), parameter.getSymName());
  }

private:
  SymbolTable symbols;
  llvm::StringMap<ParameterOp> known;

  ParameterOp getParameter(PatternRewriter &rewriter, Location loc, ArrayRef<Value> parts) {
    OpBuilder::InsertionGuard guard(rewriter);
    auto entry = rewriter.getInsertionBlock()->getParentOp();
    rewriter.setInsertionPoint(entry);
    Type any = parts.front().getType();
    auto parameter =
        ParameterOp::create(rewriter, loc, joinNames(parts), any, rewriter.getStringAttr("private"));
    rewriter.createBlock(&parameter.getInit());
    SmallVector<Value> values;
    for (Value part : parts)
      values.push_back(rewriter.clone(*part.getDefiningOp())->getResult(0));
    auto joined = ConcatOp::create(rewriter, loc, values, /*axis=*/0);
    YieldOp::create(rewriter, loc, joined.getResult());
    parameter.setType(joined.getResult().getType());

    auto [place, isNew] = known.try_emplace(getSignature(parameter), parameter);
    if (!isNew) {
      rewriter.eraseOp(parameter);
      return place->second;
    }
    parameter->remove();
    symbols.insert(parameter, entry->getIterator());
    return parameter;
  }

  /// `layers.0.q_proj.weight+layers.0.k_proj.weight`
  static std::string joinNames(ArrayRef<Value> parts) {
    return llvm::join(llvm::map_range(parts, [](Value part) {
                        return part.getDefiningOp<ParamOp>().getParameter();
                      }), "+");
  }
};

/// Slices of matmul(x, concat(a, b, …)) for matmul(x, a), matmul(x, b), …
struct JoinMatmuls : OpRewritePattern<MatmulOp> {
  JoinMatmuls(MLIRContext *context, const ParameterUses &uses, JoinedParameters &joined)
      : OpRewritePattern(context), uses(uses), joined(joined) {}

  LogicalResult matchAndRewrite(MatmulOp first, PatternRewriter &rewriter) const override {
    SmallVector<MatmulOp> siblings = getSiblings(first);
    if (siblings.size() < 2)
      return failure();
    Type element = getTensorType(first.getWeight()).getElementType();
    SmallVector<MatmulOp> peers = llvm::to_vector(llvm::make_filter_range(siblings, [&](MatmulOp op) {
      return getTensorType(op.getWeight()).getElementType() == element;
    }));
    if (peers.size() < 2)
      return rewriter.notifyMatchFailure(first, "the other weights on this tensor have other element types");
    if (peers.front() != first)
      return failure();
    SmallVector<MatmulOp> parts = getParts(peers, siblings, rewriter);
    if (parts.size() < 2)
      return failure();
    join(parts, rewriter);
    return success();
  }

private:
  const ParameterUses &uses;
  JoinedParameters &joined;

  /// The matmuls in the block of `op` that have its left side, in their order.
  static SmallVector<MatmulOp> getSiblings(MatmulOp op) {
    SmallVector<MatmulOp> siblings;
    for (OpOperand &use : op.getLhs().getUses())
      if (auto matmul = dyn_cast<MatmulOp>(use.getOwner()); matmul && matmul->getBlock() == op->getBlock())
        siblings.push_back(matmul);
    llvm::sort(siblings, [](MatmulOp a, MatmulOp b) { return a->isBeforeInBlock(b); });
    return siblings;
  }

  /// Those of `peers`, whose weights have one element type, that may become one.
  SmallVector<MatmulOp> getParts(ArrayRef<MatmulOp> peers, ArrayRef<MatmulOp> siblings,
                                 PatternRewriter &rewriter) const {
    SmallVector<MatmulOp> parts;
    for (MatmulOp op : peers) {
      if (const char *reason = whyNot(op, siblings))
        (void)rewriter.notifyMatchFailure(op, reason);
      else
        parts.push_back(op);
    }
    return parts;
  }

  /// Why `op` may not become one with others of `siblings`; null if it may.
  const char *whyNot(MatmulOp op, ArrayRef<MatmulOp> siblings) const {
    auto param = op.getWeight().getDefiningOp<ParamOp>();
    if (!param)
      return "the weight is no parameter";
    if (uses.isShared(param.getParameterAttr().getAttr()))
      return "the weight has other uses, so joining it would store it twice";
    bool meets = llvm::any_of(siblings, [&](MatmulOp other) { return other != op && doMeet(op, other); });
    return meets ? "the results meet in an elementwise op, where they become one kernel without joining" : nullptr;
  }

  /// With biases where each part has one.
  void join(ArrayRef<MatmulOp> parts, PatternRewriter &rewriter) const {
    SmallVector<Location> locations;
    SmallVector<Value> weights, biases;
    SmallVector<AddOp> adds;
    for (MatmulOp part : parts) {
      remarkFused(part, "one product by joined weights reads the tensor once");
      locations.push_back(part.getLoc());
      weights.push_back(part.getWeight());
      adds.push_back(getBias(part));
      if (adds.back())
        biases.push_back(adds.back().getRhs());
    }
    Location loc = rewriter.getFusedLoc(locations);
    MatmulOp first = parts.front();
    rewriter.setInsertionPoint(first);
    Value result = MatmulOp::create(rewriter, loc, first.getLhs(), joined.get(rewriter, loc, weights));
    bool withBias = biases.size() == parts.size();
    if (withBias)
      result = AddOp::create(rewriter, loc, result, joined.get(rewriter, loc, biases));
    int64_t axis = getTensorType(result).getRank() - 1, offset = 0;
    for (auto [weight, part, add] : llvm::zip_equal(weights, parts, adds)) {
      int64_t size = getTensorType(weight).getDimSize(0);
      MatmulOp matmul = part;
      Value slice = SliceOp::create(rewriter, matmul.getLoc(), result, axis, offset, size);
      offset += size;
      if (withBias)
        rewriter.replaceOp(add, slice);
      else
        rewriter.replaceAllUsesWith(matmul.getResult(), slice);
    }
    for (MatmulOp part : parts)
      rewriter.eraseOp(part);
  }
};

struct FuseHorizontalPass : impl::FuseHorizontalPassBase<FuseHorizontalPass> {
  void runOnOperation() override {
    ParameterUses uses(getOperation());
    JoinedParameters joined(getOperation());
    for (EntryOp entry : llvm::to_vector(getOperation().getOps<EntryOp>())) {
      RewritePatternSet patterns(&getContext());
      patterns.add<JoinMatmuls>(&getContext(), uses, joined);
      if (failed(applyFusion(entry, std::move(patterns))))
        return signalPassFailure();
    }
  }
};

} // namespace

} // namespace quern
