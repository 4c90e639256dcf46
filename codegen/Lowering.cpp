//===- Lowering.cpp - a kernel's values as Halide expressions ---------------------------------===//

#include "codegen/Lowering.h"
#include "codegen/Scalar.h"
#include "codegen/StateLayout.h"
#include "codegen/templates/Weights.h"
#include "dialect/Destination.h"

using namespace mlir;

namespace quern::codegen {

Halide::Expr callAt(Halide::Func func, const Index &index) {
  return func(std::vector<Halide::Expr>(index.rbegin(), index.rend()));
}

Halide::Expr callAt(Halide::ImageParam param, const Index &index) {
  return param(std::vector<Halide::Expr>(index.rbegin(), index.rend()));
}

FailureOr<std::unique_ptr<Lowering>> Lowering::create(KernelOp kernel, const TargetSpec &target) {
  std::unique_ptr<Lowering> lowering(new Lowering(kernel, target));
  FailureOr<SmallVector<NativeArgument>> signature = getSignature(kernel, target.isDevice());
  if (failed(signature))
    return failure();
  lowering->signature = std::move(*signature);
  if (failed(lowering->addArguments()))
    return failure();
  return lowering;
}

static Halide::Type toHalide(BufferElement element) {
  return Halide::Type(static_cast<halide_type_code_t>(element.code), element.bits, 1);
}

/// Says what the signature knows of a buffer's sizes and strides.
template <typename BufferT> static void constrain(BufferT &&buffer, ArrayRef<BufferDim> dims) {
  for (auto [i, dim] : llvm::enumerate(dims)) {
    Halide::Internal::Dimension native = buffer.dim(static_cast<int>(i));
    native.set_min(0);
    if (dim.inner.empty())
      native.set_stride(static_cast<int>(dim.stride));
    if (dim.extent.isStatic() && !dim.isOpen)
      native.set_extent(static_cast<int>(dim.extent.size()));
  }
}

/// Halide holds sizes and strides in 32 bits.
static LogicalResult checkSize(KernelOp kernel, const NativeArgument &native) {
  for (const BufferDim &dim : native.dims) {
    int64_t extent = dim.extent.isStatic() ? dim.extent.size() : 1;
    if (extent > INT32_MAX || dim.stride > INT32_MAX)
      return kernel.emitError("a buffer of operand ")
             << native.operand << " has a dimension of " << extent << " elements, each " << dim.stride
             << " from the next, expected at most " << INT32_MAX;
  }
  return success();
}

/// Whether the dimensions within some other are symbolic: what the buffer spans is the product of several sizes.
static bool isSymbolicWithin(const NativeArgument &native) {
  return llvm::any_of(native.dims, [](const BufferDim &dim) { return !dim.inner.empty(); });
}

/// The elements from the first to the last, of a buffer whose symbolic dimensions have one.
static int64_t getSpan(const NativeArgument &native) {
  int64_t span = 1;
  for (const BufferDim &dim : native.dims)
    if (dim.extent.isStatic())
      span += (dim.extent.size() - 1) * dim.stride;
  return span;
}

bool Lowering::hasLargeBuffers() const {
  return llvm::any_of(
      signature, [](const NativeArgument &native) { return isSymbolicWithin(native) || getSpan(native) > INT32_MAX; });
}

/// The extent of dimension `dim` of the buffer `name`, before a pipeline has taken it out of there.
static Halide::Expr getNativeExtent(const std::string &name, size_t dim) {
  using namespace Halide::Internal;
  Halide::Expr buffer = Variable::make(Halide::type_of<halide_buffer_t *>(), name + ".buffer");
  return Call::make(Halide::Int(32), Call::buffer_get_extent, {buffer, static_cast<int>(dim)}, Call::Extern);
}

LogicalResult Lowering::addArguments() {
  for (const NativeArgument &native : signature)
    if (failed(checkSize(kernel, native)))
      return failure();
  SmallVector<BlockArgument> inputs = kernel.getInputArguments();
  for (auto [i, native] : llvm::enumerate(signature)) {
    if (native.isOutput)
      continue;
    std::string name = "arg" + std::to_string(i);
    switch (native.kind) {
    case NativeArgument::Kind::Visible:
    case NativeArgument::Kind::First: {
      Halide::Param<int32_t> param(name);
      arguments.push_back(param);
      (native.kind == NativeArgument::Kind::Visible ? visible : first) = param;
      continue;
    }
    case NativeArgument::Kind::Pages:
      pages = Halide::ImageParam(Halide::Int(32), 1, name);
      pages.dim(0).set_min(0).set_stride(1);
      arguments.push_back(pages);
      continue;
    case NativeArgument::Kind::Buffer:
      break;
    }
    Halide::ImageParam param(toHalide(native.element), static_cast<int>(native.dims.size()), name);
    constrain(param, native.dims);
    // A panel begins on a line, and what is said of its blocks in multiples of 16 bytes.
    if (target.isDevice() && kernel.getPacking(inputs[native.operand].getArgNumber()))
      param.set_host_alignment(16);
    for (auto [d, dim] : llvm::enumerate(native.dims)) {
      if (dim.extent.isStatic() ||
          llvm::any_of(symbols, [&](const auto &known) { return known.first == dim.extent.name(); }))
        continue;
      symbols.emplace_back(dim.extent.name(), param.dim(static_cast<int>(d)).extent());
      hasRows = hasRows && getNativeExtent(name, d) > 0;
    }
    arguments.push_back(param);
    views[inputs[native.operand]].push_back(param);
  }
  return success();
}

void Lowering::constrainOutputs(ArrayRef<Halide::Func> outputs) const {
  size_t first = signature.size() - outputs.size();
  for (auto [output, native] : llvm::zip_equal(outputs, ArrayRef(signature).drop_front(first))) {
    Halide::Func func = output;
    constrain(func.output_buffer(), native.dims);
  }
}

Halide::Expr Lowering::extent(Dim dim) {
  if (dim.isStatic())
    return static_cast<int32_t>(dim.size());
  for (auto &[name, expr] : symbols)
    if (name == dim.name())
      return expr;
  llvm_unreachable("a dimension of a kernel's value is one of its inputs'");
}

Halide::Expr Lowering::getHasWork() {
  for (auto [i, type] : llvm::enumerate(kernel.getResultTypes()))
    if (cast<RankedTensorType>(type).hasStaticShape() && !kernel.getDestination(i))
      return Halide::Internal::const_true();
  return hasRows;
}

std::vector<Halide::Expr> Lowering::shapeOf(RankedTensorType type) {
  std::vector<Halide::Expr> shape;
  for (Dim dim : getDims(type))
    shape.push_back(extent(dim));
  return shape;
}

FailureOr<Halide::ImageParam> Lowering::getBuffer(Value value, Operation *user) {
  auto found = views.find(value);
  if (found == views.end() || found->second.size() != 1)
    return user->emitError("reads a computed value where a kernel's argument is expected");
  return found->second.front();
}

FailureOr<PackedWeight> Lowering::getWeight(Value value, Operation *user) {
  FailureOr<PackedLayout> layout = getPackedLayout(value);
  if (failed(layout))
    return user->emitError("reads a weight that is no argument with a packing");
  auto type = cast<RankedTensorType>(value.getType());
  const std::vector<Halide::ImageParam> &buffers = views[value];
  PackedWeight weight;
  weight.layout = *layout;
  weight.rows = type.getDimSize(0);
  weight.columns = type.getDimSize(1);
  weight.values = buffers[0];
  if (layout->isQuantised())
    weight.scales = buffers[1];
  if (layout->hasMins)
    weight.mins = buffers[2];
  return weight;
}

Halide::Expr Lowering::getField(const Halide::ImageParam &positions, PositionField field, Halide::Expr token) {
  Halide::ImageParam buffer = positions;
  return buffer(static_cast<int>(field), token);
}

Halide::Expr Lowering::getPage(Halide::Expr row) const {
  Halide::ImageParam buffer = pages;
  Halide::Expr page = buffer(clamp(row / static_cast<int32_t>(statePage), 0, buffer.dim(0).extent() - 1));
  return unsafe_promise_clamped(page, 0, std::numeric_limits<int32_t>::max() / static_cast<int32_t>(statePage));
}

FailureOr<Formula> Lowering::get(Value value) {
  if (auto known = tensors.find(value); known != tensors.end())
    return known->second;
  Operation *owner = value.getDefiningOp();
  if (owner)
    return owner->emitError("a kernel of the form `")
           << stringifyKernelForm(kernel.getForm()) << "` cannot use the value of `" << owner->getName() << "` here";
  owner = value.use_empty() ? kernel.getOperation() : value.use_begin()->getOwner();
  if (succeeded(getPackedLayout(value))) {
    FailureOr<PackedWeight> weight = getWeight(value, owner);
    if (failed(weight))
      return failure();
    Formula elements{shapeOf(cast<RankedTensorType>(value.getType())), [weight = *weight](const Index &index) {
                       constexpr int32_t lanes = PackedLayout::panelRows;
                       int32_t group = static_cast<int32_t>(weight.layout.group);
                       Halide::Expr row = index[0], k = index[1];
                       return readWeight(weight, row % lanes, k % group, k / group, row / lanes);
                     }};
    set(value, elements);
    return elements;
  }
  FailureOr<Halide::ImageParam> buffer = getBuffer(value, owner);
  if (failed(buffer))
    return failure();
  auto type = cast<RankedTensorType>(value.getType());
  // A buffer holds a bool as a byte.
  bool isBool = type.getElementType().isInteger(1);
  Formula tensor{shapeOf(type), [buffer = *buffer, isBool](const Index &index) {
                   Halide::Expr element = callAt(buffer, index);
                   return isBool ? element != 0 : element;
                 }};
  set(value, tensor);
  return tensor;
}

LogicalResult Lowering::lowerOps(Block::iterator begin, Block::iterator end) {
  for (Operation &op : llvm::make_range(begin, end)) {
    if (isa<YieldOp>(op) || llvm::all_of(op.getResults(), [&](Value result) { return tensors.contains(result); }))
      continue;
    SmallVector<Formula> operands;
    SmallVector<OpOperand *> written =
        llvm::map_to_vector(op.getResults(), [](Value result) { return getDestination(result); });
    for (OpOperand &use : op.getOpOperands()) {
      Value operand = use.get();
      bool isPosition = isa<PositionType>(cast<RankedTensorType>(operand.getType()).getElementType());
      if (isPosition || llvm::is_contained(written, &use)) { // no values that a formula reads
        operands.push_back({});
        continue;
      }
      FailureOr<Formula> tensor = get(operand);
      if (failed(tensor))
        return failure();
      operands.push_back(*tensor);
    }
    FailureOr<Formula> tensor = lowerOp(*this, &op, operands);
    if (failed(tensor))
      return failure();
    set(op.getResult(0), *tensor);
  }
  return success();
}

FailureOr<Formula> Lowering::lowerResult(Block::iterator begin) {
  if (failed(lowerOps(begin, kernel.getBody().front().end())))
    return failure();
  return get(getYielded());
}

Formula Lowering::store(RowStage::Kind kind, const Formula &tensor, const std::string &name) {
  Halide::Func func(name);
  std::vector<Halide::Var> vars;
  for (size_t i = 0; i < tensor.shape.size(); ++i)
    vars.emplace_back("d" + std::to_string(i));
  func(vars) = tensor.at(Index(vars.rbegin(), vars.rend()));
  stages.push_back({kind, func});
  return {tensor.shape, [func](const Index &index) { return callAt(func, index); }};
}

/// The terms combined pairwise: halves onto each other until one is left.
static Halide::Expr combinePairwise(std::vector<Halide::Expr> terms, bool isMax) {
  for (size_t width = terms.size() / 2; width > 0; width /= 2)
    for (size_t i = 0; i < width; ++i)
      terms[i] = isMax ? max(terms[i], terms[i + width]) : terms[i] + terms[i + width];
  return terms[0];
}

Formula Lowering::reduceRows(const Formula &input, ReduceKind kind, const std::string &name) {
  using namespace Halide;
  constexpr int lanes = RowStage::lanes;
  std::vector<Expr> rows(input.shape.begin(), input.shape.end() - 1);
  Expr size = input.shape.back();
  bool isMax = kind == ReduceKind::Max;
  Expr identity = isMax ? Expr(-std::numeric_limits<float>::infinity()) : Expr(0.0f);

  Func partial(name + "_partial");
  RDom steps(0, (size + (lanes - 1)) / lanes, name + "_steps");
  std::vector<Var> vars = {Var("lane")};
  for (size_t i = 0; i < rows.size(); ++i)
    vars.emplace_back("d" + std::to_string(i));
  Expr k = steps * lanes + vars[0];
  Index index(vars.rbegin(), vars.rend() - 1);
  index.push_back(is_const_zero(Internal::simplify(size % lanes)) ? k : min(k, size - 1));
  Expr element = input.at(index);
  if (!is_const_zero(Internal::simplify(size % lanes)))
    element = select(k < size, element, identity);
  partial(vars) = identity;
  partial(vars) = isMax ? max(partial(vars), element) : partial(vars) + element;
  stages.push_back({RowStage::Kind::Partial, partial, steps});

  Formula total{rows, [=](const Index &row) {
                  std::vector<Expr> terms;
                  for (int i = 0; i < lanes; ++i) {
                    Index lane = row;
                    lane.push_back(i);
                    terms.push_back(callAt(partial, lane));
                  }
                  Expr sum = combinePairwise(terms, isMax);
                  return kind == ReduceKind::Mean ? sum / cast<float>(size) : sum;
                }};
  return store(RowStage::Kind::PerRow, total, name);
}

} // namespace quern::codegen
