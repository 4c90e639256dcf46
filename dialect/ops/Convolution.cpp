//===- Convolution.cpp - convolution and pooling of images ------------------------------------===//

#include "dialect/Images.h"
#include "dialect/Winograd.h"
#include "dialect/ops/Inference.h"

using namespace mlir;
using namespace quern;

int64_t WindowAxis::count(int64_t extent) const {
  int64_t room = extent + before + after - span();
  if (room < 0)
    return 0;
  if (!ceil)
    return room / stride + 1;
  int64_t windows = llvm::divideCeil(room, stride) + 1;
  return (windows - 1) * stride >= extent + before ? windows - 1 : windows;
}

WindowAxis quern::getWindowAxis(ImageOpInterface op, unsigned axis) {
  WindowAxis window = {
      op.getWindow()[axis], op.getStrides()[axis], op.getPads()[2 * axis], op.getPads()[2 * axis + 1], 1, false};
  if (auto conv = dyn_cast<Conv2dOp>(op.getOperation()))
    window.dilation = conv.getDilations()[axis];
  else if (auto pool = dyn_cast<MaxPoolOp>(op.getOperation()))
    window.ceil = pool.getCeil();
  else if (auto pool = dyn_cast<AvgPoolOp>(op.getOperation()))
    window.ceil = pool.getCeil();
  return window;
}

static bool arePositive(ArrayRef<int64_t> numbers) {
  return numbers.size() == 2 && llvm::all_of(numbers, [](int64_t number) { return number > 0; });
}

namespace {

/// What an op says of its window, with the defaults of what it leaves out: while an op is parsed, that is null.
struct WindowText {
  WindowText(ArrayRef<int64_t> window, DenseI64ArrayAttr pads)
      : window(window), pads(pads ? pads.asArrayRef() : ArrayRef(zeros)), layout(ImageLayout::NHWC) {}
  template <typename Adaptor> explicit WindowText(Adaptor &adaptor) {
    const auto &properties = adaptor.getProperties();
    window = properties.window.asArrayRef();
    if (properties.strides)
      strides = properties.strides.asArrayRef();
    if (properties.pads)
      pads = properties.pads.asArrayRef();
    layout = properties.layout ? properties.layout.getValue() : ImageLayout::NCHW;
  }

  /// Whether the numbers that say where windows lie are such numbers at all.
  LogicalResult check(std::optional<Location> loc) const {
    bool fits = pads.size() == 4 && llvm::all_of(pads, [](int64_t pad) { return pad >= 0; });
    if (fits && arePositive(window) && arePositive(strides) && arePositive(dilations))
      return success();
    return emitOptionalError(loc, "window [", window, "], strides [", strides, "], dilations [", dilations,
                             "] and pads [", pads,
                             "]; expected 2 positive numbers each, and 4 pads that are not negative");
  }

  static constexpr int64_t ones[] = {1, 1}, zeros[] = {0, 0, 0, 0};
  ArrayRef<int64_t> window, strides = ones, pads = zeros, dilations = ones;
  ImageLayout layout;
  bool ceil = false;
};

} // namespace

/// The shape of windows over `input`, with the input's channels.
static FailureOr<SmallVector<Dim>> inferImage(std::optional<Location> loc, Value input, const WindowText &text) {
  if (failed(text.check(loc)))
    return failure();
  SmallVector<Dim> dims = getDims(tensorOf(input));
  ImageAxes axes(text.layout);
  if (dims.size() != 4 || !llvm::all_of(ArrayRef(dims).drop_front(), [](Dim dim) { return dim.isStatic(); }))
    return emitOptionalError(loc, "found an image ", formatDims(dims),
                             ", expected rank 4 with static channels, height and width");
  for (int64_t i = 0; i < 2; ++i) {
    int64_t axis = axes.height + i;
    WindowAxis window = {text.window[i],       text.strides[i],   text.pads[2 * i],
                         text.pads[2 * i + 1], text.dilations[i], text.ceil};
    int64_t count = window.count(dims[axis].size());
    if (count == 0)
      return emitOptionalError(loc, "a window over ", window.span(), " places does not fit an image ", formatDims(dims),
                               " padded by ", window.before, " and ", window.after);
    dims[axis] = Dim::fixed(count);
  }
  return dims;
}

/// The shape that the weight of `outputs` channels has in its layout.
static SmallVector<Dim> getWeightDims(ImageLayout layout, int64_t outputs, int64_t channels, ArrayRef<int64_t> window) {
  if (layout == ImageLayout::NHWC)
    return {Dim::fixed(outputs), Dim::fixed(window[0] * window[1] * channels)};
  return {Dim::fixed(outputs), Dim::fixed(channels), Dim::fixed(window[0]), Dim::fixed(window[1])};
}

LogicalResult Conv2dOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &inferred) {
  WindowText text(adaptor);
  if (auto dilations = adaptor.getProperties().dilations)
    text.dilations = dilations.asArrayRef();
  FailureOr<SmallVector<Dim>> dims = inferImage(loc, adaptor.getInput(), text);
  if (failed(dims))
    return failure();
  SmallVector<Dim> weight = getDims(tensorOf(adaptor.getWeight()));
  Dim &channel = (*dims)[ImageAxes(text.layout).channel];
  IntegerAttr given = adaptor.getProperties().groups;
  int64_t groups = given ? given.getInt() : 1, channels = channel.size();
  int64_t outputs = !weight.empty() && weight[0].isStatic() ? weight[0].size() : 1;
  if (groups < 1 || channels % groups != 0 || outputs % groups != 0)
    return emitOptionalError(loc, groups, " groups do not divide ", channels, " channels and ", outputs, " outputs");
  SmallVector<Dim> expected = getWeightDims(text.layout, outputs, channels / groups, text.window);
  if (weight != expected)
    return emitOptionalError(loc, "weight has shape ", formatDims(weight), ", expected ", formatDims(expected));
  bool isPaired = tensorOf(adaptor.getWeight()).getElementType().isBF16() && groups == 1 && channels % 2 == 0;
  if (tensorOf(adaptor.getInput()).getElementType().isBF16() && !isPaired)
    return emitOptionalError(loc, "an image of bf16 with ", channels, " channels in ", groups, " groups meets ",
                             adaptor.getWeight().getType(),
                             "; expected pairs of channels, one group and a weight of bf16");
  channel = weight.front();
  inferred.push_back(getTensorType(*dims, Float32Type::get(context)));
  return success();
}

