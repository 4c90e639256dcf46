//===- Values.cpp - products of two values ----------------------------------------------------===//

#include "codegen/Scalar.h"
#include "codegen/templates/Contract.h"

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

namespace quern::codegen {

static constexpr int panelRows = PackedLayout::panelRows;

namespace {
struct ValueFuncs {
  /// [n, …, m], innermost first
  Output output;
  /// f32 [i, k, o, b]: the right side by panels, as packed weights are; what is beyond the last row is its last.
  Func panels;
  /// f32 [i, o, …, m]
  Func sum;
  RDom steps;
  Var i, o;
};
} // namespace

/// sum(i, o, …, m) += lhs(k, …, m) · panels(i, k, o, b), k ascending.
static FailureOr<ValueFuncs> algorithm(Lowering &lowering) {
  Block &body = lowering.getKernel().getBody().front();
  auto matmul = cast<MatmulOp>(lowering.getKernel().getAnchor());
  if (failed(lowering.lowerOps(body.begin(), matmul->getIterator())))
    return failure();
  FailureOr<Formula> lhs = lowering.get(matmul.getLhs()), weight = lowering.get(matmul.getWeight());
  if (failed(lhs) || failed(weight))
    return failure();
  // What is computed is read once per panel.
  if (lhs->shape.size() > 1 && !isa<BlockArgument>(matmul.getLhs()))
    lhs = lowering.store(RowStage::Kind::WholeRow, *lhs, "lhs");

  ValueFuncs funcs;
  funcs.i = Var("i"), funcs.o = Var("o");
  Var k("k"), b("b");
  bool isStack = weight->shape.size() == 3, transposed = matmul.getTransposed();
  size_t first = isStack ? 1 : 0;
  Expr outputs = weight->shape[first + (transposed ? 1 : 0)], depth = weight->shape[first + (transposed ? 0 : 1)];
  Expr row = min(funcs.o * panelRows + funcs.i, outputs - 1);
  Index place = transposed ? Index{k, row} : Index{row, k};
  if (isStack)
    place.insert(place.begin(), b);
  funcs.panels = Func("panels");
  funcs.panels(funcs.i, k, funcs.o, b) = toFloat(weight->at(place));

  // Of the axes of the result all but the last are the left side's.
  std::vector<Var> vars = {funcs.i, funcs.o};
  for (size_t d = lhs->shape.size() - 1; d-- > 0;)
    vars.emplace_back("d" + std::to_string(d));
  Index left(vars.rbegin(), vars.rend() - 2);
  Expr index = isStack ? left.back() : Expr(0);
  funcs.steps = RDom(0, depth, "steps");
  left.push_back(funcs.steps.x);
  funcs.sum = Func("sum");
  funcs.sum(vars) = 0.0f;
  funcs.sum(vars) += toFloat(lhs->at(left)) * funcs.panels(funcs.i, funcs.steps.x, funcs.o, index);

  lowering.set(matmul.getResult(), {lowering.shapeOf(matmul.getResult().getType()), [sum = funcs.sum](const Index &at) {
                                      std::vector<Expr> args = {at.back() % panelRows, at.back() / panelRows};
                                      args.insert(args.end(), at.rbegin() + 1, at.rend());
                                      return sum(args);
                                    }});
  FailureOr<Output> output = buildOutput(lowering, std::next(matmul->getIterator()));
  if (failed(output))
    return failure();
  funcs.output = *output;
  return funcs;
}

/// The panels of one index are a task of their own; then rows × a panel of the output at a time, whose sums stay in
/// registers.
static LogicalResult schedule(ValueFuncs &funcs, MatmulOp matmul, const Lowering &lowering, int rows) {
  scheduleStages(lowering, funcs.output.func, nullptr, true);
  Var n("n"), no("no"), mi("mi"), mo("mo");
  funcs.panels.compute_root().bound(funcs.i, 0, panelRows).vectorize(funcs.i).parallel(funcs.o);

  if (funcs.output.vars.size() != size_t(cast<RankedTensorType>(matmul.getResult().getType()).getRank()))
    return matmul.emitError("what follows a product of two values has another rank");
  Var columns = funcs.output.vars.front(), lines = funcs.output.vars.back();
  bool hasLines = funcs.output.vars.size() > 1;
  auto staticRows = Halide::Internal::as_const_int(funcs.output.shape.front());
  auto tile = [&](Halide::Stage stage, int height) {
    stage.split(columns, no, n, panelRows, TailStrategy::GuardWithIf).vectorize(n);
    if (!hasLines) {
      stage.parallel(no);
      return;
    }
    stage.split(lines, mo, mi, height, height == 1 ? TailStrategy::GuardWithIf : TailStrategy::ShiftInwards);
    std::vector<Halide::VarOrRVar> order = {n, mi, mo};
    for (size_t d = 1; d + 1 < funcs.output.vars.size(); ++d)
      order.push_back(funcs.output.vars[d]);
    order.push_back(no);
    stage.reorder(order).unroll(mi).parallel(no);
  };
  Func output = funcs.output.func;
  if (hasLines && staticRows)
    rows = std::max<int>(1, std::min<int64_t>(rows, *staticRows));
  if (hasLines && !staticRows)
    tile(output.specialize(funcs.output.shape.front() >= rows), rows);
  tile(output, hasLines && staticRows ? rows : 1);

  funcs.sum.compute_at(output, hasLines ? mo : no).bound(funcs.i, 0, panelRows).vectorize(funcs.i);
  std::vector<Var> sumVars = funcs.sum.args();
  Halide::Stage update = funcs.sum.update();
  std::vector<Halide::VarOrRVar> order = {funcs.i};
  if (hasLines)
    order.push_back(sumVars.back());
  order.push_back(funcs.steps.x);
  update.reorder(order).vectorize(funcs.i);
  if (hasLines) {
    funcs.sum.unroll(sumVars.back());
    update.unroll(sumVars.back());
  }
  return success();
}

FailureOr<KernelPlan> buildValues(Lowering &lowering, const Parameters &parameters) {
  FailureOr<ValueFuncs> funcs = algorithm(lowering);
  auto matmul = cast<MatmulOp>(lowering.getKernel().getAnchor());
  if (failed(funcs))
    return failure();
  return KernelPlan(
      {funcs->output.func},
      [funcs = *funcs, matmul, &lowering, parameters]() mutable {
        return schedule(funcs, matmul, lowering, parameters["rows"]);
      },
      [funcs = *funcs, &lowering](const DeviceSchedule &device) {
        // The right side is read as it lies: a sum is a thread's own.
        spreadStages(lowering, device);
        device.spread(funcs.output.func);
      });
}

} // namespace quern::codegen
