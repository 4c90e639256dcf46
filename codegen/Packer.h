//===- Packer.h - weights into the kernels' layout --------------------------------------------===//

#ifndef QUERN_CODEGEN_PACKER_H
#define QUERN_CODEGEN_PACKER_H

#include "dialect/Ops.h"
#include "dialect/ParameterSource.h"

#include "llvm/Support/raw_ostream.h"

namespace quern::codegen {

/// Where a parameter lies among a binary's weights.
struct ParameterPlacement {
  std::string name;
  mlir::RankedTensorType type;
  /// Bytes from the start of the weights, a multiple of 64.
  uint64_t offset = 0;
  /// Bytes in its layout, packed or dense (dialect/PackedLayout.h).
  uint64_t bytes = 0;
  /// Whether it is bf16 in 13 bits.
  std::optional<Packing> packing;
  /// The first ones of its bytes that are often read: of experts that a routing profile tells of, those chosen most
  /// often; of everything else all.
  uint64_t oftenBytes = 0;
};

/// Places the parameters that entries, programs and kernels read, in the order of the module; those that only
/// initialisers read take no room. `weightsBytes` becomes the size of all.
mlir::FailureOr<llvm::SmallVector<ParameterPlacement>> placeParameters(mlir::ModuleOp module, uint64_t &weightsBytes);

/// Writes the placed parameters to `os`, zeros between them: row by row from `source`, or evaluated where they have an
/// initialiser. A value that is not finite is an error with the tensor's name, row and column.
mlir::LogicalResult packParameters(mlir::ModuleOp module, llvm::ArrayRef<ParameterPlacement> placements,
                                   ParameterSource &source, llvm::raw_ostream &os);

/// An open regular file, and where in it the weights begin.
struct WeightsFile {
  int descriptor;
  uint64_t begin;
  /// For messages.
  llvm::StringRef path;
};

/// Writes them to `file`, as many as `processes` parameters at once.
mlir::LogicalResult packParameters(mlir::ModuleOp module, llvm::ArrayRef<ParameterPlacement> placements,
                                   ParameterSource &source, const WeightsFile &file, unsigned processes);

/// Reads a packed weight [n, k] back as f32 values, row-major: what a kernel sees.
std::vector<float> unpackWeight(const ParameterPlacement &placement, llvm::ArrayRef<uint8_t> packed);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_PACKER_H
