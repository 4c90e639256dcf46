//===- Weights.h - reading packed weights -----------------------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATES_WEIGHTS_H
#define QUERN_CODEGEN_TEMPLATES_WEIGHTS_H

#include "codegen/Lowering.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace quern::codegen {

/// Two numbers of bf16 as a pair, in a u32: the first is its low half.
Halide::Expr makePair(Halide::Expr first, Halide::Expr second);
/// Numbers 2 · `pair` and 2 · `pair` + 1 of those that `at` gives.
Halide::Expr makePair(llvm::function_ref<Halide::Expr(Halide::Expr)> at, Halide::Expr pair);

/// Number `column` mod 2 of a pair of bf16 as f32.
Halide::Expr readPair(Halide::Expr pair, Halide::Expr column);

/// `sum` + second · second, then + first · first, of two pairs of bf16.
Halide::Expr addPairProducts(Halide::Expr sum, Halide::Expr a, Halide::Expr b);

/// The same, to the same bits, by the target's instruction where it has one; for vectors of 16 lanes.
Halide::Expr addPairProducts(const TargetSpec &target, Halide::Expr sum, Halide::Expr a, Halide::Expr b);

/// The high byte of each number of a compressed weight: byte `byte` [i][4] of unit `unit` of 4 columns, of all blocks.
Halide::Expr readHighByte(const PackedWeight &weight, Halide::Expr byte, Halide::Expr unit, Halide::Expr panel);

/// Pair `half` of the two of a unit of a compressed weight, of rows 2 · `word` and the next one, in a u64; its high
/// bytes are `high` [byte, unit, panel].
Halide::Expr readPairWord(const PackedWeight &weight, Halide::Func high, Halide::Expr word, Halide::Expr half,
                          Halide::Expr unit, Halide::Expr panel);

/// Pair `pair` of row `lane` of `panel`, of a weight of pairs of bf16, compressed or not: u32.
Halide::Expr readPairOf(const PackedWeight &weight, Halide::Expr lane, Halide::Expr pair, Halide::Expr panel);

/// The f32 value of row `lane` of `panel` at column `column` of block `block`: of a pair, or one column of other
/// floats. value = scale · (quant - zero) + min
Halide::Expr readWeight(const PackedWeight &weight, Halide::Expr lane, Halide::Expr column, Halide::Expr block,
                        Halide::Expr panel);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATES_WEIGHTS_H
