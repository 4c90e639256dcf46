//===- conform.cpp - kernels against the reference evaluator ----------------------------------===//
//
// conform [TARGET]: reads a module of kernels from standard input, compiles them, and runs each on random values:
//
//   conform.bound   the largest difference from the reference evaluator, relative to the largest reference value
//   conform.sizes   the values of the symbolic dimension `s`; absent for a kernel without one
//   conform.past    cache rows of a sequence before the step, for kernels with positions: one value per size
//   conform.first   the first row of each sequence that takes turns in the step; absent for one that begins at row 0
//   conform.stride  how many rows a token is behind the one before it in its sequence, 1 if absent
//   conform.tree    the parents of each sequence's tokens, which are a tree: numbers of tokens, -1 for its first
//   conform.equal   a kernel of the same arguments whose result has the same bits
//   conform.limit   i32 arguments are below it
//   conform.single  a kernel for one row, or this one; each row of this one's result has its bits for that row alone, a
//                   token of a tree those that it has behind the rows that it sees
//
// Each result must also be the same for one thread and for three, and no byte around a buffer may change.
//
//===------------------------------------------------------------------------------------------===//

#include "dialect/RandomValues.h"
#include "dialect/Register.h"
#include "test/conformance/NativeKernels.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"

#include <bit>
#include <cmath>
#include <numeric>

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace quern::test {
namespace {

/// One run of one kernel.
struct Case {
  KernelOp kernel;
  /// Rows of the step, and cache rows before it.
  int64_t size, past;
  double bound;
};

/// Checks the kernels of one module.
class Suite {
public:
  Suite(ModuleOp module, NativeKernels &native, bool isDevice)
      : module(module), native(native), isDevice(isDevice), source(module) {}

  /// Runs every case; the number of failed ones, or that of all when there are none.
  int run();

private:
  Expected<std::vector<Tensor>> makeArguments(const Case &test, SymbolSizes &sizes);
  Error check(const Case &test);
  Error checkSingle(const Case &test, ArrayRef<Tensor> arguments, ArrayRef<Tensor> results);
  Error checkEqual(const Case &test, ArrayRef<Tensor> arguments, const SymbolSizes &sizes, ArrayRef<Tensor> results);

  ModuleOp module;
  NativeKernels &native;
  bool isDevice;
  RandomParameters source;
};

} // namespace

/// Token i is the next one of a sequence after `past` others, `stride` rows on: of the first, the second …, which begin
/// at the rows `first`. If the tokens of a sequence are a tree, `parents` are theirs.
static void fillPositions(Tensor &positions, int64_t past, ArrayRef<int64_t> first, int64_t stride,
                          ArrayRef<int64_t> parents) {
  for (auto [i, place] : llvm::enumerate(positions.getMutableAs<Position>())) {
    size_t token = i / first.size();
    int64_t row = past + int64_t(token) * stride, begin = first[i % first.size()];
    uint64_t ancestors = 0;
    for (auto node = int64_t(token); node >= 0 && token < parents.size(); node = parents[node])
      ancestors |= uint64_t(1) << node;
    int64_t position = ancestors ? past + std::popcount(ancestors) - 1 : row;
    place = {.position = int32_t(position),
             .row = int32_t(begin + row),
             .first = int32_t(begin),
             .ancestors_low = int32_t(uint32_t(ancestors)),
             .ancestors_high = int32_t(uint32_t(ancestors >> 32))};
  }
}

/// The arguments of `kernel` that are order and begins of rows that choose weights; none where it has no such products.
static std::optional<std::pair<unsigned, unsigned>> getGroups(KernelOp kernel) {
  for (MatmulOp matmul : kernel.getBody().getOps<MatmulOp>())
    if (matmul.isGrouped())
      return std::pair(cast<BlockArgument>(matmul.getOrder()).getArgNumber(),
                       cast<BlockArgument>(matmul.getBegins()).getArgNumber());
  return std::nullopt;
}

/// Writes the order of slots that chose the groups `chosen`.
static void fillGroups(ArrayRef<int32_t> chosen, Tensor &order, Tensor &begins) {
  MutableArrayRef<int32_t> slots = order.getMutableAs<int32_t>(), first = begins.getMutableAs<int32_t>();
  std::iota(slots.begin(), slots.end(), 0);
  std::stable_sort(slots.begin(), slots.end(), [&](int32_t a, int32_t b) { return chosen[a] < chosen[b]; });
  for (auto [group, begin] : llvm::enumerate(first))
    begin = llvm::count_if(chosen, [&](int32_t other) { return other < int32_t(group); });
}

/// The group of each slot in `order`.
static std::vector<int32_t> getChosen(const Tensor &order, const Tensor &begins) {
  std::vector<int32_t> chosen(order.getNumElements());
  for (auto [place, slot] : llvm::enumerate(order.getAs<int32_t>()))
    chosen[slot] = llvm::count_if(begins.getAs<int32_t>(), [&](int32_t begin) { return begin <= int32_t(place); }) - 1;
  return chosen;
}

/// Lets each slot choose a group: all the same, or as in the random values that `order` has.
static void chooseGroups(KernelOp kernel, Tensor &order, Tensor &begins) {
  auto hot = kernel->getAttrOfType<IntegerAttr>("conform.hot");
  int64_t groups = begins.getNumElements() - 1;
  std::vector<int32_t> chosen(order.getAs<int32_t>());
  for (auto [slot, group] : llvm::enumerate(chosen))
    group = hot ? hot.getInt() : (group + slot * slot / 3) % groups;
  fillGroups(chosen, order, begins);
}

Expected<std::vector<Tensor>> Suite::makeArguments(const Case &test, SymbolSizes &sizes) {
  KernelOp kernel = test.kernel;
  sizes[StringAttr::get(kernel.getContext(), "s")] = test.size;
  auto limit = kernel->getAttrOfType<IntegerAttr>("conform.limit");
  std::vector<Tensor> arguments;
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    FailureOr<RankedTensorType> resolved = resolveType(cast<RankedTensorType>(type), sizes);
    FailureOr<Tensor> value = failure();
    if (succeeded(resolved))
      value = makeRandomTensor("argument" + std::to_string(i), *resolved, limit ? limit.getInt() : 2);
    if (failed(value))
      return llvm::createStringError("no random values for argument " + std::to_string(i));
    auto first = kernel->getAttrOfType<DenseI64ArrayAttr>("conform.first");
    auto stride = kernel->getAttrOfType<IntegerAttr>("conform.stride");
    auto tree = kernel->getAttrOfType<DenseI64ArrayAttr>("conform.tree");
    if (isa<PositionType>(resolved->getElementType()))
      fillPositions(*value, test.past, first ? first.asArrayRef() : ArrayRef<int64_t>(0), stride ? stride.getInt() : 1,
                    tree ? tree.asArrayRef() : ArrayRef<int64_t>());
    arguments.push_back(*value);
  }
  if (auto groups = getGroups(kernel))
    chooseGroups(kernel, arguments[groups->first], arguments[groups->second]);
  return arguments;
}

