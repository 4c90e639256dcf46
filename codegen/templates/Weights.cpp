//===- Weights.cpp - reading packed weights ---------------------------------------------------===//

#include "codegen/templates/Weights.h"
#include "codegen/Scalar.h"

using Halide::Expr;

namespace quern::codegen {

Expr makePair(Expr first, Expr second) {
  using Halide::cast;
  return cast<uint32_t>(getBits(first)) | (cast<uint32_t>(getBits(second)) << 16);
}

Expr makePair(llvm::function_ref<Expr(Expr)> at, Expr pair) { return makePair(at(2 * pair), at(2 * pair + 1)); }

Expr readPair(Expr pair, Expr column) {
  return Halide::reinterpret<float>(select(column % 2 == 0, pair << 16, pair & Expr(uint32_t(0xffff0000))));
}

Expr addPairProducts(Expr sum, Expr a, Expr b) {
  return sum + readPair(a, 1) * readPair(b, 1) + readPair(a, 0) * readPair(b, 0);
}

Expr addPairProducts(const TargetSpec &target, Expr sum, Expr a, Expr b) {
  using Halide::Internal::Call;
  if (!target.bf16Dot)
    return addPairProducts(sum, a, b);
  // Halide's runtime defines `dpbf16psx16`, which its back end takes for a call of `dpbf16ps` on 16 lanes; its own
  // pattern for the instruction does not match strict floats. Its last operand may stand in memory: `a`, one pair for
  // all lanes.
  return Call::make(Halide::Float(32), "dpbf16ps", {sum, b, a}, Call::PureExtern);
}

static constexpr int32_t blockUnits = PackedLayout::blockUnits;

/// Byte `byte` of line `line` of the block of `unit`.
static Expr readLine(const PackedWeight &weight, Expr byte, Expr unit, Expr line, Expr panel) {
  Expr first = static_cast<int32_t>(PackedLayout::baseLines) +
               unit / blockUnits * static_cast<int32_t>(PackedLayout::blockLines);
  return weight.values(byte, first + line, panel);
}

static Expr readLowByte(const PackedWeight &weight, Expr byte, Expr unit, Expr panel) {
  Expr of = unit % blockUnits;
  return readLine(weight, byte, unit, PackedLayout::lowLine(of), panel);
}

Expr readHighByte(const PackedWeight &weight, Expr byte, Expr unit, Expr panel) {
  using Halide::cast;
  Expr of = unit % blockUnits;
  Expr nibbles = readLine(weight, byte, unit, PackedLayout::nibblesLine(of), panel);
  Expr nibble = (nibbles >> cast<uint8_t>(of % 2 * 4)) & Expr(uint8_t(15));
  Expr exponent = select(nibble == 0, Expr(uint8_t(0)), nibble + weight.values(byte, 0, panel));
  Expr signs = readLine(weight, byte, unit, 0, panel);
  return exponent | ((signs << cast<uint8_t>(of)) & Expr(uint8_t(0x80)));
}

/// Bytes 8 · `word` and those after it, in a u64.
static Expr concatBytes(Expr word, llvm::function_ref<Expr(Expr byte)> at) {
  std::vector<Expr> bytes;
  for (int byte = 0; byte < 8; ++byte)
    bytes.push_back(at(8 * word + byte));
  return Halide::concat_bits(bytes);
}

Expr readPairWord(const PackedWeight &weight, Halide::Func high, Expr word, Expr half, Expr unit, Expr panel) {
  Expr lows = concatBytes(word, [&](Expr byte) { return readLowByte(weight, byte, unit, panel); });
  Expr highs = concatBytes(word, [&](Expr byte) { return high(byte, unit, panel); });
  Expr even = Expr(uint64_t(0x00ff00ff00ff00ff)), odd = Expr(uint64_t(0xff00ff00ff00ff00));
  return select(half == 0, (lows & even) | ((highs << 8) & odd), ((lows >> 8) & even) | (highs & odd));
}

Expr readWeight(const PackedWeight &weight, Expr lane, Expr column, Expr block, Expr panel) {
  using Halide::cast;
  if (weight.layout.isCompressed()) {
    Expr unit = block * blockUnits + column / static_cast<int32_t>(PackedLayout::unitColumns);
    Expr byte = PackedLayout::lineByte(lane, column);
    Expr bits = (cast<uint32_t>(readHighByte(weight, byte, unit, panel)) << 24) |
                (cast<uint32_t>(readLowByte(weight, byte, unit, panel)) << 16);
    return Halide::reinterpret<float>(bits);
  }
  if (weight.layout.hasPairs())
    return readPair(weight.values(lane, block, panel), column);
  if (!weight.layout.isQuantised())
    return toFloat(weight.values(lane, block, panel));
  int32_t groups = static_cast<int32_t>(weight.layout.quantsBytes() / (4 * PackedLayout::panelRows));
  Expr quad = column / 4, place = weight.layout.bits == 4 ? quad % groups : quad, quant;
  if (weight.values.dimensions() == 4) {
    quant = cast<uint8_t>(weight.values(lane, place, block, panel) >> cast<uint32_t>(column % 4 * 8));
  } else {
    quant = weight.values(column % 4, lane, place, block, panel);
  }
  if (weight.layout.bits == 4)
    quant = select(quad < groups, quant & Expr(uint8_t(15)), quant >> Expr(uint8_t(4)));
  Expr value = toFloat(weight.scales(lane, block, panel)) *
               Halide::cast<float>(Halide::cast<int32_t>(quant) - weight.layout.zero);
  return weight.layout.hasMins ? value + toFloat(weight.mins(lane, block, panel)) : value;
}

Expr readPairOf(const PackedWeight &weight, Expr lane, Expr pair, Expr panel) {
  if (!weight.layout.isCompressed())
    return weight.values(lane, pair, panel);
  int32_t group = static_cast<int32_t>(weight.layout.group);
  auto readHalf = [&](Expr column) {
    return Halide::reinterpret<uint32_t>(readWeight(weight, lane, column % group, column / group, panel)) >> 16;
  };
  return readHalf(2 * pair) | (readHalf(2 * pair + 1) << 16);
}

} // namespace quern::codegen
