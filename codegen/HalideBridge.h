//===- HalideBridge.h - kernels to native code ------------------------------------------------===//
//
// The only way to Halide. Nothing throws out of these functions: what Halide or LLVM refuses becomes a diagnostic at the
// kernel, or at the op within it that is to blame.
//
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_CODEGEN_HALIDEBRIDGE_H
#define QUERN_CODEGEN_HALIDEBRIDGE_H

#include "codegen/KernelSignature.h"
#include "codegen/Targets.h"

namespace quern::codegen {

/// Writes the object of `kernel`'s native function `symbol` (see getSignature) to `objectPath`. Its only undefined
/// symbols are Halide's runtime, see compileRuntime, and libc's.
mlir::LogicalResult compileKernel(KernelOp kernel, const TargetSpec &target, llvm::StringRef symbol,
                                  llvm::StringRef objectPath);

/// What `emitKernel` writes: Halide's loops, or the target's assembly.
enum class KernelText { Loops, Assembly };

/// Writes a text form of `kernel` to `os`.
mlir::LogicalResult emitKernel(KernelOp kernel, const TargetSpec &target, llvm::StringRef symbol, KernelText kind,
                               llvm::raw_ostream &os);

/// Writes the object of Halide's runtime, which every kernel of a binary shares, to `objectPath`. It runs on every x86-64.
llvm::Error compileRuntime(llvm::StringRef objectPath);

/// One kernel to compile: `symbol` also names its object.
struct KernelJob {
  KernelOp kernel;
  TargetSpec target;
  std::string symbol;
};

/// Compiles every job into `<directory>/<symbol>.o`, `processes` at a time, each in a child process: a back end that
/// aborts becomes a diagnostic at the kernel that it aborted on. The caller's process must have no other threads, because
/// children go on from a copy of its memory. Diagnostics come in the order of the jobs.
mlir::LogicalResult compileKernels(llvm::ArrayRef<KernelJob> jobs, llvm::StringRef directory, unsigned processes);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_HALIDEBRIDGE_H
