//===- ReferenceCheck.cpp - evaluates a module before and after each pass ---------------------===//

#include "tools/ReferenceCheck.h"

#include "dialect/RandomValues.h"
#include "dialect/Reference.h"
#include "dialect/Shapes.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstdlib>

using namespace mlir;
using namespace quern;

namespace {

/// What an entry gives, as f32 values per result.
using Results = SmallVector<std::vector<float>>;

/// What an entry gives, and how narrow its operands are.
struct Outcome {
  Results results;
  int64_t narrow = 0;
};

/// The largest number of weights of a module that is checked.
constexpr int64_t maxWeights = int64_t(1) << 24;
/// The largest number of operations of an entry that is checked: some seconds of loops.
constexpr int64_t maxOperations = int64_t(1) << 28;

/// An entry or a program: what both have.
struct Runnable {
  Operation *op = nullptr;
  StringRef name;
  SmallVector<Type> inputs;
  ArrayAttr argNames;
  DictionaryAttr when;
  FlatSymbolRefAttr variantOf;
};

class ReferenceCheck final : public PassInstrumentation {
public:
  void runBeforePass(Pass *pass, Operation *op) override;
  void runAfterPass(Pass *pass, Operation *op) override;

private:
  /// What the general forms were after the last pass, by name; meaningful while `measured`.
  llvm::StringMap<Outcome> before;
  bool measured = false;
};

} // namespace

static std::optional<Runnable> getRunnable(Operation &op) {
  if (auto entry = dyn_cast<EntryOp>(op))
    return Runnable{entry,
                    entry.getSymName(),
                    SmallVector<Type>(entry.getArgumentTypes()),
                    entry.getArgNamesAttr(),
                    entry.getWhenAttr(),
                    entry.getVariantOfAttr()};
  if (auto program = dyn_cast<ProgramOp>(op))
    return Runnable{program,
                    program.getSymName(),
                    program.getInputTypes(),
                    program.getArgNamesAttr(),
                    program.getWhenAttr(),
                    program.getVariantOfAttr()};
  return std::nullopt;
}

static bool isSmall(ModuleOp module) {
  int64_t weights = 0;
  for (auto parameter : module.getOps<ParameterOp>())
    if (parameter.getTensorType().hasStaticShape())
      weights += parameter.getTensorType().getNumElements();
  return weights <= maxWeights;
}

/// How many sums and products `function` takes where named dimensions have the size 2.
static int64_t countOperations(Operation *function) {
  int64_t count = 0;
  function->walk([&](KernelOpInterface op) {
    for (const WorkTerm &term : op.getOperations())
      count += term.count << term.sizes.size();
  });
  return count;
}

/// How narrow elements of this type are: fewer digits count more.
static int64_t getNarrowness(Type element) {
  if (isa<BlockType>(element))
    return 3;
  return element.isBF16() ? 2 : element.isF16();
}

/// How narrow the operands of the anchors in `function` are, weights among them. Who clones, joins or moves ops makes
/// them no narrower; who rounds values does.
static int64_t countNarrow(Operation *function) {
  int64_t count = 0;
  function->walk([&](KernelAnchorOpInterface anchor) {
    for (Value operand : anchor->getOperands())
      if (auto type = dyn_cast<RankedTensorType>(operand.getType()))
        count += getNarrowness(type.getElementType());
  });
  return count;
}

/// The types of the inputs of `what` where named dimensions have the sizes of `when`, or 2.
static FailureOr<SmallVector<RankedTensorType>> getInputTypes(const Runnable &what, DictionaryAttr when) {
  SymbolSizes sizes;
  for (NamedAttribute size : when ? when.getValue() : ArrayRef<NamedAttribute>())
    sizes[size.getName()] = cast<IntegerAttr>(size.getValue()).getInt();
  SmallVector<RankedTensorType> types;
  for (Type type : what.inputs) {
    auto formal = dyn_cast<RankedTensorType>(type);
    if (!formal)
      return failure();
    for (Dim dim : getDims(formal))
      if (!dim.isStatic())
        sizes.try_emplace(dim.name(), 2);
    types.push_back(*resolveType(formal, sizes));
  }
  return types;
}

