//===- BuiltinsVision.cpp - convolution and pooling -------------------------------------------===//

#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"

#include "dialect/Images.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace quern::frontend {

/// The largest size, stride, padding or dilation of a window.
static constexpr int64_t maxWindow = 1 << 16;

namespace {

/// A window as a call gives it; numbers that are not known stand as 1.
struct Window {
  SmallVector<int64_t, 4> size, strides, pads, dilations = {1, 1};
  bool ceil = false;
  bool isKnown = true;
};

} // namespace

/// Argument `i`: one number for all of `count` places, or a tuple of `count` numbers; absent, `fallback`. Numbers below
/// `least` are reported.
static std::optional<SmallVector<int64_t, 4>> readNumbers(BuiltinCall &call, size_t i, size_t count, int64_t least,
                                                          ArrayRef<int64_t> fallback, bool &isKnown) {
  if (!call.has(i))
    return SmallVector<int64_t, 4>(fallback);
  SmallVector<Extent, 4> extents;
  if (auto *one = call.arguments[i].get<Extent>())
    extents.assign(count, *one);
  else
    for (const Value &element : *call.arguments[i].get<Sequence>()->elements)
      extents.push_back(*element.get<Extent>());
  if (extents.size() != count) {
    call.fail(call.places[i], "found " + Twine(extents.size()) + " numbers; expected one, or " + Twine(count));
    return std::nullopt;
  }
  SmallVector<int64_t, 4> numbers;
  for (const Extent &extent : extents) {
    isKnown &= extent.constant().has_value();
    int64_t number = extent.constant().value_or(1);
    if (extent.mentions(SymbolKind::Runtime) || number < least || number > maxWindow) {
      call.fail(call.places[i], "found `" + extent.str() + "`; expected " + Twine(least) + " to " + Twine(maxWindow));
      return std::nullopt;
    }
    numbers.push_back(number);
  }
  return numbers;
}

/// Argument `i`, the rows and columns around an image, as top, bottom, left, right: one number, (vertical, horizontal)
/// or all four.
static std::optional<SmallVector<int64_t, 4>> readPads(BuiltinCall &call, size_t i, bool &isKnown) {
  auto *sequence = call.has(i) ? call.arguments[i].get<Sequence>() : nullptr;
  size_t count = sequence && sequence->elements->size() == 4 ? 4 : 2;
  auto pads = readNumbers(call, i, count, 0, SmallVector<int64_t>(count, 0), isKnown);
  if (pads && pads->size() == 2)
    pads = {(*pads)[0], (*pads)[0], (*pads)[1], (*pads)[1]};
  return pads;
}

/// Argument `i`, a truth value; `fallback` where it is absent.
static bool readFlag(BuiltinCall &call, size_t i, bool fallback, bool &isKnown) {
  if (!call.has(i))
    return fallback;
  auto &value = call.arguments[i].get<BoolValue>()->value;
  isKnown &= value.has_value();
  return value.value_or(fallback);
}

/// How many windows fit along axis `axis` (0 the height) of `extent` places; reports where none does.
static std::optional<Extent> countWindows(BuiltinCall &call, const Window &window, unsigned axis,
                                          const Extent &extent) {
  WindowAxis along = {window.size[axis],         window.strides[axis],   window.pads[2 * axis],
                      window.pads[2 * axis + 1], window.dilations[axis], window.ceil};
  auto places = extent.constant();
  if (!window.isKnown || !places)
    return Extent::symbol(call.name + "(" + extent.str() + ")", SymbolKind::Opaque);
  int64_t count = along.count(*places);
  if (count == 0) {
    call.fail(call.range, call.name + " with a window over " + Twine(along.span()) + " places of an axis of " +
                              Twine(*places) + ", padded by " + Twine(along.before) + " and " + Twine(along.after) +
                              "; expected a window that fits");
    return std::nullopt;
  }
  return Extent(count);
}

/// Whether argument 0 holds images of a known size; reports it otherwise.
static bool isImage(BuiltinCall &call) {
  const Tensor &x = call.tensor(0);
  if (!isa<mlir::FloatType>(x.element) || x.shape.size() != 4) {
    call.failShapes({0}, "images `[n, channels, height, width]` of floats");
    return false;
  }
  for (const Extent &extent : ArrayRef<Extent>(x.shape).drop_front())
    if (extent.mentions(SymbolKind::Runtime)) {
      call.fail(call.places[0], "`" + extent.str() + "` in `" + formatTensor(x) +
                                    "` is known at run time only; expected static channels, height "
                                    "and width");
      return false;
    }
  return true;
}

