//===- Quantize.h - activations to q8_1 within a kernel ---------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATES_QUANTIZE_H
#define QUERN_CODEGEN_TEMPLATES_QUANTIZE_H

#include "codegen/templates/Common.h"

#include <map>

namespace quern::codegen {

/// The rows of a matrix quantised to q8_1, in blocks of 32: scale = max|x| / 127, quant = round-half-even(x / scale).
struct QuantizedRows {
  static constexpr int block = 32;

  /// [block, row]: max|x| as the bits of an f32, and the scale
  Halide::Func largest, scales;
  /// int8 [k, row]
  Halide::Func quants;
  Halide::RDom columns;

  explicit QuantizedRows(const Formula &rows);
  /// i32 [group, row]: -zero · the sum of the quants of a group of `group` columns, what a product of quants begins with.
  Halide::Func offsets(int group, int zero);
  /// f32 [group, row]: scale · the sum of the quants of a group.
  Halide::Func scaledSums(int group);
  /// Computes everything before its consumers, `lanes` values at a time; rows in parallel where `parallel`.
  void schedule(int lanes, bool parallel);

private:
  /// i32 [group, row]: the sums of the quants of a group.
  Halide::Func sums(int group);

  /// Sums by the size of the group, and what is derived from them.
  std::map<int, std::pair<Halide::Func, Halide::RDom>> groupSums;
  std::map<std::pair<int, int>, Halide::Func> groupOffsets;
  std::map<int, Halide::Func> groupScaledSums;
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATES_QUANTIZE_H
