//===- Weights.h - reading packed weights -----------------------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATES_WEIGHTS_H
#define QUERN_CODEGEN_TEMPLATES_WEIGHTS_H

#include "codegen/Lowering.h"

namespace quern::codegen {

/// The f32 value of row `lane` of `panel` at column `column` of block `block`; for floats a block is one column.
/// value = scale · (quant - zero) + min
Halide::Expr readWeight(const PackedWeight &weight, Halide::Expr lane, Halide::Expr column, Halide::Expr block,
                        Halide::Expr panel);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATES_WEIGHTS_H
