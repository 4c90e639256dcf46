//===- Winograd.cpp - convolution by fewer products -------------------------------------------===//

#include "dialect/Winograd.h"
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
/// The stages of a convolution, see `quern.winograd`. Indices: tx, ty the tile, xt, yt the place in it; px, py the
/// point; i the lane of panel o.
struct WinogradFuncs {
  explicit WinogradFuncs(WinogradOp op)
      : rows(getWindowAxis(op, 0)), columns(getWindowAxis(op, 1)), vertical(op.getTile()[0], rows.size),
        horizontal(op.getTile()[1], columns.size), tileHeight(static_cast<int>(op.getTile()[0])),
        tileWidth(static_cast<int>(op.getTile()[1])) {}

  WindowAxis rows, columns;
  MinimalFilter vertical, horizontal;
  int tileHeight, tileWidth;
  /// [i, o, x, y, n]
  Func output;
  /// f32 [c, x, y, n]: the image with zeros around it.
  Func padded;
  /// f32 [c, x, py, ty, n]: the columns of a row of tiles, transformed.
  Func half;
  /// f32 [c, tx, px, py, ty, n]: the tiles, transformed.
  Func tiles;
  /// f32 [i, o, tx, px, py, ty, n]: the sums over channels, and where they are kept.
  Func sum, products;
  /// f32 [i, o, px, yt, tx, ty, n] and [i, o, xt, yt, tx, ty, n]: the sums, transformed along the height, and
  /// both ways.
  Func lines, results;
  /// Channels of the image.
  RDom steps;
  Var i{"i"}, o{"o"}, c{"c"}, x{"x"}, y{"y"}, n{"n"};
  Var tx{"tx"}, ty{"ty"}, px{"px"}, py{"py"}, xt{"xt"}, yt{"yt"};
  /// Panels of the result; tiles in a row and in a column of the image.
  int panels = 0, tilesWide = 0, tilesHigh = 0;
};
} // namespace

/// Σ_k row[k] · at(k), k ascending, without the factors 0.
static Expr combine(ArrayRef<double> row, llvm::function_ref<Expr(int)> at) {
  Expr sum;
  for (auto [k, factor] : llvm::enumerate(row)) {
    if (factor == 0)
      continue;
    Expr value = at(static_cast<int>(k)), size = static_cast<float>(std::abs(factor));
    Expr term = std::abs(factor) == 1 ? value : size * value;
    if (!sum.defined())
      sum = factor < 0 ? -term : term;
    else
      sum = factor < 0 ? sum - term : sum + term;
  }
  return sum;
}

/// Element `index` of matrix · at. The loop over `index` is unrolled, which leaves one row of each copy.
static Expr transform(const Matrix &matrix, Expr index, llvm::function_ref<Expr(int)> at) {
  std::vector<Expr> rows;
  for (const std::vector<double> &row : matrix)
    rows.push_back(combine(row, at));
  return rows.size() == 1 ? rows.front() : Halide::mux(index, rows);
}

/// The image, tile by tile, at the points of each.
static void buildTiles(WinogradFuncs &f, const Formula &image) {
  Formula padded = padImage(f.padded, image);
  f.half = Func("half");
  f.half(f.c, f.x, f.py, f.ty, f.n) = transform(f.vertical.input, f.py, [&](int k) {
    Expr row = f.ty * f.tileHeight + (k - static_cast<int>(f.rows.before));
    return padded.at({f.n, row, f.x, f.c});
  });
  f.tiles = Func("tiles");
  f.tiles(f.c, f.tx, f.px, f.py, f.ty, f.n) = transform(f.horizontal.input, f.px, [&](int k) {
    Expr column = f.tx * f.tileWidth + (k - static_cast<int>(f.columns.before));
    return f.half(f.c, column, f.py, f.ty, f.n);
  });
}

