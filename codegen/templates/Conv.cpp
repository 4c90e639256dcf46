//===- Conv.cpp - direct convolution ----------------------------------------------------------===//

#include "codegen/templates/Common.h"
#include "codegen/templates/Weights.h"
#include "dialect/Images.h"

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

namespace quern::codegen {

static constexpr int panelRows = PackedLayout::panelRows;

namespace {
struct ConvFuncs {
  /// [i, o, x, y, n], or [c, x, y, n] where the channels do not fill whole panels.
  Func output;
  /// f32 [i, o, x, y, n]: lane i of panel o.
  Func sum;
  /// f32 [c, x, y, n]: the image with zeros around it. Undefined where there is no padding.
  Func padded;
  /// u32 [pair, x, y, n]: the channels of an image of bf16, zeros around them. Undefined for f32.
  Func pairs;
  /// Channels of a group, or pairs of them, columns and rows of the window.
  RDom steps;
  Var i{"i"}, o{"o"}, c{"c"}, x{"x"}, y{"y"}, n{"n"};
  bool ragged = false;
  int panels = 0, channels = 0, height = 0, width = 0;
  /// How many of `steps.x` there are.
  int depth = 0;
};
} // namespace

/// Whether there are places around the image.
static bool hasPads(Conv2dOp op) {
  return llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
}

/// The image by pairs of channels, read at any place: zeros around it.
static Func makePairs(Conv2dOp op, const Formula &input) {
  Var pair("pair"), x("x"), y("y"), n("n");
  auto at = [&](Expr row, Expr column) {
    return makePair([&](Expr channel) { return input.at({n, row, column, channel}); }, pair);
  };
  Func pairs("pairs");
  pairs(pair, x, y, n) = hasPads(op) ? zeroAround(input.shape, y, x, at) : at(y, x);
  return pairs;
}

/// The channel of the image that step `step` of lane `i` of panel `o` reads: those of the group of its output.
static Expr getChannel(Conv2dOp op, const ConvFuncs &funcs, int64_t outputs, int64_t channels, Expr step) {
  int64_t groups = op.getGroups();
  if (groups == 1)
    return step;
  int32_t perGroup = static_cast<int32_t>(outputs / groups), group = static_cast<int32_t>(channels / groups);
  if (perGroup % panelRows == 0)
    return funcs.o / (perGroup / panelRows) * group + step;
  Expr output = funcs.o * panelRows + funcs.i;
  // The lanes behind the last output belong to no group.
  if (outputs % panelRows != 0)
    output = min(output, static_cast<int32_t>(outputs) - 1);
  return perGroup == 1 && group == 1 ? output : output / perGroup * group + step;
}

/// sum(i, o, x, y, n) += image · weight, in ascending order of (ky, kx, c); images of bf16 by pairs of channels.
static LogicalResult buildSum(Lowering &lowering, ConvFuncs &funcs, Conv2dOp op) {
  FailureOr<Formula> input = lowering.get(op.getInput());
  FailureOr<PackedWeight> weight = lowering.getWeight(op.getWeight(), op);
  if (failed(input) || failed(weight))
    return failure();
  WindowAxis rows = getWindowAxis(op, 0), columns = getWindowAxis(op, 1);
  auto type = cast<RankedTensorType>(op.getInput().getType());
  bool paired = type.getElementType().isBF16();
  int32_t depth = funcs.depth = static_cast<int32_t>(type.getDimSize(3) / op.getGroups()) / (paired ? 2 : 1);
  funcs.steps = RDom(0, depth, 0, static_cast<int32_t>(columns.size), 0, static_cast<int32_t>(rows.size), "steps");
  auto place = [](Var var, const WindowAxis &axis, Expr step) {
    auto number = [](int64_t value) { return static_cast<int32_t>(value); };
    return var * number(axis.stride) + step * number(axis.dilation) - number(axis.before);
  };
  Expr x = place(funcs.x, columns, funcs.steps.y), y = place(funcs.y, rows, funcs.steps.z);
  Expr column = (funcs.steps.z * static_cast<int32_t>(columns.size) + funcs.steps.y) * depth + funcs.steps.x;
  funcs.sum = Func("sum");
  Halide::FuncRef sum = funcs.sum(funcs.i, funcs.o, funcs.x, funcs.y, funcs.n);
  sum = 0.0f;
  if (paired) {
    funcs.pairs = makePairs(op, *input);
    sum = addPairProducts(lowering.getTarget(), sum, funcs.pairs(funcs.steps.x, x, y, funcs.n),
                          weight->values(funcs.i, column, funcs.o));
    return success();
  }
  Formula image = hasPads(op) ? padImage(funcs.padded, *input) : *input;
  int32_t group = static_cast<int32_t>(weight->layout.group);
  sum += image.at({funcs.n, y, x, getChannel(op, funcs, weight->rows, type.getDimSize(3), funcs.steps.x)}) *
         readWeight(*weight, funcs.i, column % group, /*block=*/column / group, funcs.o);
  return success();
}

static FailureOr<ConvFuncs> algorithm(Lowering &lowering) {
  KernelOp kernel = lowering.getKernel();
  Block &body = kernel.getBody().front();
  auto anchor = cast<Conv2dOp>(kernel.getAnchor());
  if (anchor.getLayout() != ImageLayout::NHWC)
    return anchor.emitError("a kernel's convolution has the layout `nchw`, expected `nhwc`");
  if (failed(lowering.lowerOps(body.begin(), anchor->getIterator())))
    return failure();
  ConvFuncs funcs;
  if (failed(buildSum(lowering, funcs, anchor)))
    return failure();
  auto type = cast<RankedTensorType>(anchor.getResult().getType());
  lowering.set(anchor.getResult(), panelFormula(lowering.shapeOf(type), funcs.i, funcs.o,
                                                [sum = funcs.sum](Expr i, Expr o, const Index &index) {
                                                  return sum(i, o, index[2], index[1], index[0]);
                                                }));
  FailureOr<Formula> result = lowering.lowerResult(std::next(anchor->getIterator()));
  if (failed(result))
    return failure();
  funcs.panels = static_cast<int>(PackedLayout::panels(type.getDimSize(3)));
  funcs.height = static_cast<int>(type.getDimSize(1)), funcs.width = static_cast<int>(type.getDimSize(2));
  funcs.channels = static_cast<int>(type.getDimSize(3));
  funcs.ragged = funcs.channels % panelRows != 0;
  funcs.output = Func("output");
  if (funcs.ragged)
    funcs.output(funcs.c, funcs.x, funcs.y, funcs.n) = result->at({funcs.n, funcs.y, funcs.x, funcs.c});
  else
    funcs.output(funcs.i, funcs.o, funcs.x, funcs.y, funcs.n) =
        result->at({funcs.n, funcs.y, funcs.x, funcs.o * panelRows + funcs.i});
  return funcs;
}

/// The image by pairs before everything else, its rows in parallel.
static void schedulePairs(ConvFuncs &funcs, int lanes) {
  std::vector<Var> vars = funcs.pairs.args();
  Var task("task");
  funcs.pairs.compute_root().fuse(vars[2], vars[3], task).parallel(task, rowsPerTask, TailStrategy::GuardWithIf);
  vectorizeTail(funcs.pairs, vars[0], Expr(funcs.depth), lanes);
}

/// Channels that do not fill whole panels: a row of the image is summed by panels, then the output picks its channels.
static void scheduleRagged(ConvFuncs &funcs, const Lowering &lowering) {
  Var task("task");
  vectorizeTail(funcs.output, funcs.c, funcs.channels, lowering.getTarget().lanes());
  funcs.output.fuse(funcs.y, funcs.n, task).parallel(task);
  funcs.sum.compute_at(funcs.output, task)
      .bound(funcs.i, 0, panelRows)
      .bound(funcs.o, 0, funcs.panels)
      .vectorize(funcs.i);
  funcs.sum.update()
      .reorder({funcs.i, funcs.steps.x, funcs.steps.y, funcs.steps.z, funcs.o, funcs.x})
      .vectorize(funcs.i);
  if (funcs.padded.defined())
    funcs.padded.compute_at(funcs.output, task);
}

/// Tiles of `rows` places of a row by `vectors` panels, whose sums stay in registers; a task has `lines` rows of the
/// image and the panels of one tile. Where the last tile does not fit it begins earlier and computes some places again.
static void schedule(ConvFuncs &funcs, const Lowering &lowering, const Parameters &parameters) {
  int lanes = lowering.getTarget().lanes();
  if (funcs.padded.defined())
    vectorizeTail(funcs.padded, funcs.padded.args()[0], Expr(funcs.channels), lanes);
  if (funcs.pairs.defined())
    schedulePairs(funcs, lanes);
  if (funcs.ragged)
    return scheduleRagged(funcs, lowering);
  int rows = std::min(parameters["rows"], funcs.width), vectors = std::min(parameters["vectors"], funcs.panels);
  Var xo("xo"), xi("xi"), oo("oo"), oi("oi"), yo("yo"), yi("yi"), place("place"), task("task");
  funcs.output.bound(funcs.i, 0, panelRows)
      .split(funcs.o, oo, oi, vectors, TailStrategy::ShiftInwards)
      .split(funcs.x, xo, xi, rows, TailStrategy::ShiftInwards)
      .split(funcs.y, yo, yi, std::min(parameters["lines"], funcs.height), TailStrategy::GuardWithIf)
      .reorder({funcs.i, oi, xi, xo, yi, yo, funcs.n, oo})
      .vectorize(funcs.i)
      .unroll(oi)
      .unroll(xi)
      .fuse(yo, funcs.n, place)
      .fuse(place, oo, task)
      .parallel(task);
  funcs.sum.compute_at(funcs.output, xo).vectorize(funcs.i).unroll(funcs.o).unroll(funcs.x);
  funcs.sum.update()
      .reorder({funcs.i, funcs.o, funcs.x, funcs.steps.x, funcs.steps.y, funcs.steps.z})
      .vectorize(funcs.i)
      .unroll(funcs.o)
      .unroll(funcs.x);
  if (funcs.padded.defined())
    funcs.padded.compute_at(funcs.output, xo);
}

/// A thread per element, which adds up its window.
static void spread(const ConvFuncs &funcs, const DeviceSchedule &device) {
  for (Func stored : {funcs.padded, funcs.pairs})
    if (stored.defined())
      device.spread(stored);
  Func output = funcs.output;
  if (!funcs.ragged)
    output.bound(funcs.i, 0, panelRows);
  device.spread(output);
}

FailureOr<KernelPlan> buildConv(Lowering &lowering, const Parameters &parameters) {
  FailureOr<ConvFuncs> funcs = algorithm(lowering);
  if (failed(funcs))
    return failure();
  return KernelPlan(
      {funcs->output},
      [funcs = *funcs, &lowering, parameters]() mutable {
        schedule(funcs, lowering, parameters);
        return success();
      },
      [funcs = *funcs](const DeviceSchedule &device) { spread(funcs, device); });
}

} // namespace quern::codegen