/// The largest |found - expected| / max |expected|; not a number where either is none.
static double getError(const Tensor &found, const Tensor &expected) {
  double largest = 0, difference = 0;
  for (auto [a, b] : llvm::zip_equal(found.readFloats(), expected.readFloats())) {
    if (std::isnan(a) || std::isnan(b))
      return std::nan("");
    largest = std::max<double>(largest, std::abs(b));
    difference = std::max<double>(difference, std::abs(double(a) - b));
  }
  return difference == 0 ? 0 : difference / largest;
}

static bool haveSameBytes(ArrayRef<Tensor> a, ArrayRef<Tensor> b) {
  return llvm::equal(a, b, [](const Tensor &x, const Tensor &y) { return x.getBytes() == y.getBytes(); });
}

Error Suite::check(const Case &test) {
  SymbolSizes sizes;
  KernelOp kernel = test.kernel;
  auto arguments = makeArguments(test, sizes);
  if (!arguments)
    return arguments.takeError();
  Expected<std::vector<Tensor>> found = native.run(kernel, *arguments, sizes, 1);
  if (!found)
    return found.takeError();
  Expected<std::vector<Tensor>> threaded = native.run(kernel, *arguments, sizes, 3);
  if (!threaded)
    return threaded.takeError();
  if (!haveSameBytes(*found, *threaded))
    return llvm::createStringError("three threads give other bits than one");
  Evaluator evaluator(module, source);
  FailureOr<SmallVector<Tensor>> expected = evaluator.evaluateKernel(kernel, *arguments);
  if (failed(expected))
    return llvm::createStringError("the reference evaluator refuses the kernel");
  for (auto [result, value] : llvm::zip_equal(*found, *expected)) {
    double error = getError(result, value);
    if (!(error <= test.bound))
      return llvm::createStringError("found an error of " + std::to_string(error) + ", expected at most " +
                                     std::to_string(test.bound));
  }
  if (Error differs = checkEqual(test, *arguments, sizes, *found))
    return differs;
  return checkSingle(test, *arguments, *found);
}