/// Runs `what` on random inputs. Integers are numbers of one of two rows, of the first where an axis has one.
static FailureOr<Results> run(ModuleOp module, const Runnable &what, DictionaryAttr when) {
  FailureOr<SmallVector<RankedTensorType>> types = getInputTypes(what, when);
  if (failed(types))
    return failure();
  int64_t rows = 2;
  for (RankedTensorType type : *types)
    rows = type.getRank() == 0 ? rows : std::min(rows, std::max<int64_t>(type.getDimSize(0), 1));
  SmallVector<Tensor> inputs;
  for (auto [i, type] : llvm::enumerate(*types)) {
    std::string name = what.argNames ? cast<StringAttr>(what.argNames[i]).str() : std::to_string(i);
    FailureOr<Tensor> value = makeRandomTensor(name, type, rows);
    if (failed(value))
      return failure();
    inputs.push_back(*value);
  }
  RandomParameters parameters(module);
  Evaluator evaluator(module, parameters);
  auto entry = dyn_cast<EntryOp>(what.op);
  FailureOr<SmallVector<Tensor>> results =
      entry ? evaluator.evaluateEntry(entry, inputs) : evaluator.evaluateProgram(cast<ProgramOp>(what.op), inputs);
  if (failed(results))
    return failure();
  Results values;
  for (const Tensor &result : *results)
    values.push_back(result.readFloats());
  return values;
}

/// The results of all general forms; failure where one cannot be evaluated, which is said only if `loud`.
static FailureOr<llvm::StringMap<Outcome>> runAll(ModuleOp module, bool loud) {
  ScopedDiagnosticHandler quiet(module.getContext(), [&](Diagnostic &) { return success(!loud); });
  llvm::StringMap<Outcome> all;
  for (Operation &op : module.getOps()) {
    std::optional<Runnable> what = getRunnable(op);
    if (!what || what->variantOf || countOperations(what->op) > maxOperations)
      continue;
    FailureOr<Results> results = run(module, *what, {});
    if (failed(results))
      return failure();
    all[what->name] = {*results, countNarrow(what->op)};
  }
  return all;
}

/// Ends the process unless `found` is near `expected`.
static void require(const Results &expected, const Results &found, double bound, const llvm::Twine &where) {
  bool near = expected.size() == found.size();
  double worst = 0;
  for (size_t i = 0; near && i < expected.size(); ++i) {
    near = expected[i].size() == found[i].size();
    double largest = 0;
    for (float value : expected[i])
      largest = std::isfinite(value) ? std::max<double>(largest, std::fabs(value)) : largest;
    for (size_t j = 0; near && j < expected[i].size(); ++j) {
      double difference = std::fabs(double(expected[i][j]) - found[i][j]);
      bool alike = expected[i][j] == found[i][j] || (std::isnan(expected[i][j]) && std::isnan(found[i][j]));
      near = alike || difference <= bound * largest;
      worst = alike ? worst : std::max(worst, difference / largest);
    }
  }
  if (near)
    return;
  llvm::errs() << "error: " << where << "; found a difference of " << worst << ", expected at most " << bound
               << " of the largest value\n";
  std::exit(1);
}

/// Each variant gives what its general form gives at the variant's sizes, where it is one: its inputs have the types of
/// the general form's.
static void requireVariants(ModuleOp module, StringRef pass) {
  llvm::StringMap<Runnable> all;
  for (Operation &op : module.getOps())
    if (std::optional<Runnable> what = getRunnable(op); what && countOperations(what->op) <= maxOperations)
      all[what->name] = *what;
  for (auto &[name, variant] : all) {
    auto general = variant.variantOf ? all.find(variant.variantOf.getValue()) : all.end();
    if (general == all.end())
      continue;
    auto expectedTypes = getInputTypes(general->second, variant.when), foundTypes = getInputTypes(variant, {});
    if (failed(expectedTypes) || failed(foundTypes) || *expectedTypes != *foundTypes)
      continue;
    FailureOr<Results> expected = run(module, general->second, variant.when);
    FailureOr<Results> found = run(module, variant, {});
    if (failed(expected) || failed(found)) {
      llvm::errs() << "error: `" << name << "` cannot be evaluated after " << pass << "\n";
      std::exit(1);
    }
    require(*expected, *found, 1e-4, "variant `" + name + "` differs from its general form after " + pass);
  }
}

void ReferenceCheck::runBeforePass(Pass *, Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module || measured || !isSmall(module))
    return;
  FailureOr<llvm::StringMap<Outcome>> results = runAll(module, /*loud=*/false);
  measured = succeeded(results);
  if (measured)
    before = std::move(*results);
}

void ReferenceCheck::runAfterPass(Pass *pass, Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module || !measured)
    return;
  FailureOr<llvm::StringMap<Outcome>> after = runAll(module, /*loud=*/true);
  if (failed(after)) {
    llvm::errs() << "error: the module cannot be evaluated after " << pass->getName() << "\n";
    std::exit(1);
  }
  for (auto &[name, expected] : before) {
    auto found = after->find(name);
    if (found == after->end())
      continue;
    double bound = found->second.narrow > expected.narrow ? 5e-2 : 1e-4;
    require(expected.results, found->second.results, bound, "entry `" + name + "` differs after " + pass->getName());
  }
  requireVariants(module, pass->getName());
  before = std::move(*after);
}

std::unique_ptr<PassInstrumentation> quern::createReferenceCheck() { return std::make_unique<ReferenceCheck>(); }
