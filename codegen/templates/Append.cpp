//===- Append.cpp - writing rows into a cache -------------------------------------------------===//

#include "codegen/Scalar.h"
#include "codegen/StateLayout.h"
#include "codegen/templates/Common.h"
#include "dialect/CacheLayout.h"
#include "runtime/include/quern/Format.h"

using namespace mlir;
using Halide::Expr;

namespace quern::codegen {

namespace {
struct AppendFuncs {
  /// [lane, d, group, h, page], or [d, h, T] where the cache is plain, written in place
  Halide::Func output;
  /// d, head, token
  Halide::RDom writes;
};
} // namespace

/// `value`, f32, as a cache of `type` holds it. What is beyond f16 is no number, not infinite: no score can hide it.
/// The runtime tells it from a NaN.
static Expr round(Halide::Type type, Expr value) {
  Expr rounded = convert(type, value);
  if (type != Halide::Float(16))
    return rounded;
  constexpr float beyond = 65520; // the least that is rounded to infinity
  // As integers: a constant's bits would not outlast its way through double precision.
  Expr bits = select(abs(value) < beyond || is_nan(value), Halide::reinterpret<uint16_t>(rounded),
                     Expr(uint16_t(QUERN_BEYOND_F16)));
  return Halide::reinterpret(type, bits);
}

static FailureOr<AppendFuncs> algorithm(Lowering &lowering) {
  KernelOp kernel = lowering.getKernel();
  Block &body = kernel.getBody().front();
  auto anchor = cast<CacheAppendOp>(kernel.getAnchor());
  if (std::next(anchor->getIterator()) != std::prev(body.end()) || lowering.getYielded() != anchor.getResult())
    return anchor.emitError("a kernel of the form `append` ends with it");
  if (failed(lowering.lowerOps(body.begin(), anchor->getIterator())))
    return failure();
  FailureOr<Formula> input = lowering.get(anchor.getInput());
  FailureOr<Halide::ImageParam> positions = lowering.getBuffer(anchor.getAt(), anchor);
  if (failed(input) || failed(positions))
    return failure();

  auto cacheType = cast<RankedTensorType>(anchor.getCache().getType());
  Halide::Type element = *getHalideType(cacheType.getElementType());
  AppendFuncs funcs{Halide::Func("output"),
                    Halide::RDom(0, input->shape[2], 0, input->shape[1], 0, input->shape[0], "writes")};
  Halide::RDom &r = funcs.writes;
  Expr row = Lowering::getField(*positions, PositionField::Row, r.z);
  std::vector<Halide::Var> vars = {Halide::Var("lane"), Halide::Var("d"), Halide::Var("group"), Halide::Var("head"),
                                   Halide::Var("page")};
  std::vector<Expr> place;
  if (isPlain(anchor)) {
    vars = {Halide::Var("d"), Halide::Var("head"), Halide::Var("row")};
    place = {r.x, r.y, clamp(row, 0, static_cast<int32_t>(cacheType.getDimSize(0)) - 1)};
  } else {
    Expr inPage = row % int32_t(statePage);
    place = {inPage % int32_t(stateLanes), r.x, inPage / int32_t(stateLanes), r.y, lowering.getPage(row)};
  }
  funcs.output(vars) = Halide::undef(element);
  funcs.output(place) = round(element, input->at({r.z, r.y, r.x}));
  return funcs;
}

/// Of many tokens each task writes one vector of a head's elements: two tokens of one row are written in their order.
static void schedule(AppendFuncs &funcs, const Lowering &lowering, bool few, int lanes) {
  Halide::RDom &r = funcs.writes;
  Halide::RVar vector("vector"), element("element"), task("task");
  Halide::Stage update = funcs.output.update();
  update.split(r.x, vector, element, lanes, Halide::TailStrategy::GuardWithIf)
      .allow_race_conditions()
      .vectorize(element);
  if (few)
    update.reorder(element, vector, r.z, r.y);
  else
    update.reorder(element, r.z, vector, r.y).fuse(vector, r.y, task).parallel(task);
  scheduleStages(lowering, funcs.output, nullptr, false);
}

FailureOr<KernelPlan> buildAppend(Lowering &lowering, const Parameters &parameters) {
  FailureOr<AppendFuncs> funcs = algorithm(lowering);
  if (failed(funcs))
    return failure();
  auto anchor = cast<CacheAppendOp>(lowering.getKernel().getAnchor());
  bool few = areFew(cast<RankedTensorType>(anchor.getInput().getType()));
  return KernelPlan(
      {funcs->output},
      [funcs = *funcs, &lowering, few, parameters]() mutable {
        schedule(funcs, lowering, few, parameters["lanes"]);
        return success();
      },
      [funcs = *funcs, &lowering](const DeviceSchedule &device) {
        spreadStages(lowering, device);
        // No two tokens of a step are one row.
        device.spreadWrites(funcs.output, {funcs.writes.x, funcs.writes.y, funcs.writes.z});
      });
}

} // namespace quern::codegen