/// sum(i, o, tx, px, py, ty, n) += tiles · weight, c ascending, and back from the points to the tile's places.
static void buildResults(WinogradFuncs &f, const PackedWeight &weight, int channels) {
  f.steps = RDom(0, channels, "steps");
  Expr column = (f.py * static_cast<int>(f.horizontal.points) + f.px) * channels + f.steps.x;
  f.sum = Func("sum");
  f.sum(f.i, f.o, f.tx, f.px, f.py, f.ty, f.n) = 0.0f;
  f.sum(f.i, f.o, f.tx, f.px, f.py, f.ty, f.n) +=
      f.tiles(f.steps.x, f.tx, f.px, f.py, f.ty, f.n) * readWeight(weight, f.i, /*column=*/0, /*block=*/column, f.o);
  f.products = Func("products");
  f.products(f.i, f.o, f.tx, f.px, f.py, f.ty, f.n) = f.sum(f.i, f.o, f.tx, f.px, f.py, f.ty, f.n);
  f.lines = Func("lines");
  f.lines(f.i, f.o, f.px, f.yt, f.tx, f.ty, f.n) =
      transform(f.vertical.output, f.yt, [&](int k) { return f.products(f.i, f.o, f.tx, f.px, k, f.ty, f.n); });
  f.results = Func("results");
  f.results(f.i, f.o, f.xt, f.yt, f.tx, f.ty, f.n) =
      transform(f.horizontal.output, f.xt, [&](int k) { return f.lines(f.i, f.o, k, f.yt, f.tx, f.ty, f.n); });
}

static FailureOr<WinogradFuncs> algorithm(Lowering &lowering) {
  KernelOp kernel = lowering.getKernel();
  Block &body = kernel.getBody().front();
  auto anchor = cast<WinogradOp>(kernel.getAnchor());
  auto type = cast<RankedTensorType>(anchor.getResult().getType());
  if (type.getDimSize(3) % panelRows != 0)
    return anchor.emitError("a kernel computes ")
           << type.getDimSize(3) << " channels, expected a multiple of " << panelRows;
  if (failed(lowering.lowerOps(body.begin(), anchor->getIterator())))
    return failure();
  FailureOr<Formula> input = lowering.get(anchor.getInput());
  FailureOr<PackedWeight> weight = lowering.getWeight(anchor.getWeight(), anchor);
  if (failed(input) || failed(weight))
    return failure();
  WinogradFuncs f(anchor);
  f.panels = static_cast<int>(PackedLayout::panels(type.getDimSize(3)));
  f.tilesHigh = static_cast<int>(llvm::divideCeil(type.getDimSize(1), f.tileHeight));
  f.tilesWide = static_cast<int>(llvm::divideCeil(type.getDimSize(2), f.tileWidth));
  buildTiles(f, *input);
  buildResults(f, *weight, static_cast<int>(cast<RankedTensorType>(anchor.getInput().getType()).getDimSize(3)));
  lowering.set(anchor.getResult(), panelFormula(lowering.shapeOf(type), f.i, f.o, [f](Expr i, Expr o, const Index &at) {
                 return f.results(i, o, at[2] % f.tileWidth, at[1] % f.tileHeight, at[2] / f.tileWidth,
                                  at[1] / f.tileHeight, at[0]);
               }));
  FailureOr<Formula> result = lowering.lowerResult(std::next(anchor->getIterator()));
  if (failed(result))
    return failure();
  f.output = Func("output");
  f.output(f.i, f.o, f.x, f.y, f.n) = result->at({f.n, f.y, f.x, f.o * panelRows + f.i});
  return f;
}

