//===- NativeKernels.h - kernels compiled and called in this process --------------------------===//

#ifndef QUERN_TEST_CONFORMANCE_NATIVEKERNELS_H
#define QUERN_TEST_CONFORMANCE_NATIVEKERNELS_H

#include "codegen/KernelSignature.h"
#include "codegen/Targets.h"
#include "dialect/Reference.h"
#include "runtime/devices/Device.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace quern::test {

/// The kernels of a module as native code.
class NativeKernels {
public:
  NativeKernels(NativeKernels &&) = default;
  /// Ends the threads that still run in the runtime's code.
  ~NativeKernels();

  /// Completes the schedules of every kernel of `module`, compiles them for `target` and links them with Halide's
  /// runtime. Where that is a device, this machine must have it.
  static llvm::Expected<NativeKernels> compile(mlir::ModuleOp module, const codegen::TargetSpec &target);

  /// Runs `kernel` on `arguments`, values of static types with the sizes `sizes`, with `threads` threads. Weights are
  /// packed and states laid out for the call; a state that it writes is a result.
  llvm::Expected<std::vector<Tensor>> run(KernelOp kernel, llvm::ArrayRef<Tensor> arguments, const SymbolSizes &sizes,
                                          int threads);

private:
  NativeKernels(std::unique_ptr<llvm::orc::LLJIT> jit, std::unique_ptr<runtime::Device> device)
      : jit(std::move(jit)), device(std::move(device)) {}
  std::unique_ptr<llvm::orc::LLJIT> jit;
  /// Null: kernels run on the processor.
  std::unique_ptr<runtime::Device> device;
};

} // namespace quern::test

#endif // QUERN_TEST_CONFORMANCE_NATIVEKERNELS_H
