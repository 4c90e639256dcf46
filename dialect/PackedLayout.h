//===- PackedLayout.h - how a weight lies in a binary -----------------------------------------===//
//
// One layout for every consumer and every target. A weight [n, k] is cut into panels of 16 rows; n is padded to whole
// panels and k to whole groups with zeros. Offsets are in bytes; i is the row within a panel.
//
//   f32, f16         [panel][k][i] in the weight's own element type
//   bf16             [panel][k/2][i][2]: the numbers of a pair, which one instruction multiplies, next to each other
//   blocks           [panel][group] of { scales[i] | mins[i], where the format has them | quants }, one sequential
//                    stream. Value = scale * (quant - zero) + min.
//     8-bit quants   u8 [group/4][i][4], k within the group = 4 * g + j
//     4-bit quants   u8 [group/8][i][4], low nibble k = 4 * g + j, high nibble k = 4 * (g + group/8) + j
//
//===----------------------------------------------------------------------------------------------===//

#ifndef QUERN_DIALECT_PACKEDLAYOUT_H
#define QUERN_DIALECT_PACKEDLAYOUT_H

#include "dialect/Ops.h"

namespace quern {

/// The layout of weights of one element type; sizes and offsets in bytes.
struct PackedLayout {
  /// Rows of one panel: the lanes of a kernel's innermost loop.
  static constexpr int64_t panelRows = 16;

  /// Values along k that share one scale; for floats those next to each other, 2 for bf16, else 1.
  int64_t group = 1;
  /// Bits of one stored quant, 4 or 8; of one value for floats, 16 or 32.
  int64_t bits = 32;
  /// The quant that means 0; 0 for floats.
  int32_t zero = 0;
  /// Bytes of one scale and of one min: 2 (f16), 4 (f32), or 0 for floats.
  int64_t scaleBytes = 0;
  /// Whether each group has a min.
  bool hasMins = false;

  /// Whether the values are quants with scales, not floats.
  bool isQuantised() const { return scaleBytes != 0; }
  /// Whether the values are pairs of bf16, which kernels read as one u32: the first of a pair is its low half.
  bool hasPairs() const { return !isQuantised() && group == 2; }

  /// Bytes of one group of one panel.
  int64_t blockBytes() const { return quantsOffset() + quantsBytes(); }
  /// Where the scales begin within a block.
  int64_t scalesOffset() const { return 0; }
  /// Where the mins begin within a block that has them.
  int64_t minsOffset() const { return panelRows * scaleBytes; }
  /// Where the quants (or floats) begin within a block.
  int64_t quantsOffset() const { return panelRows * scaleBytes * (hasMins ? 2 : 1); }
  /// Bytes of the quants (or floats) of one block.
  int64_t quantsBytes() const { return panelRows * group * bits / 8; }

  /// Groups of one row of `k` values.
  int64_t blocksPerPanel(int64_t k) const { return (k + group - 1) / group; }
  /// Panels of `n` rows.
  static int64_t panels(int64_t n) { return (n + panelRows - 1) / panelRows; }
  /// Bytes from one panel to the next.
  int64_t panelBytes(int64_t k) const { return blocksPerPanel(k) * blockBytes(); }

  /// Where the float of row `i`, column `c` of a group lies within its block, or the byte that holds its quant.
  int64_t elementOffset(int64_t i, int64_t c) const;
  /// How far the quant is shifted within its byte: 4 for the high nibbles of 4-bit quants, else 0.
  int64_t elementShift(int64_t c) const { return bits == 4 && c >= group / 2 ? 4 : 0; }
};

/// The layout of weights of `elementType`: f32, f16, bf16, or blocks of a format that checkpoints use.
mlir::FailureOr<PackedLayout> getPackedLayout(mlir::Type elementType);

/// Whether a parameter of this type is packed: it has rank 2 and elements with a packed layout. Decided by the type alone,
/// so that passes, codegen and packer agree without looking at uses. All other parameters are dense, row-major.
bool isPacked(mlir::RankedTensorType parameter);

/// The name of the unit attribute on a kernel argument that is a packed parameter: `{quern.packed}`.
inline constexpr llvm::StringLiteral packedArgAttr = "quern.packed";

/// Bytes of a parameter of this static type in a binary: packed, or dense; failure for a type that has neither form.
mlir::FailureOr<int64_t> getParameterBytes(mlir::RankedTensorType parameter);

} // namespace quern

#endif // QUERN_DIALECT_PACKEDLAYOUT_H
