//===- Common.h - scheduling that several templates share -------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATES_COMMON_H
#define QUERN_CODEGEN_TEMPLATES_COMMON_H

#include "codegen/DeviceSchedule.h"
#include "codegen/Template.h"
#include "dialect/Shapes.h"

namespace quern::codegen {

/// What a kernel yields as a function of all its dimensions, innermost first.
struct Output {
  Halide::Func func;
  std::vector<Halide::Var> vars;
  /// Outermost first.
  std::vector<Halide::Expr> shape;
};

/// An output that is `result`.
Output defineOutput(const Formula &result);

/// Lowers the ops from `begin` to the end of the body and defines the output by what it yields.
mlir::FailureOr<Output> buildOutput(Lowering &lowering, mlir::Block::iterator begin);

/// Vectorises `var` of `stage` over its `extent`: by `lanes`, or fewer where a static extent is smaller; a remainder
/// runs guarded. Stays scalar for an extent of 1.
void vectorizeTail(Halide::Stage stage, Halide::Var var, const Halide::Expr &extent, int lanes);

/// A kernel that is `output` alone. On a processor rows of the last axis in vectors of `lanes`; the outermost axis in
/// parallel where it is symbolic.
KernelPlan planElements(const Lowering &lowering, const Output &output, const Parameters &parameters);

/// `at` row `y` and column `x` of an image of `shape`, [n, y, x, c], and 0 around it,
/// where `at` is asked for the nearest place.
Halide::Expr zeroAround(const std::vector<Halide::Expr> &shape, Halide::Expr y, Halide::Expr x,
                        const std::function<Halide::Expr(Halide::Expr y, Halide::Expr x)> &at);

/// The image at any place, with zeros around it, as `padded`, f32 [c, x, y, n], stores it.
Formula padImage(Halide::Func &padded, const Formula &image);

/// A tensor of `shape` whose last axis is computed by panels: `at` gives the element of lane, panel and the index of
/// all axes. Where an element of lane `i` of panel `o` is asked for, no index needs a division.
Formula panelFormula(std::vector<Halide::Expr> shape, Halide::Var i, Halide::Var o,
                     std::function<Halide::Expr(Halide::Expr lane, Halide::Expr panel, const Index &index)> at);

/// The lowering's stages on a device, before everything else, or those of its rows within each block.
void spreadStages(const Lowering &lowering, const DeviceSchedule &schedule);
void spreadStages(const Lowering &lowering, const DeviceSchedule &schedule, const DeviceSchedule::Block &block);
/// The bytes that a block needs for the stages of a row of `depth` numbers.
int64_t countSharedBytes(const Lowering &lowering, int64_t depth);
/// What a block may keep for itself: kernels need not ask for 48 KiB, of which other things have some.
inline constexpr int64_t mostSharedBytes = 36 << 10;

/// Schedules the lowering's stages within loop `at` of `consumer`, or, where `at` is null, before everything else: then
/// in parallel where there are `manyRows`.
void scheduleStages(const Lowering &lowering, Halide::Func consumer, const Halide::Var *at, bool manyRows);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATES_COMMON_H
