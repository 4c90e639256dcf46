//===- KernelSignature.cpp - the native function that a kernel becomes ------------------------===//

#include "codegen/KernelSignature.h"
#include "codegen/StateLayout.h"
#include "dialect/CacheLayout.h"
#include "dialect/PackedLayout.h"

using namespace mlir;

namespace quern::codegen {

namespace {

/// Collects the arguments of one kernel.
class SignatureBuilder {
public:
  SignatureBuilder(KernelOp kernel, bool isOnDevice) : kernel(kernel), isOnDevice(isOnDevice) {}

  /// Adds the views of operand `operand` of the launch, an input.
  LogicalResult add(unsigned operand, BlockArgument argument);
  /// Adds where the pages of paged caches lie, if the kernel has some.
  void addPages();
  /// Adds the view of result `result`, operand `operand` of the launch.
  LogicalResult addOutput(unsigned operand, unsigned result, RankedTensorType type);

  llvm::SmallVector<NativeArgument> take() { return std::move(arguments); }

private:
  LogicalResult addState(unsigned operand, RankedTensorType type, CacheLayout layout);
  LogicalResult addResult(unsigned operand, unsigned result, RankedTensorType type);
  void push(unsigned operand, BufferElement element, SmallVector<BufferDim> dims, int64_t byteOffset = 0);
  LogicalResult addDense(unsigned operand, RankedTensorType type, RankedTensorType whole);
  LogicalResult addPanels(unsigned operand, RankedTensorType type, RankedTensorType whole);
  LogicalResult addColumns(unsigned operand, RankedTensorType type);
  LogicalResult addPositions(unsigned operand, RankedTensorType type);
  LogicalResult addPacked(unsigned operand, BlockArgument argument);
  FailureOr<BufferElement> getElement(Type type);

