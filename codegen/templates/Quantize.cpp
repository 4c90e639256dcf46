//===- Quantize.cpp - activations to q8_1 within a kernel -------------------------------------===//

#include "codegen/templates/Quantize.h"

using namespace Halide;

namespace quern::codegen {

/// sums(b, m) = Σ_j quants(b·group + j, m)
static Func sumGroups(Func quants, RDom columns, int group, const std::string &name) {
  Func sums(name);
  Var b("b"), m("m");
  sums(b, m) = 0;
  sums(b, m) += cast<int32_t>(quants(b * group + columns, m));
  return sums;
}

QuantizedRows::QuantizedRows(const Tensor &rows)
    : largest("largest"), scales("scales"), quants("quants"), columns(0, block, "columns"),
      columns16(0, 16, "columns16"), columns32(0, 32, "columns32") {
  Var k("k"), b("b"), m("m");
  largest(b, m) = 0.0f;
  largest(b, m) = max(largest(b, m), abs(rows.at({m, b * block + columns})));
  scales(b, m) = largest(b, m) / 127.0f;
  Expr scale = scales(k / block, m);
  quants(k, m) = cast<int8_t>(select(scale == 0.0f, 0.0f, round(rows.at({m, k}) / scale)));
  sums16 = sumGroups(quants, columns16, 16, "sums16");
  sums32 = sumGroups(quants, columns32, 32, "sums32");
}

void QuantizedRows::schedule(int lanes, bool parallel) {
  constexpr int rowsPerTask = 8;
  auto spread = [&](Stage stage, Var m) {
    Var task("task");
    if (parallel)
      stage.split(m, task, m, rowsPerTask, TailStrategy::GuardWithIf).parallel(task);
  };
  Var k = quants.args()[0], m = quants.args()[1], inner("inner");
  quants.compute_root().split(k, k, inner, block).vectorize(inner, lanes).unroll(inner);
  spread(quants, m);
  scales.compute_root();
  spread(scales, m);
  largest.compute_at(scales, scales.args()[0]);
  largest.update().atomic().vectorize(columns.x, block);
  for (auto [sums, r] : {std::pair(sums16, columns16), std::pair(sums32, columns32)}) {
    sums.compute_root();
    spread(sums, m);
    sums.update().atomic().vectorize(r.x);
    spread(sums.update(), m);
  }
}

} // namespace quern::codegen
