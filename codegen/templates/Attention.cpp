//===- Attention.cpp - attention over a cache -------------------------------------------------===//

#include "codegen/Scalar.h"
#include "codegen/StateLayout.h"
#include "codegen/templates/Common.h"

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace quern::codegen {

namespace {
struct AttentionFuncs {
  /// [e, head, row]
  Func output;
  std::vector<Var> vars;
  Func query, scores, largestLanes, largest, powers, sumLanes, sum, weightedLanes, weighted;
  RDom depth, groups;
};
} // namespace

static FailureOr<AttentionFuncs> algorithm(Lowering &lowering) {
  KernelOp kernel = lowering.getKernel();
  Block &body = kernel.getBody().front();
  auto anchor = cast<AttendOp>(kernel.getAnchor());
  if (failed(lowering.lowerOps(body.begin(), anchor->getIterator())))
    return failure();
  FailureOr<Tensor> queryTensor = lowering.get(anchor.getQuery());
  FailureOr<Halide::ImageParam> positions = lowering.getBuffer(anchor.getAt(), anchor);
  FailureOr<Halide::ImageParam> keyBuffer = lowering.getBuffer(anchor.getKeys(), anchor);
  FailureOr<Halide::ImageParam> valueBuffer = lowering.getBuffer(anchor.getValues(), anchor);
  if (failed(queryTensor) || failed(positions) || failed(keyBuffer) || failed(valueBuffer))
    return failure();
  Halide::ImageParam keys = *keyBuffer, values = *valueBuffer;
  auto keyType = cast<RankedTensorType>(anchor.getKeys().getType());
  int32_t depth = static_cast<int32_t>(keyType.getDimSize(2));
  int32_t heads = static_cast<int32_t>(cast<RankedTensorType>(anchor.getQuery().getType()).getDimSize(1));
  int32_t shared = heads / static_cast<int32_t>(keyType.getDimSize(1));
  constexpr int32_t lanes = stateLanes;

  AttentionFuncs f;
  f.query = Func("query");
  f.scores = Func("scores");
  f.largestLanes = Func("largest_lanes");
  f.largest = Func("largest");
  f.powers = Func("powers");
  f.sumLanes = Func("sum_lanes");
  f.sum = Func("sum");
  f.weightedLanes = Func("weighted_lanes");
  f.weighted = Func("weighted");
  Var lane("lane"), d("d"), e("e"), g("g"), h("h"), i("i");
  f.query(d, h, i) = queryTensor->at({i, h, d}) * static_cast<float>(anchor.getScale().convertToDouble());
  f.depth = RDom(0, depth, "depth");
  Expr visible = clamp(lowering.getVisible(), 1, static_cast<int32_t>(keyType.getDimSize(0)));
  f.groups = RDom(0, (visible + (lanes - 1)) / lanes, "groups");
  RDom &k = f.depth, &t = f.groups;

  f.scores(lane, g, h, i) = 0.0f;
  f.scores(lane, g, h, i) += f.query(k, h, i) * toFloat(keys(lane, k, g, h / shared));
  Expr row = lowering.getCacheRow(*positions, i, keyType.getDimSize(0));
  Expr seen = select(g * lanes + lane <= row, f.scores(lane, g, h, i), -std::numeric_limits<float>::infinity());
  Func masked("masked");
  masked(lane, g, h, i) = seen;
  f.largestLanes(lane, h, i) = -std::numeric_limits<float>::infinity();
  f.largestLanes(lane, h, i) = max(f.largestLanes(lane, h, i), masked(lane, t, h, i));
  Expr best = f.largestLanes(0, h, i);
  for (int l = 1; l < lanes; ++l)
    best = max(best, f.largestLanes(l, h, i));
  f.largest(h, i) = best;
  f.powers(lane, g, h, i) = select(g * lanes + lane <= row, exp(f.scores(lane, g, h, i) - f.largest(h, i)), 0.0f);
  f.sumLanes(lane, h, i) = 0.0f;
  f.sumLanes(lane, h, i) += f.powers(lane, t, h, i);
  auto combine = [&](auto &&term) {
    std::vector<Expr> terms;
    for (int l = 0; l < lanes; ++l)
      terms.push_back(term(l));
    for (size_t width = lanes / 2; width > 0; width /= 2)
      for (size_t l = 0; l < width; ++l)
        terms[l] = terms[l] + terms[l + width];
    return terms[0];
  };
  f.sum(h, i) = combine([&](int l) { return f.sumLanes(l, h, i); });
  f.weightedLanes(lane, e, h, i) = 0.0f;
  f.weightedLanes(lane, e, h, i) += f.powers(lane, t, h, i) * toFloat(values(lane, e, t, h / shared));
  f.weighted(e, h, i) = combine([&](int l) { return f.weightedLanes(l, e, h, i); }) / f.sum(h, i);

  lowering.set(anchor.getResult(), {lowering.shapeOf(cast<RankedTensorType>(anchor.getResult().getType())),
                                    [weighted = f.weighted](const Index &index) { return callAt(weighted, index); }});
  if (failed(lowering.lowerOps(std::next(anchor->getIterator()), body.end())))
    return failure();
  FailureOr<Tensor> result = lowering.get(lowering.getYielded());
  if (failed(result))
    return failure();
  OutputVars vars(result->shape.size());
  f.vars = vars.vars;
  f.output = Func("output");
  f.output(vars.vars) = result->at(vars.index());
  return f;
}

/// One head of one row at a time; everything of it stays in the caches.
static void schedule(AttentionFuncs &f, const Lowering &lowering) {
  scheduleStages(lowering, f.output, nullptr);
  Var at = f.vars[1];
  for (Func func : {f.query, f.scores, f.largestLanes, f.largest, f.powers, f.sumLanes, f.sum, f.weightedLanes, f.weighted})
    func.compute_at(f.output, at);
  for (Func func : {f.scores, f.largestLanes, f.powers, f.sumLanes, f.weightedLanes}) {
    Var lane = func.args()[0];
    func.bound(lane, 0, static_cast<int>(stateLanes)).vectorize(lane);
    if (func.has_update_definition())
      func.update().vectorize(lane);
  }
  for (size_t d = f.vars.size(); d-- > 1;)
    f.output.parallel(f.vars[d]);
}

Space spaceAttention(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Func> buildAttention(Lowering &lowering, const Parameters &) {
  FailureOr<AttentionFuncs> funcs = algorithm(lowering);
  if (failed(funcs))
    return failure();
  schedule(*funcs, lowering);
  return funcs->output;
}

} // namespace quern::codegen