/// The tiles: where `shared`, those of a whole image before all products, else those of a task.
static void scheduleTiles(WinogradFuncs &f, const Lowering &lowering, Var task, bool shared) {
  Expr channels = f.steps.x.extent();
  int lanes = lowering.getTarget().lanes();
  vectorizeTail(f.tiles.compute_at(f.output, shared ? f.n : task), f.c, channels, lanes);
  f.tiles.reorder({f.px, f.py, f.c, f.tx, f.ty, f.n}).unroll(f.px);
  if (shared)
    f.tiles.parallel(f.ty);
  vectorizeTail(f.padded.compute_at(f.tiles, f.ty), f.padded.args()[0], channels, lanes);
  if (f.vertical.points == 1 || f.horizontal.points == 1) {
    f.tiles.unroll(f.py);
    return;
  }
  f.tiles.reorder({f.px, f.c, f.tx, f.py, f.ty, f.n});
  vectorizeTail(f.half.compute_at(f.tiles, f.ty), f.c, channels, lanes);
  f.half.reorder({f.py, f.c, f.x, f.ty, f.n}).unroll(f.py);
}

/// A task has `lines` rows of tiles and `vectors` panels. Per point it multiplies `rows` × `lines` tiles with them,
/// whose sums stay in registers; then the points of each tile become its results.
static void schedule(WinogradFuncs &f, const Lowering &lowering, const Parameters &parameters) {
  int vectors = std::min(parameters["vectors"], f.panels);
  int rows = std::min(parameters["rows"], f.tilesWide), high = std::min(parameters["lines"], f.tilesHigh);
  bool shared = parameters["shared"] != 0;
  Var oo("oo"), oi("oi"), to("to"), ti("ti"), txo("txo"), txi("txi"), task("task");
  f.output.bound(f.i, 0, panelRows)
      .split(f.o, oo, oi, vectors, TailStrategy::ShiftInwards)
      .split(f.x, f.tx, f.xt, f.tileWidth, TailStrategy::GuardWithIf)
      .split(f.y, f.ty, f.yt, f.tileHeight, TailStrategy::GuardWithIf)
      .split(f.ty, to, ti, high, TailStrategy::ShiftInwards)
      .vectorize(f.i)
      .unroll(f.xt)
      .unroll(f.yt);
  if (shared)
    f.output.reorder({f.i, f.xt, f.yt, oi, f.tx, ti, to, oo, f.n}).fuse(to, oo, task).parallel(task);
  else
    f.output.reorder({f.i, f.xt, f.yt, oi, f.tx, ti, oo, to, f.n}).fuse(to, f.n, task).parallel(task);
  f.products.compute_at(f.output, shared ? task : oo)
      .bound_extent(f.ty, high)
      .bound(f.tx, 0, f.tilesWide)
      .split(f.tx, txo, txi, rows, TailStrategy::ShiftInwards)
      .reorder({f.i, f.o, txi, f.ty, txo, f.px, f.py, f.n})
      .vectorize(f.i)
      .unroll(f.o)
      .unroll(txi)
      .unroll(f.ty);
  f.sum.compute_at(f.products, txo).vectorize(f.i).unroll(f.o).unroll(f.tx).unroll(f.ty);
  f.sum.update()
      .reorder({f.i, f.o, f.tx, f.ty, f.steps.x, f.px, f.py, f.n})
      .vectorize(f.i)
      .unroll(f.o)
      .unroll(f.tx)
      .unroll(f.ty);
  for (Func stage : {f.lines, f.results})
    stage.compute_at(f.output, oi).bound_extent(f.tx, 1).bound_extent(f.ty, 1).vectorize(f.i).unroll(f.yt);
  f.lines.bound(f.px, 0, static_cast<int>(f.horizontal.points)).bound(f.yt, 0, f.tileHeight).unroll(f.px);
  f.results.bound(f.xt, 0, f.tileWidth).bound(f.yt, 0, f.tileHeight).unroll(f.xt);
  scheduleTiles(f, lowering, task, shared);
}

/// One step after the other, a thread per element of each.
static void spread(const WinogradFuncs &f, const DeviceSchedule &device) {
  Func output = f.output;
  output.bound(f.i, 0, panelRows);
  for (Func stored : {f.padded, f.half, f.tiles, f.products, f.lines, f.results, output})
    device.spread(stored);
}

FailureOr<KernelPlan> buildWinograd(Lowering &lowering, const Parameters &parameters) {
  FailureOr<WinogradFuncs> funcs = algorithm(lowering);
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
