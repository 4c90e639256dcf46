//===- Backend.h - LLVM bitcode to native code ------------------------------------------------===//

#ifndef QUERN_CODEGEN_BACKEND_H
#define QUERN_CODEGEN_BACKEND_H

#include "codegen/Cubins.h"
#include "codegen/Targets.h"

#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/raw_ostream.h"

namespace quern::codegen {

/// What the back end writes.
enum class MachineCode { Object, Assembly };

/// Selects code for `target` from the bitcode of the kernel `symbol`, all that the result exports. Products may be
/// fused with sums, which rounds once instead of twice; no other freedom is taken with floats, so that equal formulas
/// give equal bits in every kernel. Its loops prefetch what they will read `prefetchBytes` later, unless that is 0. Its
/// PTX is assembled by `ptxas`, unless that is null.
llvm::Error emitMachineCode(llvm::MemoryBufferRef bitcode, const TargetSpec &target, llvm::StringRef symbol,
                            int64_t prefetchBytes, const Ptxas *ptxas, MachineCode kind, llvm::raw_pwrite_stream &os);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_BACKEND_H