  KernelOp kernel;
  bool isOnDevice;
  llvm::SmallVector<NativeArgument> arguments;
};

} // namespace

void SignatureBuilder::push(unsigned operand, BufferElement element, SmallVector<BufferDim> dims, int64_t byteOffset) {
  NativeArgument argument;
  argument.operand = operand;
  argument.byteOffset = byteOffset;
  argument.element = element;
  argument.dims = std::move(dims);
  arguments.push_back(std::move(argument));
}

FailureOr<BufferElement> SignatureBuilder::getElement(Type type) {
  if (type.isF32())
    return BufferElement{2, 32};
  if (type.isF16())
    return BufferElement{2, 16};
  if (type.isBF16())
    return BufferElement{4, 16};
  if (type.isInteger(32))
    return BufferElement{0, 32};
  if (type.isInteger(1))
    return BufferElement{1, 8};
  return kernel.emitError("a kernel's buffer has elements of type ") << type << ", expected f32, f16, bf16, i32 or i1";
}

/// The dimensions of a dense row-major tensor, or of a part of the tensor `whole`, innermost first.
static SmallVector<BufferDim> getDenseDims(RankedTensorType type, RankedTensorType whole) {
  SmallVector<Dim> shape = getDims(type), strided = getDims(whole);
  SmallVector<BufferDim> dims;
  BufferDim next{Dim::fixed(1), 1};
  for (auto [dim, room] : llvm::zip_equal(llvm::reverse(shape), llvm::reverse(strided))) {
    next.extent = dim;
    dims.push_back(next);
    if (room.isStatic())
      next.stride *= room.size();
    else
      next.inner.push_back(room.name());
  }
  return dims;
}

LogicalResult SignatureBuilder::addDense(unsigned operand, RankedTensorType type, RankedTensorType whole) {
  FailureOr<BufferElement> element = getElement(type.getElementType());
  if (failed(element))
    return failure();
  push(operand, *element, getDenseDims(type, whole));
  return success();
}

/// The fields [field, s], and the scalars `visible` and `first`.
LogicalResult SignatureBuilder::addPositions(unsigned operand, RankedTensorType type) {
  SmallVector<Dim> shape = getDims(type);
  if (shape.size() != 1)
    return kernel.emitError("positions of shape ") << formatDims(shape) << ", expected one dimension";
  push(operand, {0, 32}, {{Dim::fixed(positionFields), 1}, {shape[0], positionFields}});
  for (NativeArgument::Kind kind : {NativeArgument::Kind::Visible, NativeArgument::Kind::First}) {
    NativeArgument scalar;
    scalar.kind = kind;
    scalar.operand = operand;
    scalar.element = {0, 32};
    arguments.push_back(scalar);
  }
  return success();
}

/// Floats: [lane, k, panel]. Pairs of bf16: u32 [lane, pair, panel], in 13 bits u8 [byte, line, panel]. Blocks: quants
/// [j, lane, 4-group, block, panel], then scales and mins [lane, block, panel].
LogicalResult SignatureBuilder::addPacked(unsigned operand, BlockArgument argument) {
  auto type = cast<RankedTensorType>(argument.getType());
  FailureOr<PackedLayout> layout = getPackedLayout(argument);
  SmallVector<Dim> shape = getDims(type);
  if (failed(layout) || shape.size() != 2 || !type.hasStaticShape())
    return kernel.emitError("no packed layout of ") << type << ", expected a static weight of rank 2";
  int64_t panels = PackedLayout::panels(shape[0].size()), k = shape[1].size();
  Dim lanes = Dim::fixed(PackedLayout::panelRows), panelDim = Dim::fixed(panels);
  Dim blocks = Dim::fixed(layout->blocksPerPanel(k));
  if (layout->isCompressed()) {
    constexpr int64_t line = PackedLayout::lineBytes;
    int64_t panelBytes = layout->panelBytes(k);
    push(operand, {1, 8}, {{Dim::fixed(line), 1}, {Dim::fixed(panelBytes / line), line}, {panelDim, panelBytes}});
    return success();
  }
  if (!layout->isQuantised()) {
    FailureOr<BufferElement> element = layout->hasPairs() ? BufferElement{1, 32} : getElement(type.getElementType());
    if (failed(element))
      return failure();
    push(operand, *element,
         {{lanes, 1}, {blocks, PackedLayout::panelRows}, {panelDim, blocks.size() * PackedLayout::panelRows}});
    return success();
  }
  int64_t columns = layout->quantsBytes() / (4 * PackedLayout::panelRows);
  // In units of a word on a device, else of a byte.
  int64_t unit = isOnDevice ? 4 : 1;
  SmallVector<BufferDim> quants = {{lanes, 4 / unit},
                                   {Dim::fixed(columns), 4 * PackedLayout::panelRows / unit},
                                   {blocks, layout->blockBytes() / unit},
                                   {panelDim, layout->panelBytes(k) / unit}};
  if (!isOnDevice)
    quants.insert(quants.begin(), {Dim::fixed(4), 1});
  push(operand, {1, static_cast<uint8_t>(8 * unit)}, quants, layout->quantsOffset());
  BufferElement scale{2, static_cast<uint8_t>(layout->scaleBytes * 8)};
  SmallVector<BufferDim> scaleDims = {{lanes, 1},
                                      {blocks, layout->blockBytes() / layout->scaleBytes},
                                      {panelDim, layout->panelBytes(k) / layout->scaleBytes}};
  push(operand, scale, scaleDims, layout->scalesOffset());
  if (layout->hasMins)
    push(operand, scale, scaleDims, layout->minsOffset());
  return success();
}

LogicalResult SignatureBuilder::add(unsigned operand, BlockArgument argument) {
  auto type = cast<RankedTensorType>(argument.getType());
  if (std::optional<CacheLayout> layout = getCacheLayout(argument))
    return addState(operand, type, *layout);
  if (isa<PositionType>(type.getElementType()))
    return addPositions(operand, type);
  bool packed = kernel.getPacking(argument.getArgNumber()).has_value();
  return packed ? addPacked(operand, argument) : addDense(operand, type, type);
}

LogicalResult SignatureBuilder::addState(unsigned operand, RankedTensorType type, CacheLayout layout) {
  FailureOr<BufferElement> element = getElement(type.getElementType());
  if (failed(element))
    return failure();
  if (!type.hasStaticShape() || type.getRank() != 3)
    return kernel.emitError("a cache of shape ") << formatDims(getDims(type)) << ", expected a static [T, h, d]";
  push(operand, *element, getStateDims(type, layout));
  return success();
}

void SignatureBuilder::addPages() {
  if (!llvm::any_of(kernel.getBody().getArguments(), [](BlockArgument argument) { return getCacheLayout(argument); }))
    return;
  NativeArgument pages;
  pages.kind = NativeArgument::Kind::Pages;
  pages.element = {0, 32};
  arguments.push_back(pages);
}

/// A tensor whose last axis is seen by panels: [lane, panel, …].
LogicalResult SignatureBuilder::addPanels(unsigned operand, RankedTensorType type, RankedTensorType whole) {
  FailureOr<BufferElement> element = getElement(type.getElementType());
  if (failed(element))
    return failure();
  SmallVector<BufferDim> dims = getDenseDims(type, whole);
  SmallVector<BufferDim> panels = {{Dim::fixed(PackedLayout::panelRows), 1},
                                   {Dim::fixed(PackedLayout::panels(type.getShape().back())), PackedLayout::panelRows}};
  panels.append(dims.begin() + 1, dims.end());
  push(operand, *element, std::move(panels));
  return success();
}

/// As the anchor's kernels see it.
LogicalResult SignatureBuilder::addResult(unsigned operand, unsigned result, RankedTensorType type) {
  auto anchor = dyn_cast_or_null<KernelAnchorOpInterface>(kernel.getAnchor());
  RankedTensorType whole = kernel.getWholeType(result);
  switch (anchor ? anchor.getResultView() : ResultView::Dense) {
  case ResultView::Dense:
    return addDense(operand, type, whole);
  case ResultView::Panels:
    if (type.getShape().back() % PackedLayout::panelRows != 0)
      return addDense(operand, type, whole);
    return addPanels(operand, type, whole);
  case ResultView::Columns:
    return addColumns(operand, type);
  }
  llvm_unreachable("every view is handled");
}

LogicalResult SignatureBuilder::addOutput(unsigned operand, unsigned result, RankedTensorType type) {
  BlockArgument destination = kernel.getDestination(result);
  std::optional<CacheLayout> layout = destination ? getCacheLayout(destination) : std::nullopt;
  if (failed(layout ? addState(operand, type, *layout) : addResult(operand, result, type)))
    return failure();
  arguments.back().isOutput = true;
  return success();
}

/// Columns that fill whole panels: [lane, panel, row].
LogicalResult SignatureBuilder::addColumns(unsigned operand, RankedTensorType type) {
  FailureOr<BufferElement> element = getElement(type.getElementType());
  if (failed(element))
    return failure();
  SmallVector<BufferDim> dims = getDenseDims(type, type);
  if (dims.size() < 2)
    return kernel.emitError("a contraction's result of shape ")
           << formatDims(getDims(type)) << ", expected rank 2 or 3";
  BufferDim rows = dims.back();
  if (rows.stride % PackedLayout::panelRows != 0) {
    push(operand, *element, {{Dim::fixed(rows.stride), 1}, rows});
    return success();
  }
  push(operand, *element,
       {{Dim::fixed(PackedLayout::panelRows), 1},
        {Dim::fixed(rows.stride / PackedLayout::panelRows), PackedLayout::panelRows},
        rows});
  return success();
}

FailureOr<SmallVector<NativeArgument>> getSignature(KernelOp kernel, bool isOnDevice) {
  SignatureBuilder builder(kernel, isOnDevice);
  for (Type type : llvm::concat<const Type>(kernel.getArgumentTypes(), kernel.getResultTypes()))
    if (!isa<RankedTensorType>(type))
      return kernel.emitError("found an argument or a result of type ") << type << ", expected a tensor";
  unsigned operand = 0;
  for (BlockArgument argument : kernel.getInputArguments())
    if (failed(builder.add(operand++, argument)))
      return failure();
  builder.addPages();
  for (auto [i, type] : llvm::enumerate(kernel.getResultTypes()))
    if (failed(builder.addOutput(operand++, i, cast<RankedTensorType>(type))))
      return failure();
  return builder.take();
}

} // namespace quern::codegen
