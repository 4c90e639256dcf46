//===- Weights.cpp - reading packed weights ---------------------------------------------------===//

#include "codegen/templates/Weights.h"
#include "codegen/Scalar.h"

using Halide::Expr;

namespace quern::codegen {

Expr readWeight(const PackedWeight &weight, Expr lane, Expr column, Expr block, Expr panel) {
  if (!weight.layout.isQuantised())
    return toFloat(weight.values(lane, block, panel));
  int32_t groups = static_cast<int32_t>(weight.layout.quantsBytes() / (4 * PackedLayout::panelRows));
  Expr quad = column / 4;
  Expr quant = weight.values(column % 4, lane, weight.layout.bits == 4 ? quad % groups : quad, block, panel);
  if (weight.layout.bits == 4)
    quant = select(quad < groups, quant & Expr(uint8_t(15)), quant >> Expr(uint8_t(4)));
  Expr value = toFloat(weight.scales(lane, block, panel)) *
               Halide::cast<float>(Halide::cast<int32_t>(quant) - weight.layout.zero);
  return weight.layout.hasMins ? value + toFloat(weight.mins(lane, block, panel)) : value;
}

} // namespace quern::codegen
