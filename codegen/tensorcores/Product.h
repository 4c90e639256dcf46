//===- Product.h - products on tensor cores as PTX --------------------------------------------===//

#ifndef QUERN_CODEGEN_TENSORCORES_PRODUCT_H
#define QUERN_CODEGEN_TENSORCORES_PRODUCT_H

#include "codegen/tensorcores/TensorCores.h"

#include "llvm/Support/Error.h"

#include <string>

namespace quern::codegen {

/// What one block of threads computes: 128 rows by 128 columns of all products together. Its 8 warps have 64 by 32
/// each, and go along k in steps of 32, three of which are on their way to shared memory.
struct ProductTile {
  static constexpr int rows = 128, columns = 128, warps = 8, threads = 32 * warps;
  static constexpr int warpRows = 64, warpColumns = 32;
  /// Pairs of one step along k, and steps in shared memory.
  static constexpr int pairs = 16, stages = 4;
  static constexpr unsigned mostProducts = 2;

  /// Bytes of a row of the left side in shared memory: a step and 16 more, so that 8 rows are in different banks.
  static constexpr int leftRowBytes = 4 * pairs + 16, leftBytes = rows * leftRowBytes;
  /// Of two pairs of a panel of a weight, [pair][16], and 32 more for the same reason; and of a panel.
  static constexpr int twoPairsBytes = 2 * 4 * 16 + 32, panelBytes = pairs / 2 * twoPairsBytes;
  static constexpr int panels = columns / 16;
  static constexpr int stageBytes = leftBytes + panels * panelBytes, sharedBytes = stages * stageBytes;
};

/// The PTX of a module with the kernel `name`. Its parameters: the left side, [row][getLeftPairs()] of pairs; the
/// weights; the operands of the epilogue; the result, [row][columns]; how many rows there are, an i32. Blocks along x
/// are those of rows, along y those of columns.
llvm::Expected<std::string> generateProduct(const TensorContraction &contraction, llvm::StringRef name);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TENSORCORES_PRODUCT_H
