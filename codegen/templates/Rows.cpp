//===- Rows.cpp - norms, softmax, reductions --------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

namespace {
struct RowsFuncs {
  /// [k, row…]
  Halide::Func output;
  std::vector<Halide::Var> vars;
  std::vector<Halide::Expr> shape;
};
} // namespace

static FailureOr<RowsFuncs> algorithm(Lowering &lowering) {
  Block &body = lowering.getKernel().getBody().front();
  if (failed(lowering.lowerOps(body.begin(), body.end())))
    return failure();
  FailureOr<Formula> result = lowering.get(lowering.getYielded());
  if (failed(result))
    return failure();
  OutputVars vars(result->shape.size());
  RowsFuncs funcs{Halide::Func("output"), vars.vars, result->shape};
  funcs.output(vars.vars) = result->at(vars.index());
  return funcs;
}

/// All stages of one row next to each other, so that the row stays in the first cache; rows in parallel.
static void schedule(RowsFuncs &funcs, const Lowering &lowering) {
  vectorizeTail(funcs.output, funcs.vars[0], funcs.shape.back(), lowering.getTarget().lanes());
  if (funcs.vars.size() < 2) {
    scheduleStages(lowering, funcs.output, nullptr, false);
    return;
  }
  scheduleStages(lowering, funcs.output, &funcs.vars[1], false);
  if (!Halide::Internal::as_const_int(funcs.shape.front()))
    funcs.output.parallel(funcs.vars.back());
}

Space spaceRows(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Halide::Func> buildRows(Lowering &lowering, const Parameters &) {
  FailureOr<RowsFuncs> funcs = algorithm(lowering);
  if (failed(funcs))
    return failure();
  schedule(*funcs, lowering);
  return funcs->output;
}

} // namespace quern::codegen