/// The kernel that the attribute `attribute` of `kernel` names; null where there is no such attribute.
static Expected<KernelOp> findNamed(KernelOp kernel, StringRef attribute) {
  auto name = kernel->getAttrOfType<FlatSymbolRefAttr>(attribute);
  auto found = name ? SymbolTable::lookupNearestSymbolFrom<KernelOp>(kernel, name) : KernelOp();
  if (name && !found)
    return llvm::createStringError("no kernel named " + name.getValue());
  return found;
}

Error Suite::checkEqual(const Case &test, ArrayRef<Tensor> arguments, const SymbolSizes &sizes,
                        ArrayRef<Tensor> results) {
  Expected<KernelOp> found = findNamed(test.kernel, "conform.equal");
  if (!found || !*found)
    return found.takeError();
  KernelOp other = *found;
  Expected<std::vector<Tensor>> expected = native.run(other, arguments, sizes, 1);
  if (!expected)
    return expected.takeError();
  if (!haveSameBytes(*expected, results))
    return llvm::createStringError("found other bits than those of " + other.getSymName());
  return Error::success();
}

/// Row `row` of the first dimension, as a tensor of one row.
static Tensor takeRow(const Tensor &tensor, int64_t row, RankedTensorType type) {
  size_t size = tensor.getBytes().size() / tensor.getShape()[0];
  return *Tensor::fromBytes(type, tensor.getBytes().slice(row * size, size));
}

/// Lets the rows that a token of a tree sees lie one behind the other, and the token be none of a tree.
static void straighten(KernelOp kernel, MutableArrayRef<Tensor> arguments) {
  for (AttendOp attend : kernel.getBody().getOps<AttendOp>()) {
    Position &at = arguments[cast<BlockArgument>(attend.getAt()).getArgNumber()].getMutableAs<Position>().front();
    if (!quern_ancestors(&at))
      continue;
    std::vector<int64_t> rows = getSeenRows(at, std::numeric_limits<int64_t>::max());
    for (Value cache : {attend.getKeys(), attend.getValues()}) {
      Tensor &tensor = arguments[cast<BlockArgument>(cache).getArgNumber()];
      Tensor before = tensor;
      size_t size = tensor.getBytes().size() / tensor.getShape()[0];
      for (auto [i, row] : llvm::enumerate(rows))
        llvm::copy(before.getBytes().slice(row * size, size),
                   tensor.getMutableBytes().slice((at.first + i) * size, size).begin());
    }
    at.row = int32_t(at.first + int64_t(rows.size()) - 1);
    at.ancestors_low = at.ancestors_high = 0;
  }
}

