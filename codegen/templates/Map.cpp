//===- Map.cpp - elementwise kernels ----------------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;

namespace quern::codegen {

namespace {
struct MapFuncs {
  /// [the result's dimensions, innermost first]
  Halide::Func output;
  std::vector<Halide::Var> vars;
  std::vector<Halide::Expr> shape;
};
} // namespace

static FailureOr<MapFuncs> algorithm(Lowering &lowering) {
  Block &body = lowering.getKernel().getBody().front();
  if (failed(lowering.lowerOps(body.begin(), body.end())))
    return failure();
  FailureOr<Formula> result = lowering.get(lowering.getYielded());
  if (failed(result))
    return failure();
  OutputVars vars(result->shape.size());
  MapFuncs funcs{Halide::Func("output"), vars.vars, result->shape};
  funcs.output(vars.vars) = result->at(vars.index());
  return funcs;
}

/// Whole rows of the last axis as vectors; the outermost axis in parallel where it is symbolic.
static void schedule(MapFuncs &funcs, const Lowering &lowering) {
  if (funcs.vars.empty())
    return;
  vectorizeTail(funcs.output, funcs.vars[0], funcs.shape.back(), lowering.getTarget().lanes());
  if (funcs.vars.size() > 1 && !Halide::Internal::as_const_int(funcs.shape.front()))
    funcs.output.parallel(funcs.vars.back());
}

Space spaceMap(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Halide::Func> buildMap(Lowering &lowering, const Parameters &) {
  FailureOr<MapFuncs> funcs = algorithm(lowering);
  if (failed(funcs))
    return failure();
  schedule(*funcs, lowering);
  return funcs->output;
}

} // namespace quern::codegen
