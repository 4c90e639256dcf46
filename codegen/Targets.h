//===- Targets.h - the machines that Quern compiles for ---------------------------------------===//

#ifndef QUERN_CODEGEN_TARGETS_H
#define QUERN_CODEGEN_TARGETS_H

#include "dialect/Dialect.h"

#include "llvm/Support/Error.h"

namespace quern::codegen {

/// A row of Targets.def.
struct TargetSpec {
  /// What Halide is told: the widest instructions it may choose itself.
  enum class Level { Baseline, Avx2, Avx512, Vnni512 };

  /// What runs the kernels; the programs that launch them run on the processor.
  enum class Device { Cpu, Cuda, OpenCl };

  /// Where a text has the same bits, in whatever pieces and company: on every machine that the target fits, or on one
  /// device by one driver.
  enum class SameBits { Target, Device };

  llvm::StringRef name;
  /// LLVM's name of the processor; of a device, of the processor beside it.
  llvm::StringRef cpu;
  Level level;
  int64_t vectorBits;
  /// Data caches of one core, in bytes.
  int64_t l1Bytes;
  int64_t l2Bytes;
  /// The instruction that multiplies u8 by i8 into i32: `none` or `vnni`.
  llvm::StringRef dot;
  /// Whether an instruction multiplies pairs of bf16 and adds to f32, faster than products of f32.
  bool bf16Dot;
  /// How many bytes ahead kernels prefetch what they read in order; 0: nothing.
  int64_t prefetchBytes;
  int64_t vectorRegisters;
  /// What the processor must have, by the names of /proc/cpuinfo, comma-separated.
  llvm::StringRef features;
  Device device = Device::Cpu;
  /// Of a device, how many threads a block of a kernel may have.
  int blockThreads = 0;
  /// Whether products of many rows of bf16 may run on tensor cores (tensorcores/). Passes see it as `bf16Dot`; kernels
  /// that are Halide's multiply bf16 as f32 on every device.
  bool tensorCores = false;
  SameBits sameBits = SameBits::Target;
  /// Of a device, what estimates are made with; see Targets.def.
  struct Estimates {
    int64_t processors, residentThreads, instructionsPerNs, bytesPerNs, launchNs;
  } estimates = {};

  /// The features one by one.
  llvm::SmallVector<llvm::StringRef> getFeatures() const;
  /// What the passes see of the machine.
  TargetAttr getAttr(mlir::MLIRContext *context) const;
  /// The device by its name in the description (runtime/include/quern/Format.h): `cpu`, `cuda`, `opencl`.
  llvm::StringRef getDeviceName() const;
  bool isDevice() const { return device != Device::Cpu; }
  /// How many f32 fit a vector register.
  int lanes() const { return static_cast<int>(vectorBits / 32); }
};

/// Every target, processors first, the best of each kind first.
llvm::ArrayRef<TargetSpec> getTargets();

/// The target of this name; `host` is the best one that this processor has the features of. The error names what
/// exists, or which feature is missing.
llvm::Expected<TargetSpec> findTarget(llvm::StringRef name);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TARGETS_H
