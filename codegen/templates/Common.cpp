//===- Common.cpp - scheduling that several templates share -----------------------------------===//

#include "codegen/templates/Common.h"

namespace quern::codegen {

Output defineOutput(const Formula &result) {
  Output output{Halide::Func("output"), {}, result.shape};
  for (size_t i = 0; i < result.shape.size(); ++i)
    output.vars.emplace_back("d" + std::to_string(i));
  Halide::Expr element = result.at(Index(output.vars.rbegin(), output.vars.rend()));
  // A buffer holds a bool as a byte.
  output.func(output.vars) = element.type().is_bool() ? Halide::cast<uint8_t>(element) : element;
  return output;
}

mlir::FailureOr<Output> buildOutput(Lowering &lowering, mlir::Block::iterator begin) {
  mlir::FailureOr<Formula> result = lowering.lowerResult(begin);
  if (failed(result))
    return mlir::failure();
  return defineOutput(*result);
}

void vectorizeTail(Halide::Stage stage, Halide::Var var, const Halide::Expr &extent, int lanes) {
  auto size = Halide::Internal::as_const_int(extent);
  while (size && lanes > *size)
    lanes /= 2;
  if (lanes > 1)
    stage.vectorize(var, lanes, Halide::TailStrategy::GuardWithIf);
}

static void scheduleElements(Output output, int lanes) {
  if (output.vars.empty())
    return;
  vectorizeTail(output.func, output.vars[0], output.shape.back(), lanes);
  if (output.vars.size() > 1 && !Halide::Internal::as_const_int(output.shape.front()))
    output.func.parallel(output.vars.back());
}

KernelPlan planElements(const Lowering &lowering, const Output &output, const Parameters &parameters) {
  return {{output.func},
          [output, parameters]() {
            scheduleElements(output, parameters["lanes"]);
            return mlir::success();
          },
          [output, &lowering](const DeviceSchedule &schedule) {
            spreadStages(lowering, schedule);
            schedule.spread(output.func);
          }};
}

Halide::Expr zeroAround(const std::vector<Halide::Expr> &shape, Halide::Expr y, Halide::Expr x,
                        const std::function<Halide::Expr(Halide::Expr y, Halide::Expr x)> &at) {
  Halide::Expr height = shape[1], width = shape[2];
  Halide::Expr inside = at(clamp(y, 0, height - 1), clamp(x, 0, width - 1));
  return select(y >= 0 && y < height && x >= 0 && x < width, inside, Halide::Internal::make_zero(inside.type()));
}

Formula padImage(Halide::Func &padded, const Formula &image) {
  Halide::Var c("c"), x("x"), y("y"), n("n");
  padded = Halide::Func("padded");
  padded(c, x, y, n) = zeroAround(image.shape, y, x,
                                  [&](Halide::Expr row, Halide::Expr column) { return image.at({n, row, column, c}); });
  return {image.shape, [padded](const Index &index) { return callAt(padded, index); }};
}

Formula panelFormula(std::vector<Halide::Expr> shape, Halide::Var i, Halide::Var o,
                     std::function<Halide::Expr(Halide::Expr, Halide::Expr, const Index &)> at) {
  constexpr int panelRows = PackedLayout::panelRows;
  return {std::move(shape), [i, o, at = std::move(at)](const Index &index) {
            Halide::Expr last = index.back();
            if (Halide::Internal::is_const_zero(Halide::Internal::simplify(last - (o * panelRows + i))))
              return at(i, o, index);
            return at(last % panelRows, last / panelRows, index);
          }};
}

/// Shares the rows of a stage, its last dimension, between tasks.
static void parallelizeRows(Halide::Func func, const RowStage &stage, bool manyRows) {
  bool hasRows = func.args().size() > (stage.kind == RowStage::Kind::PerRow ? 0 : 1);
  if (!manyRows || !hasRows)
    return;
  func.parallel(func.args().back(), rowsPerTask, Halide::TailStrategy::GuardWithIf);
  if (func.has_update_definition())
    func.update().parallel(func.args().back(), rowsPerTask, Halide::TailStrategy::GuardWithIf);
}

void spreadStages(const Lowering &lowering, const DeviceSchedule &schedule) {
  for (const RowStage &stage : lowering.getStages()) {
    Halide::Func func = stage.func;
    if (stage.kind == RowStage::Kind::Partial)
      func.bound(func.args()[0], 0, RowStage::lanes);
    schedule.spread(func);
  }
}

void spreadStages(const Lowering &lowering, const DeviceSchedule &schedule, const DeviceSchedule::Block &block) {
  // So many steps of a sum are read before the first one is added.
  constexpr int ahead = 4;
  for (const RowStage &stage : lowering.getStages()) {
    Halide::Func func = stage.func;
    std::vector<Halide::Var> args = func.args();
    llvm::SmallVector<Halide::VarOrRVar> threads(args.begin(), args.end()), serial;
    if (stage.kind == RowStage::Kind::WholeRow)
      serial.append(std::next(threads.begin()), threads.end()), threads.truncate(1);
    if (stage.kind == RowStage::Kind::Partial)
      func.bound(args[0], 0, RowStage::lanes);
    schedule.spreadWithin(func, block, threads, serial);
    if (stage.kind != RowStage::Kind::Partial)
      continue;
    schedule.spreadUpdate(func.update(), threads, {stage.steps.x});
    func.update().unroll(stage.steps.x, ahead, Halide::TailStrategy::GuardWithIf);
  }
}

int64_t countSharedBytes(const Lowering &lowering, int64_t depth) {
  int64_t bytes = 0;
  for (const RowStage &stage : lowering.getStages())
    bytes += stage.kind == RowStage::Kind::WholeRow ? depth * 4 : 4 * RowStage::lanes;
  return bytes;
}

void scheduleStages(const Lowering &lowering, Halide::Func consumer, const Halide::Var *at, bool manyRows) {
  int lanes = lowering.getTarget().lanes();
  for (RowStage stage : lowering.getStages()) {
    Halide::Func func = stage.func;
    std::vector<Halide::Var> vars = func.args();
    if (at) {
      func.compute_at(consumer, *at);
    } else {
      func.compute_root();
      parallelizeRows(func, stage, manyRows);
    }
    if (stage.kind == RowStage::Kind::PerRow)
      continue;
    if (stage.kind == RowStage::Kind::WholeRow) {
      func.vectorize(vars[0], lanes, Halide::TailStrategy::GuardWithIf);
      continue;
    }
    func.bound(vars[0], 0, RowStage::lanes).vectorize(vars[0]);
    std::vector<Halide::VarOrRVar> order = {vars[0], Halide::RVar(stage.steps.x)};
    order.insert(order.end(), vars.begin() + 1, vars.end());
    func.update().reorder(order).vectorize(vars[0]);
  }
}

} // namespace quern::codegen
