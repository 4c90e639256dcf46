//===- WidenCaches.cpp - caches of f32 where f16 is not enough -----------------------------------===//

#include "passes/Passes.h"
#include "passes/States.h"
#include "passes/TensorType.h"

#include "dialect/RandomValues.h"
#include "dialect/Reference.h"
#include "dialect/Shapes.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <numbers>

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_WIDENCACHESPASS
#include "passes/Passes.h.inc"

namespace {

/// The largest number of f16, and the smallest that has all its digits.
constexpr float largestHalf = 65504, smallestHalf = 0x1p-14;

/// How large the elements of a value's rows are: no row's element exceeds its bound,
/// and most rows' are about the usual size.
struct Spread {
  std::vector<float> bound, usual;
};

/// Finds the spread of what is appended to caches.
class SpreadAnalysis {
public:
  SpreadAnalysis(ModuleOp module, ParameterSource &source) : module(module), symbols(module), source(source) {}

  /// The spread of `value`; nothing where it is not known.
  std::optional<Spread> get(Value value);
  /// Whether a parameter could not be read, which was reported.
  bool hasFailed() const { return failed; }

private:
  std::optional<Spread> getNorm(RmsNormOp norm, int64_t rowElements);
  std::optional<Spread> getProduct(MatmulOp matmul);
  bool apply(Operation *op, Spread &spread);
  const Tensor *getParameter(Value value);

  ModuleOp module;
  SymbolTable symbols;
  ParameterSource &source;
  llvm::DenseMap<StringAttr, Tensor> parameters;
  /// By the weights of a matmul and of the norm before it: variants of an entry have them in common.
  llvm::DenseMap<std::pair<Attribute, Attribute>, Spread> products;
  bool failed = false;
};

} // namespace

/// The parameter that `value` is, through casts; null where it is none.
static StringAttr getParameterName(Value value) {
  while (auto cast = value.getDefiningOp<CastOp>())
    value = cast.getInput();
  auto param = value.getDefiningOp<ParamOp>();
  return param ? param.getParameterAttr().getAttr() : StringAttr();
}

const Tensor *SpreadAnalysis::getParameter(Value value) {
  StringAttr name = getParameterName(value);
  if (!name)
    return nullptr;
  auto [place, isNew] = parameters.try_emplace(name);
  if (isNew) {
    FailureOr<Tensor> read = Evaluator(module, source).evaluateParameter(symbols.lookup<ParameterOp>(name));
    failed |= mlir::failed(read);
    if (succeeded(read))
      place->second = std::move(*read);
  }
  return place->second.getType() ? &place->second : nullptr;
}

/// u ∘ w with |u| ≤ √n, for each of the rows of n that a row of `norm` may be seen as.
std::optional<Spread> SpreadAnalysis::getNorm(RmsNormOp norm, int64_t rowElements) {
  const Tensor *weight = getParameter(norm.getWeight());
  if (!weight)
    return std::nullopt;
  std::vector<float> factors = weight->readFloats();
  Spread spread;
  for (int64_t i = 0; i < rowElements; ++i) {
    spread.usual.push_back(std::abs(factors[i % factors.size()]));
    spread.bound.push_back(spread.usual.back() * std::sqrt(float(factors.size())));
  }
  return spread;
}

/// r · (u ∘ w) with |u| ≤ √n, for each row r of the weight: at most √n · ‖r ∘ w‖.
std::optional<Spread> SpreadAnalysis::getProduct(MatmulOp matmul) {
  Operation *lhs = matmul.getLhs().getDefiningOp();
  while (isa_and_nonnull<CastOp, QuantizeOp>(lhs))
    lhs = lhs->getOperand(0).getDefiningOp();
  auto norm = dyn_cast_or_null<RmsNormOp>(lhs);
  if (!norm || !getParameterName(matmul.getWeight()) || !getParameterName(norm.getWeight()))
    return std::nullopt;
  auto [place, isNew] =
      products.try_emplace({getParameterName(matmul.getWeight()), getParameterName(norm.getWeight())});
  Spread &spread = place->second;
  if (!isNew)
    return spread;
  const Tensor *read = getParameter(norm.getWeight());
  if (!read)
    return std::nullopt;
  std::vector<float> factors = read->readFloats();
  const Tensor *weight = getParameter(matmul.getWeight());
  if (!weight)
    return std::nullopt;
  std::vector<float> row(factors.size());
  for (int64_t j = 0; j < weight->getNumRows(); ++j) {
    weight->readRow(j, row);
    double squares = 0;
    for (auto [element, factor] : llvm::zip_equal(row, factors))
      squares += double(element) * factor * element * factor;
    spread.usual.push_back(std::sqrt(squares));
    spread.bound.push_back(std::sqrt(squares * factors.size()));
  }
  parameters.erase(getParameterName(matmul.getWeight())); // the largest are read once
  return spread;
}

/// The elements of `values`, rows of shape [.., c, ..] of the operand of `op`, that are in the slice.
static std::vector<float> sliceRow(SliceOp op, ArrayRef<float> values) {
  RankedTensorType type = getTensorType(op.getInput());
  int64_t inner = 1, size = type.getDimSize(op.getAxis());
  for (int64_t extent : type.getShape().drop_front(op.getAxis() + 1))
    inner *= extent;
  std::vector<float> result;
  for (auto [i, value] : llvm::enumerate(values))
    if (int64_t at = int64_t(i) / inner % size;
        at >= int64_t(op.getOffset()) && at < int64_t(op.getOffset() + op.getSize()))
      result.push_back(value);
  return result;
}

