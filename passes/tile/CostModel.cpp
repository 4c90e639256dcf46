//===- CostModel.cpp - the schedule that a kernel gets without measuring ----------------------===//

#include "passes/tile/CostModel.h"

#include "dialect/Shapes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace quern {

/// Elements of f32 that one weight panel and one vector of a tile hold: the layout's panel of 16 rows.
constexpr int64_t kPanelRows = 16;

/// What a contraction costs per step of k on one machine, as far as the tile decides it.
struct ContractShape {
  /// Rows of the left side; the most there can be where it is symbolic.
  int64_t rows;
  bool rowsKnown;
  /// Panels of the weight.
  int64_t panels;
  /// Matmuls in the kernel, which share the left side.
  int64_t matmuls;
  /// Bits per weight as stored.
  int64_t weightBits;
  /// Products are integers, with scales per block.
  bool integer;
};

/// `rows` × `vectors` accumulators per matmul.
struct Tile {
  int64_t rows;
  int64_t vectors;
};

static ScheduleAttr makeSchedule(MLIRContext *context, ArrayRef<std::pair<StringRef, int64_t>> parameters) {
  Builder builder(context);
  SmallVector<NamedAttribute> attributes;
  for (auto [name, value] : parameters)
    attributes.push_back(builder.getNamedAttr(name, builder.getI64IntegerAttr(value)));
  return ScheduleAttr::get(context, builder.getDictionaryAttr(attributes));
}

/// Stored bits per weight of `type`, without scales.
static int64_t getWeightBits(Type type) {
  auto block = dyn_cast<BlockType>(type);
  if (!block)
    return type.getIntOrFloatBitWidth();
  switch (block.getFormat()) {
  case BlockFormat::Q4_0:
  case BlockFormat::Q4_1:
  case BlockFormat::Q4_K:
    return 4;
  default:
    return 8;
  }
}

static ContractShape getShape(MatmulOp anchor) {
  auto lhs = cast<RankedTensorType>(anchor.getLhs().getType());
  auto weight = cast<RankedTensorType>(anchor.getWeight().getType());
  ContractShape shape = {1, true, 0, 0, getWeightBits(weight.getElementType()), isa<BlockType>(lhs.getElementType())};
  for (Dim dim : ArrayRef(getDims(lhs)).drop_back()) {
    shape.rowsKnown &= dim.isStatic();
    if (dim.isStatic())
      shape.rows *= dim.size();
  }
  shape.panels = std::max<int64_t>(1, llvm::divideCeil(weight.getDimSize(0), kPanelRows));
  shape.matmuls = llvm::range_size(anchor->getBlock()->getOps<MatmulOp>());
  return shape;
}

/// Vector registers that `tile` needs: accumulators (f32, and i32 per block for integer products), a vector of weights per
/// column, unpacked for 4 bits, and one of the left side.
static int64_t countRegisters(Tile tile, const ContractShape &shape, TargetAttr target) {
  int64_t perPanel = std::max<int64_t>(1, kPanelRows * 32 / target.getVectorBits());
  int64_t accumulators = tile.rows * tile.vectors * (shape.integer ? 2 : 1);
  int64_t weights = tile.vectors * (shape.weightBits == 4 ? 3 : 1);
  return shape.matmuls * perPanel * accumulators + perPanel * weights + 1;
}

/// Instructions per useful product of a vector: loading (and unpacking) weights is shared by the rows, broadcasting the
/// left side by the vectors, and rows or panels beyond the tensor are wasted.
static double getCost(Tile tile, const ContractShape &shape) {
  double load = shape.weightBits == 4 ? 2.5 : 1.0;
  // Integer products: per block of 32, 8 dot products, and a conversion and a multiply-add for the scales.
  double work = shape.integer ? 1.25 : 1.0;
  double cost = work + load / double(tile.rows) + 1.0 / double(tile.vectors);
  double columns = double(llvm::alignTo(shape.panels, tile.vectors)) / double(shape.panels);
  double rows = shape.rowsKnown ? double(llvm::alignTo(shape.rows, tile.rows)) / double(shape.rows) : 1.0;
  return cost * columns * rows;
}

/// The cheapest tile that fits the registers.
static Tile chooseTile(const ContractShape &shape, TargetAttr target) {
  Tile best = {1, 1};
  for (int64_t vectors : {1, 2, 3, 4})
    for (int64_t rows : {1, 2, 3, 4, 6, 8}) {
      Tile tile = {rows, vectors};
      if (vectors > shape.panels || (shape.rowsKnown && rows > shape.rows) ||
          countRegisters(tile, shape, target) > target.getVectorRegisters())
        continue;
      if (getCost(tile, shape) < getCost(best, shape))
        best = tile;
    }
  return best;
}

/// Into how many tasks the panels are split, so that each reads at least as much weight as waking a thread costs.
static int64_t chooseTasks(MatmulOp anchor, const ContractShape &shape, Tile tile, TargetAttr target) {
  auto weight = cast<RankedTensorType>(anchor.getWeight().getType());
  int64_t bytes = weight.getNumElements() * shape.weightBits / 8 * shape.matmuls;
  int64_t columns = llvm::divideCeil(shape.panels, tile.vectors);
  return std::clamp<int64_t>(bytes / target.getL1Bytes(), 1, std::min<int64_t>(columns, 64));
}

static ScheduleAttr chooseContract(KernelOp kernel, TargetAttr target) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  ContractShape shape = getShape(anchor);
  Tile tile = chooseTile(shape, target);
  return makeSchedule(kernel.getContext(), {{"rows", tile.rows},
                                            {"vectors", tile.vectors},
                                            {"tasks", chooseTasks(anchor, shape, tile, target)}});
}

ScheduleAttr chooseSchedule(KernelOp kernel, TargetAttr target) {
  int64_t lanes = target.getVectorBits() / 32;
  // Few elements are done before a second thread wakes.
  auto type = cast<RankedTensorType>(kernel.getResultTypes().front());
  int64_t parallel = type.hasStaticShape() && type.getNumElements() * 4 <= target.getL1Bytes() ? 0 : 1;
  MLIRContext *context = kernel.getContext();
  switch (kernel.getForm()) {
  case KernelForm::Contract:
    return chooseContract(kernel, target);
  case KernelForm::Map:
  case KernelForm::Rows:
    return makeSchedule(context, {{"lanes", lanes}, {"parallel", parallel}});
  case KernelForm::Attention:
    return makeSchedule(context, {{"block", 128}});
  case KernelForm::Gather:
  case KernelForm::Append:
    return makeSchedule(context, {{"lanes", lanes}});
  }
  llvm_unreachable("every form is handled");
}

} // namespace quern
