//===- Gather.cpp - rows of a table -----------------------------------------------------------===//

#include "codegen/templates/Common.h"

using namespace mlir;
using Halide::Expr;

namespace quern::codegen {

/// result[i…, e…] = table[indices[i…], e…]; an index outside of the table reads its nearest row.
static FailureOr<Formula> gather(Lowering &lowering, GatherOp op) {
  FailureOr<Formula> indices = lowering.get(op.getIndices());
  if (failed(indices))
    return failure();
  auto tableType = cast<RankedTensorType>(op.getTable().getType());
  size_t lead = indices->shape.size();
  std::vector<Expr> shape = lowering.shapeOf(cast<RankedTensorType>(op.getResult().getType()));
  auto rowOf = [lead, indices = *indices, last = lowering.shapeOf(tableType)[0] - 1](const Index &index) {
    return clamp(indices.at(Index(index.begin(), index.begin() + lead)), 0, last);
  };
  FailureOr<Formula> table = lowering.get(op.getTable());
  if (failed(table))
    return failure();
  return Formula{shape, [lead, rowOf, table = *table](const Index &index) {
                   Index own = {rowOf(index)};
                   own.insert(own.end(), index.begin() + lead, index.end());
                   return Halide::cast<float>(table.at(own));
                 }};
}

static FailureOr<Output> algorithm(Lowering &lowering) {
  KernelOp kernel = lowering.getKernel();
  Block &body = kernel.getBody().front();
  auto anchor = cast<GatherOp>(kernel.getAnchor());
  if (failed(lowering.lowerOps(body.begin(), anchor->getIterator())))
    return failure();
  FailureOr<Formula> rows = gather(lowering, anchor);
  if (failed(rows))
    return failure();
  lowering.set(anchor.getResult(), *rows);
  return buildOutput(lowering, std::next(anchor->getIterator()));
}

/// A row in vectors of 8: the elements of a packed row do not lie next to each other. Rows in parallel.
static void schedule(Output &output) {
  vectorizeTail(output.func, output.vars[0], output.shape.back(), 8);
  if (output.vars.size() > 1 && !Halide::Internal::as_const_int(output.shape.front()))
    output.func.parallel(output.vars.back());
}

Space spaceGather(KernelOp, const TargetSpec &) { return {}; }

FailureOr<Outputs> buildGather(Lowering &lowering, const Parameters &) {
  FailureOr<Output> output = algorithm(lowering);
  if (failed(output))
    return failure();
  schedule(*output);
  return Outputs{output->func};
}

int64_t prefetchGather(KernelOp, const TargetSpec &, const Parameters &) { return 0; }

} // namespace quern::codegen
