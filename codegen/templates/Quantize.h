//===- Quantize.h - activations to q8_1 within a kernel ---------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATES_QUANTIZE_H
#define QUERN_CODEGEN_TEMPLATES_QUANTIZE_H

#include "codegen/Lowering.h"

namespace quern::codegen {

/// The rows of a matrix quantised to q8_1, in blocks of 32: scale = max|x| / 127, quant = round-half-even(x / scale).
struct QuantizedRows {
  static constexpr int block = 32;

  /// f32 [block, row]
  Halide::Func largest, scales;
  /// int8 [k, row]
  Halide::Func quants;
  /// i32 [group, row]: sums of the quants of 16 and of 32 columns; defined where a weight has such groups.
  Halide::Func sums16, sums32;
  Halide::RDom columns, columns16, columns32;

  explicit QuantizedRows(const Tensor &rows);
  /// The sums of groups of `group` columns, 16 or 32.
  Halide::Func sums(int64_t group) const { return group == 16 ? sums16 : sums32; }
  /// Computes everything before its consumers, `lanes` values at a time; rows in parallel where `parallel`.
  void schedule(int lanes, bool parallel);
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATES_QUANTIZE_H