/// Whether F(tile, window) exists for both axes.
static LogicalResult checkTile(std::optional<Location> loc, ArrayRef<int64_t> window, ArrayRef<int64_t> tile) {
  auto fits = [&](size_t axis) { return tile[axis] + window[axis] - 1 <= MinimalFilter::maxPoints; };
  if (arePositive(window) && arePositive(tile) && fits(0) && fits(1))
    return success();
  return emitOptionalError(loc, "window [", window, "] and tile [", tile,
                           "]; expected 2 positive numbers each, of which the sums for each axis are at most ",
                           MinimalFilter::maxPoints + 1);
}

/// The points of a tile.
static int64_t countPoints(ArrayRef<int64_t> window, ArrayRef<int64_t> tile) {
  return (tile[0] + window[0] - 1) * (tile[1] + window[1] - 1);
}

LogicalResult WinogradFilterOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                                 SmallVectorImpl<Type> &inferred) {
  ArrayRef<int64_t> window = adaptor.getWindow(), tile = adaptor.getTile();
  if (failed(checkTile(loc, window, tile)))
    return failure();
  RankedTensorType weight = tensorOf(adaptor.getWeight());
  int64_t places = window[0] * window[1];
  if (weight.getRank() != 2 || !weight.hasStaticShape() || weight.getDimSize(1) % places != 0)
    return emitOptionalError(loc, "weight has shape ", formatDims(getDims(weight)), ", expected [outputs, ", places,
                             " * channels]");
  int64_t row = weight.getDimSize(1) / places * countPoints(window, tile);
  inferred.push_back(getTensorType({Dim::fixed(weight.getDimSize(0)), Dim::fixed(row)}, weight.getElementType()));
  return success();
}

LogicalResult WinogradOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                           SmallVectorImpl<Type> &inferred) {
  ArrayRef<int64_t> window = adaptor.getWindow(), tile = adaptor.getTile();
  if (failed(checkTile(loc, window, tile)))
    return failure();
  FailureOr<SmallVector<Dim>> dims =
      inferImage(loc, adaptor.getInput(), WindowText(window, adaptor.getProperties().pads));
  if (failed(dims))
    return failure();
  SmallVector<Dim> weight = getDims(tensorOf(adaptor.getWeight()));
  Dim &channel = dims->back();
  Dim row = Dim::fixed(channel.size() * countPoints(window, tile));
  if (weight.size() != 2 || weight[1] != row)
    return emitOptionalError(loc, "weight has shape ", formatDims(weight), ", expected [outputs, ", row.size(), "]");
  channel = weight.front();
  inferred.push_back(getTensorType(*dims, Float32Type::get(context)));
  return success();
}

template <typename Adaptor>
static LogicalResult inferPool(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                               SmallVectorImpl<Type> &inferred) {
  WindowText text(adaptor);
  text.ceil = adaptor.getCeil();
  FailureOr<SmallVector<Dim>> dims = inferImage(loc, adaptor.getInput(), text);
  if (failed(dims))
    return failure();
  inferred.push_back(getTensorType(*dims, Float32Type::get(context)));
  return success();
}

/// Every window holds a place of the image.
static LogicalResult verifyPool(ImageOpInterface op) {
  for (auto [i, pad] : llvm::enumerate(op.getPads()))
    if (pad >= op.getWindow()[i / 2])
      return op.emitOpError("pads an image by ") << pad << ", expected less than the window, " << op.getWindow()[i / 2];
  return success();
}

LogicalResult MaxPoolOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &inferred) {
  return inferPool(context, loc, adaptor, inferred);
}

LogicalResult MaxPoolOp::verify() { return verifyPool(*this); }

LogicalResult AvgPoolOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &inferred) {
  return inferPool(context, loc, adaptor, inferred);
}

LogicalResult AvgPoolOp::verify() { return verifyPool(*this); }

StringRef Conv2dOp::getArithmetic() { return getProductArithmetic(getInput()); }

/// A convolution reads its image in any order.
bool Conv2dOp::takesPrologue(Operation *op) { return isa<CastOp, TransposeOp>(op); }

/// A product and a sum per element of the window, in kernels' layout.
SmallVector<WorkTerm> Conv2dOp::getOperations() {
  return {multiply(2 * tensorOf(getWeight()).getDimSize(1), getDims(tensorOf(getResult())))};
}

/// A product and a sum per point of each tile and channel; transforms are not counted.
SmallVector<WorkTerm> WinogradOp::getOperations() {
  SmallVector<Dim> tiles = getDims(tensorOf(getResult()));
  for (int64_t axis = 0; axis < 2; ++axis)
    tiles[1 + axis] = Dim::fixed(llvm::divideCeil(tiles[1 + axis].size(), getTile()[axis]));
  return {multiply(2 * tensorOf(getWeight()).getDimSize(1), tiles)};
}
