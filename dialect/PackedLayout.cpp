//===- PackedLayout.cpp - how a weight lies in a binary ---------------------------------------===//

#include "dialect/PackedLayout.h"

using namespace mlir;

namespace quern {

/// The formats of checkpoints: GGUF's, each with its quants as wide as arithmetic wants them.
static FailureOr<PackedLayout> getBlockLayout(BlockFormat format) {
  const BlockTraits &traits = getTraits(format);
  PackedLayout layout{
      .group = traits.group, .bits = 8, .zero = traits.zero, .scaleBytes = 2, .hasMins = traits.hasMins};
  switch (format) {
  case BlockFormat::Q4_0:
  case BlockFormat::Q4_1:
    layout.bits = 4;
    return layout;
  case BlockFormat::Q8_0:
  case BlockFormat::Q5_0:
  case BlockFormat::Q5_1:
    return layout;
  case BlockFormat::Q4_K:
    layout.bits = 4;
    [[fallthrough]];
  case BlockFormat::Q5_K:
  case BlockFormat::Q6_K:
    layout.scaleBytes = 4; // products of two stored factors, which f16 would round
    return layout;
  case BlockFormat::Q8_1:
    return failure();
  }
  llvm_unreachable("every format is handled");
}

int64_t PackedLayout::elementOffset(int64_t i, int64_t c) const {
  if (!isQuantised())
    return (i * group + c) * bits / 8;
  int64_t held = bits == 4 ? c % (group / 2) : c;
  return quantsOffset() + ((held / 4) * panelRows + i) * 4 + held % 4;
}

/// Panels of numbers, or of blocks.
static FailureOr<PackedLayout> getPanels(Type elementType) {
  if (auto block = dyn_cast<BlockType>(elementType))
    return getBlockLayout(block.getFormat());
  if (elementType.isF32() || elementType.isF16() || elementType.isBF16())
    return PackedLayout{.group = elementType.isBF16() ? 2 : 1, .bits = elementType.getIntOrFloatBitWidth()};
  return failure();
}

FailureOr<PackedLayout> getPackedLayout(Type elementType, Packing packing) {
  switch (packing) {
  case Packing::Panels:
    return getPanels(elementType);
  case Packing::Panels13:
    if (!elementType.isBF16())
      return failure();
    return PackedLayout{.packing = packing, .group = PackedLayout::blockUnits * PackedLayout::unitColumns, .bits = 13};
  }
  llvm_unreachable("every packing is handled");
}

FailureOr<PackedLayout> getPackedLayout(Value weight) {
  auto argument = dyn_cast<BlockArgument>(weight);
  auto kernel = argument ? dyn_cast<KernelOp>(argument.getOwner()->getParentOp()) : KernelOp();
  std::optional<Packing> packing = kernel ? kernel.getPacking(argument.getArgNumber()) : std::nullopt;
  if (!packing)
    return failure();
  return getPackedLayout(cast<RankedTensorType>(argument.getType()).getElementType(), *packing);
}

std::optional<uint8_t> findExponentBase(ArrayRef<uint8_t> bytes) {
  constexpr uint8_t codes = 15;
  uint8_t smallest = 127, largest = 0;
  for (size_t i = 1; i < bytes.size(); i += 2) {
    uint8_t exponent = bytes[i] & 0x7f;
    smallest = std::min<uint8_t>(smallest, exponent - 1); // 0, which every base holds, wraps around to the end
    largest = std::max(largest, exponent);
  }
  uint8_t base = std::max<uint8_t>(largest, codes) - codes;
  return smallest >= base ? std::optional(base) : std::nullopt;
}

bool canPack(RankedTensorType parameter, Packing packing) {
  return parameter.getRank() == 2 && succeeded(getPackedLayout(parameter.getElementType(), packing));
}

FailureOr<int64_t> getParameterBytes(RankedTensorType parameter, std::optional<Packing> packing) {
  if (!parameter.hasStaticShape() || (packing && !canPack(parameter, *packing)))
    return failure();
  if (packing)
    return getPackedLayout(parameter.getElementType(), *packing)
        ->weightBytes(parameter.getDimSize(0), parameter.getDimSize(1));
  if (!parameter.getElementType().isIntOrFloat())
    return failure();
  return parameter.getNumElements() * ((parameter.getElementType().getIntOrFloatBitWidth() + 7) / 8);
}

} // namespace quern