/// What `op` makes of `spread`, its input's; false where that is not known.
bool SpreadAnalysis::apply(Operation *op, Spread &spread) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<CastOp, QuantizeOp>([](Operation *) { return true; })
      .Case([](ReshapeOp reshape) {
        SmallVector<Dim> from = getDims(getTensorType(reshape.getInput())),
                         to = getDims(getTensorType(reshape.getResult()));
        return !from.empty() && !to.empty() && from.front() == to.front();
      })
      .Case([&](SliceOp slice) {
        spread = {sliceRow(slice, spread.bound), sliceRow(slice, spread.usual)};
        return slice.getAxis() != 0;
      })
      .Case([&](AddOp add) {
        const Tensor *bias = getParameter(add->getOperand(1));
        if (!bias || size_t(bias->getNumElements()) != spread.bound.size())
          return false;
        for (auto [i, value] : llvm::enumerate(bias->readFloats())) {
          spread.bound[i] += std::abs(value);
          spread.usual[i] = std::hypot(spread.usual[i], value);
        }
        return true;
      })
      .Case([&](RopeOp) {
        // |u cos - v sin| ≤ √2 · max(|u|, |v|): this holds for the largest of a head.
        for (float &bound : spread.bound)
          bound *= std::numbers::sqrt2_v<float>;
        return true;
      })
      .Default([](Operation *) { return false; });
}

std::optional<Spread> SpreadAnalysis::get(Value value) {
  SmallVector<Operation *> after;
  Operation *op = value.getDefiningOp();
  for (; op && !isa<MatmulOp, RmsNormOp>(op); op = op->getNumOperands() ? op->getOperand(0).getDefiningOp() : nullptr)
    after.push_back(op);
  std::optional<Spread> spread;
  if (auto matmul = dyn_cast_or_null<MatmulOp>(op)) {
    spread = getProduct(matmul);
  } else if (auto norm = dyn_cast_or_null<RmsNormOp>(op)) {
    RankedTensorType type = getTensorType(norm.getResult());
    spread = getNorm(norm, RankedTensorType::get(type.getShape().drop_front(), type.getElementType()).getNumElements());
  }
  for (Operation *next : llvm::reverse(after))
    if (spread && !apply(next, *spread))
      return std::nullopt;
  return spread;
}

/// Why f16 does not hold numbers of `spread`, of heads of `size` elements; empty where it does.
static std::string whyNot(const Spread &spread, int64_t size) {
  std::string reason;
  llvm::raw_string_ostream os(reason);
  float largest = *llvm::max_element(spread.bound);
  if (!(largest <= largestHalf)) {
    os << "may be given " << llvm::format("%.3g", largest) << ", and f16 holds at most 65504";
    return reason;
  }
  for (ArrayRef<float> rest = spread.usual; !rest.empty(); rest = rest.drop_front(size)) {
    float usual = *llvm::max_element(rest.take_front(size));
    if (usual == 0 || usual >= smallestHalf)
      continue;
    os << "is given numbers of about " << llvm::format("%.3g", usual) << ", of which f16 keeps few digits";
    return reason;
  }
  return reason;
}

namespace {

struct WidenCachesPass : impl::WidenCachesPassBase<WidenCachesPass> {
  using WidenCachesPassBase::WidenCachesPassBase;
  WidenCachesPass(ParameterSource &source, bool keep) : source(&source) { this->keep = keep; }

  void runOnOperation() override {
    llvm::DenseSet<StringAttr> states;
    for (auto state : getOperation().getOps<StateOp>())
      if (state.isCache() && state.getTensorType().getElementType().isF16())
        states.insert(state.getSymNameAttr());
    if (states.empty() || !areCaches(getOperation(), states))
      return;
    RandomParameters random(getOperation());
    SpreadAnalysis analysis(getOperation(), source ? *source : random);
    CacheAppendOp found;
    getOperation().walk([&](CacheAppendOp append) {
      std::optional<Spread> spread;
      if (states.contains(getState(append.getCache())))
        spread = analysis.get(append.getInput());
      std::string reason = spread ? whyNot(*spread, getTensorType(append.getCache()).getDimSize(2)) : "";
      if (reason.empty())
        return analysis.hasFailed() ? WalkResult::interrupt() : WalkResult::advance();
      append.emitRemark(keep ? "caches hold f16 all the same: `" : "caches hold f32: `")
          << getState(append.getCache()).getValue() << "` " << reason;
      found = append;
      return WalkResult::interrupt();
    });
    if (analysis.hasFailed())
      return signalPassFailure();
    if (found && !keep)
      setElements(getOperation(), states, Float32Type::get(&getContext()));
  }

private:
  /// Where the values of external parameters come from; null: random ones, as tests have.
  ParameterSource *source = nullptr;
};

} // namespace

std::unique_ptr<Pass> createWidenCachesPass(ParameterSource &source, bool keep) {
  return std::make_unique<WidenCachesPass>(source, keep);
}

} // namespace quern
