//===- Pool.cpp - the largest value or the mean of windows ------------------------------------===//

#include "codegen/templates/Common.h"
#include "dialect/Images.h"

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace quern::codegen {

namespace {
struct PoolFuncs {
  /// [c, x, y, n]
  Func output;
  /// f32 [c, x, y, n]: the largest value or the sum of a window.
  Func pooled;
  /// Columns and rows of the window.
  RDom steps;
  Var c{"c"}, x{"x"}, y{"y"}, n{"n"};
  int channels = 0, height = 0;
};

/// One axis of a window: where it begins, and the places of the image that it covers.
struct Covered {
  Covered(const WindowAxis &axis, Var index, Expr extent)
      : begin(index * static_cast<int32_t>(axis.stride) - static_cast<int32_t>(axis.before)), extent(extent),
        size(static_cast<int32_t>(axis.size)), after(static_cast<int32_t>(axis.after)),
        inside(axis.before == 0 && axis.after == 0 && !axis.ceil) {}

  /// The nearest place of the image to step `step` of the window, and whether that is it.
  Expr place(Expr step) const { return inside ? begin + step : clamp(begin + step, 0, extent - 1); }
  Expr holds(Expr step) const { return inside ? Expr(true) : begin + step >= 0 && begin + step < extent; }
  /// How many places of the image, or of the padded image, the window covers.
  Expr count(bool padded) const {
    if (padded)
      return min(begin + size, extent + after) - begin;
    return min(begin + size, extent) - max(begin, 0);
  }

  Expr begin, extent;
  int32_t size, after;
  bool inside;
};
} // namespace

/// The formula of the pool: a maximum over the places of the window, or their sum divided by their number. A place
/// beyond the image counts as the nearest one for a maximum, which lies in the window too, and as 0 for a sum.
static FailureOr<Formula> buildPooled(Lowering &lowering, PoolFuncs &funcs, ImageOpInterface op) {
  FailureOr<Formula> input = lowering.get(op.getInput());
  if (failed(input))
    return failure();
  auto average = dyn_cast<AvgPoolOp>(op.getOperation());
  Covered rows(getWindowAxis(op, 0), funcs.y, input->shape[1]), columns(getWindowAxis(op, 1), funcs.x, input->shape[2]);
  funcs.steps = RDom(0, columns.size, 0, rows.size, "steps");
  Expr value = input->at({funcs.n, rows.place(funcs.steps.y), columns.place(funcs.steps.x), funcs.c});
  funcs.pooled = Func("pooled");
  Func &pooled = funcs.pooled;
  Halide::FuncRef element = pooled(funcs.c, funcs.x, funcs.y, funcs.n);
  if (!average) {
    element = -std::numeric_limits<float>::infinity();
    pooled(funcs.c, funcs.x, funcs.y, funcs.n) = max(pooled(funcs.c, funcs.x, funcs.y, funcs.n), value);
    return Formula{input->shape, [pooled](const Index &index) { return callAt(pooled, index); }};
  }
  element = 0.0f;
  if (!rows.inside || !columns.inside)
    value = select(rows.holds(funcs.steps.y) && columns.holds(funcs.steps.x), value, 0.0f);
  pooled(funcs.c, funcs.x, funcs.y, funcs.n) += value;
  Expr count = Halide::cast<float>(rows.count(average.getIncludePad()) * columns.count(average.getIncludePad()));
  return Formula{input->shape, [pooled, count](const Index &index) { return callAt(pooled, index) / count; }};
}

static FailureOr<PoolFuncs> algorithm(Lowering &lowering) {
  KernelOp kernel = lowering.getKernel();
  Block &body = kernel.getBody().front();
  auto anchor = cast<ImageOpInterface>(kernel.getAnchor());
  if (anchor.getLayout() != ImageLayout::NHWC)
    return anchor.emitError("a kernel's pool has the layout `nchw`, expected `nhwc`");
  if (failed(lowering.lowerOps(body.begin(), anchor->getIterator())))
    return failure();
  PoolFuncs funcs;
  FailureOr<Formula> pooled = buildPooled(lowering, funcs, anchor);
  if (failed(pooled))
    return failure();
  auto type = cast<RankedTensorType>(anchor->getResult(0).getType());
  pooled->shape = lowering.shapeOf(type);
  lowering.set(anchor->getResult(0), *pooled);
  FailureOr<Formula> result = lowering.lowerResult(std::next(anchor->getIterator()));
  if (failed(result))
    return failure();
  funcs.channels = static_cast<int>(type.getDimSize(3)), funcs.height = static_cast<int>(type.getDimSize(1));
  funcs.output = Func("output");
  funcs.output(funcs.c, funcs.x, funcs.y, funcs.n) = result->at({funcs.n, funcs.y, funcs.x, funcs.c});
  return funcs;
}

/// A vector of channels at a time, its window in one register. Tasks are rows of the image; of one row, channels.
static void schedule(PoolFuncs &funcs, const Lowering &lowering, int lanes) {
  while (lanes > funcs.channels)
    lanes /= 2;
  Var co("co"), ci("ci"), task("task");
  auto guard = Halide::TailStrategy::GuardWithIf;
  funcs.output.split(funcs.c, co, ci, lanes, guard).vectorize(ci);
  if (funcs.height == 1)
    funcs.output.reorder({ci, funcs.x, funcs.y, funcs.n, co}).parallel(co);
  else
    funcs.output.reorder({ci, co, funcs.x, funcs.y, funcs.n}).fuse(funcs.y, funcs.n, task).parallel(task);
  funcs.pooled.compute_at(funcs.output, funcs.height == 1 ? funcs.x : co).vectorize(funcs.c, lanes, guard);
  funcs.pooled.update().reorder({funcs.c, funcs.steps.x, funcs.steps.y}).vectorize(funcs.c, lanes, guard);
  constexpr int unrolled = 9; // 3 · 3
  auto places =
      Halide::Internal::as_const_int(Halide::Internal::simplify(funcs.steps.x.extent() * funcs.steps.y.extent()));
  if (places && *places <= unrolled)
    funcs.pooled.update().unroll(funcs.steps.x).unroll(funcs.steps.y);
}

FailureOr<KernelPlan> buildPool(Lowering &lowering, const Parameters &parameters) {
  FailureOr<PoolFuncs> funcs = algorithm(lowering);
  if (failed(funcs))
    return failure();
  return KernelPlan(
      {funcs->output},
      [funcs = *funcs, &lowering, parameters]() mutable {
        schedule(funcs, lowering, parameters["lanes"]);
        return success();
      },
      [funcs = *funcs](const DeviceSchedule &device) { device.spread(funcs.output); });
}

} // namespace quern::codegen
