//===- Quantize.h - activations to q8_1 within a kernel ---------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATES_QUANTIZE_H
#define QUERN_CODEGEN_TEMPLATES_QUANTIZE_H

#include "codegen/templates/Common.h"

#include <map>

namespace quern::codegen {

/// On a device: `sum`, i32, and the products of the four u8 of the word `a` and the four i8 of `b`.
Halide::Expr multiplyWords(Halide::Expr a, Halide::Expr b, Halide::Expr sum);

/// The rows of a matrix quantised to q8_1, in blocks of 32, as `quern.quantize` says.
struct QuantizedRows {
  static constexpr int block = 32;
  /// Of an activation, either way.
  static constexpr int largestQuant = 127;

  /// What a product of quants, below 2^22, is added to the bits of: the last bit of this number is a 1, so that its
  /// bits with an integer added are those of the sum.
  static constexpr float bias = 0x1.8p23f;

  /// [block, row]: max|x| as the bits of an f32; scale, 1 / scale and, on a processor, scale · bias
  Halide::Func largest, scales;
  /// On a device: i32 [k / 4, row], max|x| of the four columns of a word, as the bits of an f32.
  Halide::Func largestOfWords;
  /// int8 [k, row]
  Halide::Func quants;
  /// The same in i16, for products that add pairs of those; undefined where there are none.
  Halide::Func wideQuants;
  Halide::RDom columns;

  /// On a device: u32 [k / 4, row], four quants, the first in the low byte.
  Halide::Func words;

  QuantizedRows(const Formula &rows, bool isOnDevice);
  /// `wideQuants`, from now on defined.
  Halide::Func widen();
  /// i32, what a product of quants begins with: the bits of the bias, or 0 on a device, less zero · the sum of the
  /// quants of a group of `group` columns.
  Halide::Expr getStart(int group, int zero, Halide::Expr block, Halide::Expr row);
  /// f32: scale · the product of quants that `dot` holds, in one operation and as if rounded once: a scale has 22 bits,
  /// so that scale · bias is exact.
  Halide::Expr scaleDot(Halide::Expr dot, Halide::Expr block, Halide::Expr row);
  /// f32 [group, row]: scale · the sum of the quants of a group.
  Halide::Func scaledSums(int group);
  /// Computes everything before its consumers, `lanes` values at a time; rows in parallel where `parallel`.
  void schedule(int lanes, bool parallel);
  /// The same on a device, or within each block of a consumer, of its rows.
  void spread(const DeviceSchedule &device) const;
  void spreadWithin(const DeviceSchedule &device, const DeviceSchedule::Block &block) const;

private:
  /// Defines `largestOfWords`, and the scales and words by it.
  void buildWords(const Formula &rows);
  /// i32 [group, row]: the sums of the quants of a group. On a device what needs one adds it up for itself.
  Halide::Func sums(int group);
  /// What a device stores, each function behind what it reads.
  std::vector<Halide::Func> listStored() const;

  /// Sums by the size of the group, and what is derived from them.
  std::map<int, std::pair<Halide::Func, Halide::RDom>> groupSums;
  std::map<std::pair<int, int>, Halide::Func> groupStarts;
  std::map<int, Halide::Func> groupScaledSums;
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATES_QUANTIZE_H
