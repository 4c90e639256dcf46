//===- NarrowFloats.h - f16 and bf16 as the bits that they are --------------------------------===//

#ifndef QUERN_CODEGEN_NARROWFLOATS_H
#define QUERN_CODEGEN_NARROWFLOATS_H

#include "Halide.h"

namespace quern::codegen {

/// For a device without numbers of 16 bits: has `pipeline` hold them as u16. f16 is converted to and from f32, which is
/// exact one way and rounds to nearest even the other, by the functions `quern_half_to_float` and
/// `quern_float_to_half` of the device's prelude, or stays what it is with `keepHalf`; of bf16 kernels convert the bits
/// themselves. Compiling throws Halide::CompileError where a kernel computes with them otherwise.
void storeNarrowFloatsAsBits(Halide::Pipeline &pipeline, bool keepHalf);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_NARROWFLOATS_H