Error Suite::checkSingle(const Case &test, ArrayRef<Tensor> arguments, ArrayRef<Tensor> results) {
  Expected<KernelOp> found = findNamed(test.kernel, "conform.single");
  if (!found || !*found)
    return found.takeError();
  KernelOp single = *found;
  SymbolSizes sizes;
  sizes[StringAttr::get(single.getContext(), "s")] = 1;
  for (int64_t row = 0; row < test.size; ++row) {
    std::vector<Tensor> rowArguments;
    for (auto [type, argument] : llvm::zip_equal(single.getArgumentTypes(), arguments)) {
      RankedTensorType one = *resolveType(cast<RankedTensorType>(type), sizes);
      rowArguments.push_back(one != argument.getType() ? takeRow(argument, row, one) : argument);
    }
    straighten(single, rowArguments);
    if (auto groups = getGroups(single)) {
      Tensor &order = rowArguments[groups->first], &begins = rowArguments[groups->second];
      std::vector<int32_t> chosen = getChosen(arguments[groups->first], arguments[groups->second]);
      size_t slots = order.getNumElements();
      fillGroups(ArrayRef(chosen).slice(row * slots, slots), order, begins);
    }
    Expected<std::vector<Tensor>> alone = native.run(single, rowArguments, sizes, 1);
    if (!alone)
      return alone.takeError();
    std::vector<Tensor> together;
    for (auto [own, result] : llvm::zip_equal(*alone, results))
      together.push_back(takeRow(result, row, own.getType()));
    if (!haveSameBytes(*alone, together))
      return llvm::createStringError("row " + std::to_string(row) + " has other bits when computed alone");
  }
  return Error::success();
}

/// Whether `kernel` has a result to give of no rows: one of a static size that is not written into an argument.
static bool hasResultOfNoRows(KernelOp kernel) {
  return llvm::any_of(llvm::enumerate(kernel.getResultTypes()), [&](auto result) {
    return cast<RankedTensorType>(result.value()).hasStaticShape() && !kernel.getDestination(result.index());
  });
}

/// What f32 may be off on a device.
static constexpr double leastDeviceBound = 1e-5;

int Suite::run() {
  int cases = 0, failures = 0;
  for (auto kernel : module.getOps<KernelOp>()) {
    auto bound = kernel->getAttrOfType<FloatAttr>("conform.bound");
    if (!bound)
      continue;
    auto sizes = kernel->getAttrOfType<DenseI64ArrayAttr>("conform.sizes");
    auto past = kernel->getAttrOfType<DenseI64ArrayAttr>("conform.past");
    for (size_t i = 0, count = sizes ? sizes.size() : 1; i < count; ++i) {
      Case test{kernel, sizes ? sizes[i] : 1, past ? past[i] : 0, bound.getValueAsDouble()};
      // Routing alone; its launches read a row, and entries have one at least.
      if (isDevice && test.size == 0 && hasResultOfNoRows(kernel))
        continue;
      // Sums are added in another order there.
      if (isDevice)
        test.bound = std::max(test.bound, leastDeviceBound);
      ++cases;
      if (Error error = check(test)) {
        ++failures;
        llvm::errs() << kernel.getSymName() << " with " << test.size << " rows after " << test.past << ": "
                     << llvm::toString(std::move(error)) << "\n";
      }
    }
  }
  llvm::outs() << cases << " cases, " << failures << " failed\n";
  return cases == 0 ? 1 : failures;
}

} // namespace quern::test

int main(int argc, char **argv) {
  DialectRegistry registry;
  quern::registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  auto text = llvm::MemoryBuffer::getSTDIN();
  if (!text)
    return 2;
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>((*text)->getBuffer(), &context, "kernels");
  auto target = quern::codegen::findTarget(argc > 1 ? argv[1] : "host");
  if (!module || !target) {
    if (!target)
      llvm::errs() << llvm::toString(target.takeError()) << "\n";
    return 2;
  }
  auto native = quern::test::NativeKernels::compile(*module, *target);
  if (!native) {
    llvm::errs() << llvm::toString(native.takeError()) << "\n";
    return 2;
  }
  return quern::test::Suite(*module, *native, target->isDevice()).run() == 0 ? 0 : 1;
}
