//===- Weights.cpp - reading packed weights ---------------------------------------------------===//

#include "codegen/templates/Weights.h"
#include "codegen/Scalar.h"

using Halide::Expr;

namespace quern::codegen {

Expr makePair(Expr first, Expr second) {
  using Halide::cast;
  return cast<uint32_t>(getBits(first)) | (cast<uint32_t>(getBits(second)) << 16);
}

Expr readPair(Expr pair, Expr column) {
  return Halide::reinterpret<float>(select(column % 2 == 0, pair << 16, pair & Expr(uint32_t(0xffff0000))));
}

Expr addPairProducts(Expr sum, Expr a, Expr b) {
  return sum + readPair(a, 1) * readPair(b, 1) + readPair(a, 0) * readPair(b, 0);
}

Expr addPairProducts(const TargetSpec &target, Expr sum, Expr a, Expr b) {
  using Halide::Internal::Call;
  if (!target.hasBf16Dot())
    return addPairProducts(sum, a, b);
  // Halide's runtime defines `dpbf16psx16`, which its back end takes for a call of `dpbf16ps` on 16 lanes; its own pattern for
  // the instruction does not match strict floats. Its last operand may stand in memory: `a`, one pair for all lanes.
  return Call::make(Halide::Float(32), "dpbf16ps", {sum, b, a}, Call::PureExtern);
}

Expr readWeight(const PackedWeight &weight, Expr lane, Expr column, Expr block, Expr panel) {
  if (weight.layout.hasPairs())
    return readPair(weight.values(lane, block, panel), column);
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
