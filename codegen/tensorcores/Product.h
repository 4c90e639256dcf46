//===- Product.h - products on tensor cores as PTX --------------------------------------------===//

#ifndef QUERN_CODEGEN_TENSORCORES_PRODUCT_H
#define QUERN_CODEGEN_TENSORCORES_PRODUCT_H

#include "codegen/tensorcores/TensorCores.h"

#include "llvm/Support/Error.h"

#include <string>

namespace quern::codegen {

/// What one block of threads computes: rows by columns of all products together, those of one warp 32 columns wide. It
/// goes along k in steps of 32, all stages but one of which are on their way to shared memory.
struct ProductTile {
  llvm::StringRef name;
  int rowWarps, columnWarps, warpRows, stages;

  static constexpr int warpColumns = 32;
  /// Pairs of one step along k.
  static constexpr int pairs = 16;
  static constexpr unsigned mostProducts = 2;

  constexpr int getRows() const { return rowWarps * warpRows; }
  constexpr int getColumns() const { return columnWarps * warpColumns; }
  constexpr int getThreads() const { return 32 * rowWarps * columnWarps; }
  /// Panels of all weights together.
  constexpr int getPanels() const { return getColumns() / 16; }

  /// Bytes of a row of the left side in shared memory: a step and 16 more, so that 8 rows are in different banks.
  static constexpr int leftRowBytes = 4 * pairs + 16;
  /// Of two pairs of a panel of a weight, [pair][16], and 32 more for the same reason; and of a panel.
  static constexpr int twoPairsBytes = 2 * 4 * 16 + 32, panelBytes = pairs / 2 * twoPairsBytes;
  constexpr int getLeftBytes() const { return getRows() * leftRowBytes; }
  constexpr int getStageBytes() const { return getLeftBytes() + getPanels() * panelBytes; }
  constexpr int getSharedBytes() const { return stages * getStageBytes(); }
};

/// Each element of a result has the same bits in both.
namespace tiles {
/// Of 16 KiB of a step, 128 by 128 products for each k: what keeps tensor cores busy.
inline constexpr ProductTile wide{"wide", 2, 4, 64, 4};
/// For up to 64 rows, whose time is that of reading the weights: four times as many blocks, with more steps on the way.
inline constexpr ProductTile narrow{"narrow", 4, 1, 16, 8};
inline constexpr const ProductTile *all[] = {&wide, &narrow};
} // namespace tiles

/// The PTX of a module with a kernel `name`_`tile` for each tile. Its parameters: the left side, of pairs,
/// [row][batch][getLeftPairs()]; the weights; the operands of the epilogue; the result, [row][columns]; how many rows
/// there are, an i32. Blocks along x are those of rows, along y those of columns.
llvm::Expected<std::string> generateProduct(const TensorContraction &contraction, llvm::StringRef name);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TENSORCORES_PRODUCT_H
