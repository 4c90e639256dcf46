//===- Append.cpp - writing rows into a cache -------------------------------------------------===//

#include "codegen/Scalar.h"
#include "codegen/StateLayout.h"
#include "codegen/templates/Common.h"

using namespace mlir;
using Halide::Expr;

namespace quern::codegen {

namespace {
struct AppendFuncs {
  /// [lane, d, T / 16, h], written in place
  Halide::Func output;
  /// d, head, token
  Halide::RDom writes;
};
} // namespace

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
  Halide::Var lane("lane"), d("d"), group("group"), head("head");
  funcs.output(lane, d, group, head) = Halide::undef(element);
  Expr row = lowering.getCacheRow(*positions, r.z, cacheType.getDimSize(0));
  funcs.output(row % int32_t(stateLanes), r.x, row / int32_t(stateLanes), r.y) =
      convert(element, input->at({r.z, r.y, r.x}));
  return funcs;
}

/// Heads in parallel: two tokens of one row are written in their order.
static void schedule(AppendFuncs &funcs, const Lowering &lowering) {
  Halide::RDom &r = funcs.writes;
  Halide::Stage update = funcs.output.update();
  update.reorder(r.x, r.z, r.y).allow_race_conditions().vectorize(r.x, lowering.getTarget().lanes(), Halide::TailStrategy::GuardWithIf);
  scheduleStages(lowering, funcs.output, nullptr, false);
}

Space spaceAppend(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Halide::Func> buildAppend(Lowering &lowering, const Parameters &) {
  FailureOr<AppendFuncs> funcs = algorithm(lowering);
  if (failed(funcs))
    return failure();
  schedule(*funcs, lowering);
  return funcs->output;
}

} // namespace quern::codegen
