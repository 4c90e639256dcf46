//===- TensorCores.h - kernels whose products run on tensor cores -----------------------------===//
//
// A second compiler of kernels, for one form on one device: contractions of many rows of bf16, on CUDA. Such a kernel
// becomes a launch of Halide's that lays its left side in memory as pairs (LeftSide), where it does not lie there so,
// and a launch of its own (Product) that multiplies it by the weights and stores what the rest of the body makes of the
// products (Epilogue). All other kernels stay Halide's.
//
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_CODEGEN_TENSORCORES_TENSORCORES_H
#define QUERN_CODEGEN_TENSORCORES_TENSORCORES_H

#include "codegen/KernelSignature.h"
#include "codegen/Targets.h"

#include "llvm/Support/Error.h"

namespace quern::codegen {

/// A kernel as tensor cores compute it: result[m, n] = epilogue(m, n, Σ_k left[m, b, k] · weight[n, k] of each weight),
/// b = ⌊n · batch / columns⌋.
struct TensorContraction {
  KernelOp kernel;
  llvm::SmallVector<NativeArgument> signature;
  /// One, or two whose weights have one shape; all of one left side.
  llvm::SmallVector<MatmulOp> products;
  /// The ops after the first product but for products, in their order; all elementwise.
  llvm::SmallVector<mlir::Operation *> epilogue;
  /// What the kernel yields, as a matrix; its result may have the columns of a row as several dimensions.
  mlir::Value yielded;
  /// The arguments that the epilogue reads.
  llvm::SmallVector<mlir::BlockArgument> operands;
  /// Rows of each weight, and pairs of one of its rows.
  int64_t columns = 0, pairs = 0;
  /// Weights side by side in one, each with a left side of its own: a row of the left side has so many rows of pairs.
  int64_t batch = 1;
  /// The argument that is the left side where whole steps along k of it lie in memory; else it is computed.
  mlir::BlockArgument left;

  /// Pairs of the left side, of one of a batch: whole steps along k.
  int64_t getLeftPairs() const;
  /// Which argument of the native function sees the kernel's argument `argument`, behind the device.
  unsigned getNativeIndex(mlir::BlockArgument argument) const;
};

/// `kernel` as tensor cores of `target` compute it; the error says why it stays Halide's.
llvm::Expected<TensorContraction> matchTensorCores(KernelOp kernel, const TargetSpec &target);

/// The same; none where all of it is Halide's.
std::optional<TensorContraction> findTensorContraction(KernelOp kernel, const TargetSpec &target);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TENSORCORES_TENSORCORES_H
