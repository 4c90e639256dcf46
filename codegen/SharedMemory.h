//===- SharedMemory.h - where the memory that a block shares begins ---------------------------===//

#ifndef QUERN_CODEGEN_SHAREDMEMORY_H
#define QUERN_CODEGEN_SHAREDMEMORY_H

#include "Halide.h"

namespace quern::codegen {

/// Has the kernels of `pipeline` leave the first `bytes` of the memory that a block shares alone. Halide addresses it
/// from 0 on; from compute capability 9.0 on the first 1024 bytes are the system's (NVIDIA, Hopper Tuning Guide).
void keepOffSharedMemory(Halide::Pipeline &pipeline, int bytes);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_SHAREDMEMORY_H
