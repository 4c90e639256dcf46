//===- PackedLayout.h - how a weight lies in a binary -----------------------------------------===//
//
// A weight [n, k] with a packing is cut into panels of 16 rows; n is padded to whole panels and k to whole groups with
// zeros. The layout is the same for every consumer and every target. Offsets are in bytes; i is the row within a panel.
// A parameter without a packing is dense, row-major.
//
//   f32, f16         [panel][k][i] in the weight's own element type
//   bf16             [panel][k/2][i][2]: the numbers of a pair, which one instruction multiplies, next to each other
//   bf16, panels13   [panel] of lines of 64 bytes [i][4]: the bases, u8[i] four times over, then [k/32] of 13 lines:
//                    signs, four times { nibbles, low bytes, low bytes }. Column 4 * u + c of 32 is byte
//                    [i][2 * (c % 2) + c / 2]: of line u of the low bytes, of line u / 2 of the nibbles (the high ones
//                    for odd u), and of the signs, bit 7 - u. High byte = sign | (nibble == 0 ? 0 : base + nibble):
//                    exponents that 15 pairs of them hold.
//   blocks           [panel][group] of { scales[i] | mins[i], where the format has them | quants }, one sequential
//                    stream. Value = scale * (quant - zero) + min.
//     8-bit quants   u8 [group/4][i][4], k within the group = 4 * g + j
//     4-bit quants   u8 [group/8][i][4], low nibble k = 4 * g + j, high nibble k = 4 * (g + group/8) + j
//
//===----------------------------------------------------------------------------------------------===//

#ifndef QUERN_DIALECT_PACKEDLAYOUT_H
#define QUERN_DIALECT_PACKEDLAYOUT_H

#include "dialect/Ops.h"

#include <optional>

namespace quern {

/// The layout of weights of one element type; sizes and offsets in bytes.
struct PackedLayout {
  /// Rows of one panel: the lanes of a kernel's innermost loop.
  static constexpr int64_t panelRows = 16;

  /// Which packing it is of.
  Packing packing = Packing::Panels;
  /// Values along k that share one scale; for floats those next to each other, 2 for bf16, 32 in 13 bits, else 1.
  int64_t group = 1;
  /// Bits of one stored quant, 4 or 8; of one value for floats, 16 or 32, or 13.
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
  /// Whether the values are bf16 in 13 bits, which kernels read as lines of bytes.
  bool isCompressed() const { return packing == Packing::Panels13; }

  /// Bytes of one line of a compressed panel, 4 of each row.
  static constexpr int64_t lineBytes = 4 * panelRows;
  /// Lines of bases before the blocks of a compressed panel, and lines of one of its blocks.
  static constexpr int64_t baseLines = 1, blockLines = 13;
  /// Columns of a unit, whose low bytes are one line, and units of a block.
  static constexpr int64_t unitColumns = 4, blockUnits = 8;
  /// Where, among the lines of a block, those of unit `unit` are; signs are in the first.
  /// Numbers, or formulas of a kernel.
  template <typename T> static T nibblesLine(T unit) { return 1 + unit / 2 * 3; }
  template <typename T> static T lowLine(T unit) { return nibblesLine(unit) + 1 + unit % 2; }
  /// The byte of row `i`, column `c` within each of its lines.
  template <typename T> static T lineByte(T i, T c) { return 4 * i + 2 * (c % 2) + c / 2 % 2; }

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
  /// Where the blocks of a panel begin.
  int64_t blocksOffset() const { return isCompressed() ? baseLines * lineBytes : 0; }
  /// Bytes from one panel to the next.
  int64_t panelBytes(int64_t k) const { return blocksOffset() + blocksPerPanel(k) * blockBytes(); }
  /// Bytes of a weight [n, k].
  int64_t weightBytes(int64_t n, int64_t k) const { return panels(n) * panelBytes(k); }

  /// Where the float of row `i`, column `c` of a group lies within its block, or the byte that holds its quant.
  int64_t elementOffset(int64_t i, int64_t c) const;
  /// How far the quant is shifted within its byte: 4 for the high nibbles of 4-bit quants, else 0.
  int64_t elementShift(int64_t c) const { return bits == 4 && c >= group / 2 ? 4 : 0; }
};

/// The layout of weights of `elementType` that lie by `packing`: by panels f32, f16, bf16, and blocks of a format that
/// checkpoints use; in 13 bits bf16. Failure for other elements.
mlir::FailureOr<PackedLayout> getPackedLayout(mlir::Type elementType, Packing packing);
/// The layout of a kernel's argument that is a packed parameter, as its attribute says; failure for other values.
mlir::FailureOr<PackedLayout> getPackedLayout(mlir::Value weight);

/// The base of a compressed row of bf16, `bytes` in all: what is taken off the high seven bits of exponents, so that
/// four are left and 0 stands for 0. None where they span more.
std::optional<uint8_t> findExponentBase(llvm::ArrayRef<uint8_t> bytes);

/// Whether parameters of this type may lie by `packing`: they have rank 2 and elements with such a layout.
bool canPack(mlir::RankedTensorType parameter, Packing packing);

/// Bytes of a parameter of this static type in a binary, by `packing` or dense; failure for a type that cannot.
mlir::FailureOr<int64_t> getParameterBytes(mlir::RankedTensorType parameter, std::optional<Packing> packing);

} // namespace quern

#endif // QUERN_DIALECT_PACKEDLAYOUT_H
