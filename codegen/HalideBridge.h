//===- HalideBridge.h - kernels to native code ------------------------------------------------===//
//
// The only way to Halide, and past it to tensor cores. Nothing throws out of these functions: what Halide or LLVM
// refuses becomes a diagnostic at the kernel, or at the op within it that is to blame.
//
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_CODEGEN_HALIDEBRIDGE_H
#define QUERN_CODEGEN_HALIDEBRIDGE_H

#include "codegen/Cubins.h"
#include "codegen/KernelSignature.h"
#include "codegen/ObjectCache.h"
#include "codegen/Targets.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>
#include <vector>

namespace quern::codegen {

/// One kernel to compile: `symbol` also names its object.
struct KernelJob {
  KernelOp kernel;
  TargetSpec target;
  std::string symbol;
  /// What assembles its PTX, if it has any; null: drivers.
  const Ptxas *ptxas = nullptr;
};

/// Writes the object of a kernel's native function (see getSignature) to `object`. Its only undefined symbols are
/// Halide's runtime, see compileRuntime, and libc's.
mlir::LogicalResult compileKernel(const KernelJob &job, llvm::raw_pwrite_stream &object);

/// What `emitKernel` writes: Halide's loops, the processor's assembly, or what a device's driver compiles, OpenCL C or
/// PTX. Of a kernel on tensor cores Halide has the loops of the left side only, none where that is an argument.
enum class KernelText { Loops, Assembly, Device };

/// Writes a text form of `kernel` to `os`.
mlir::LogicalResult emitKernel(KernelOp kernel, const TargetSpec &target, llvm::StringRef symbol, KernelText kind,
                               llvm::raw_ostream &os);

/// The object of Halide's runtime, which every kernel of a binary shares, unless `cache` has it. It runs on every
/// x86-64.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> compileRuntime(ObjectCache &cache);

/// What came of a job.
struct KernelObject {
  /// Null where the kernel did not compile, or was not tried.
  std::unique_ptr<llvm::MemoryBuffer> object;
  bool isTried = false;
};

/// Compiles jobs as `compileKernels` does, as many as there is time for: until `isOver`, which is asked again and
/// again. Says nothing of those that fail.
std::vector<KernelObject> tryKernels(llvm::ArrayRef<KernelJob> jobs, unsigned processes, ObjectCache &cache,
                                     llvm::function_ref<bool()> isOver);

/// The object of every job, named `<symbol>.o`, in the order of the jobs. Those that are not in `cache` are compiled,
/// `processes` at a time, each in a child process: a back end that aborts becomes a diagnostic at the kernel that it
/// aborted on. The caller's process must have no other threads, because children go on from a copy of its memory.
/// Diagnostics come in the order of the jobs.
mlir::FailureOr<std::vector<std::unique_ptr<llvm::MemoryBuffer>>>
compileKernels(llvm::ArrayRef<KernelJob> jobs, unsigned processes, ObjectCache &cache);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_HALIDEBRIDGE_H