/// The shape of windows over argument 0 with `channels`; nothing after an error.
static std::optional<Shape> slide(BuiltinCall &call, const Window &window, const Extent &channels) {
  Shape shape = call.tensor(0).shape;
  shape[1] = channels;
  for (unsigned axis : {0, 1}) {
    auto count = countWindows(call, window, axis, shape[2 + axis]);
    if (!count)
      return std::nullopt;
    shape[2 + axis] = *count;
  }
  return shape;
}

/// The window of a pool: arguments 1 (size), 2 (stride, the size unless given), 3 (pad) and 4 (ceil_mode).
static std::optional<Window> readPool(BuiltinCall &call) {
  if (!isImage(call))
    return std::nullopt;
  Window window;
  auto size = readNumbers(call, 1, 2, 1, {}, window.isKnown);
  auto strides = size ? readNumbers(call, 2, 2, 1, *size, window.isKnown) : std::nullopt;
  auto pads = readPads(call, 3, window.isKnown);
  if (!size || !strides || !pads)
    return std::nullopt;
  window.size = *size, window.strides = *strides, window.pads = *pads;
  window.ceil = readFlag(call, 4, false, window.isKnown);
  for (unsigned i = 0; window.isKnown && i < 4; ++i)
    if (window.pads[i] >= window.size[i / 2]) {
      call.fail(call.places[3], call.name + " pads by " + Twine(window.pads[i]) + "; expected less than the window, " +
                                    Twine(window.size[i / 2]));
      return std::nullopt;
    }
  return window;
}

/// A pool of the images in argument 0; `flags` are what its op takes beside the window.
template <typename Op, typename... Flags> static Value pool(BuiltinCall &call, Flags... flags) {
  auto window = readPool(call);
  auto shape = window ? slide(call, *window, call.tensor(0).shape[1]) : std::nullopt;
  if (!shape)
    return Value();
  mlir::Value result =
      call.emitter.create<Op>(call.range, call.emitter.asF32(call.places[0], call.tensor(0)), window->size,
                              window->strides, window->pads, window->ceil, flags..., ImageLayout::NCHW);
  return call.give(*shape, call.emitter.f32(), result);
}

namespace builtins {

Value conv2d(BuiltinCall &call) {
  const Tensor &x = call.tensor(0), &weight = call.tensor(1);
  if (!isImage(call))
    return Value();
  if (!isa<mlir::FloatType>(weight.element) || weight.shape.size() != 4)
    return call.failShapes({0, 1}, "a weight `[outputs, channels / groups, height, width]` of floats");
  Window window;
  auto strides = readNumbers(call, 2, 2, 1, {1, 1}, window.isKnown);
  auto pads = readPads(call, 3, window.isKnown);
  auto dilations = readNumbers(call, 4, 2, 1, {1, 1}, window.isKnown);
  auto groups = call.has(5) ? call.integer(5) : std::optional<int64_t>(1);
  if (!strides || !pads || !dilations || (call.has(5) && !groups && call.emitter.isActive()))
    return Value();
  window.strides = *strides, window.pads = *pads, window.dilations = *dilations;
  for (const Extent &extent : {weight.shape[2], weight.shape[3]}) {
    window.isKnown &= extent.constant().has_value();
    window.size.push_back(extent.constant().value_or(1));
  }
  auto channels = Extent::multiply(weight.shape[1], Extent(groups.value_or(1)));
  auto outputs = weight.shape[0].constant();
  bool divides = !groups || (*groups > 0 && outputs.value_or(*groups) % *groups == 0);
  if (groups && (!divides || !channels || Extent::compare(*channels, x.shape[1]) == Equality::Different))
    return call.failShapes({0, 1},
                           "a weight `[outputs, channels / groups, height, width]` with " + Twine(*groups) + " groups");
  auto shape = slide(call, window, weight.shape[0]);
  if (!shape)
    return Value();
  mlir::Value result = call.emitter.create<Conv2dOp>(call.range, call.emitter.asF32(call.places[0], x), weight.value,
                                                     window.size, window.strides, window.pads, window.dilations,
                                                     groups.value_or(1), ImageLayout::NCHW);
  return call.give(*shape, call.emitter.f32(), result);
}

Value max_pool(BuiltinCall &call) { return pool<MaxPoolOp>(call); }

Value avg_pool(BuiltinCall &call) {
  bool isKnown = true;
  bool includePad = readFlag(call, 5, true, isKnown);
  return pool<AvgPoolOp>(call, includePad);
}

} // namespace builtins

} // namespace quern::frontend
