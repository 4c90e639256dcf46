//===- AssignLayouts.cpp - images with their channels innermost -------------------------------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"

#include "dialect/Images.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_ASSIGNLAYOUTSPASS
#include "passes/Passes.h.inc"

/// The axes of [n, c, h, w] in the order n, h, w, c, and back.
constexpr int64_t toChannelsLast[] = {0, 2, 3, 1};
constexpr int64_t toChannelsFirst[] = {0, 3, 1, 2};

/// Whether the height and the width of `type`, [n, c, h, w], are 1: then the order of its axes does not matter.
static bool isPoint(RankedTensorType type) { return type.getDimSize(2) == 1 && type.getDimSize(3) == 1; }

/// `type`, [n, c, h, w], as [n, h, w, c].
static RankedTensorType withChannelsLast(RankedTensorType type) {
  SmallVector<Dim> dims = getDims(type);
  return getTensorType({dims[0], dims[2], dims[3], dims[1]}, type.getElementType());
}

namespace {

/// Rewrites one entry. Ops on images are built anew with channels last; the old ones die where nothing else reads them.
class LayoutAssigner {
public:
  explicit LayoutAssigner(EntryOp entry) : entry(entry), builder(entry) {}

  void run() {
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front()))
      convert(&op);
    for (auto [first, last] : images)
      restore(first, last);
    for (Operation *op : llvm::reverse(replaced))
      if (op->use_empty())
        op->erase();
  }

private:
  EntryOp entry;
  OpBuilder builder;
  /// Images with channels first -> the same with channels last.
  llvm::MapVector<Value, Value> images;
  SmallVector<Operation *> replaced;

  /// Whether some operand of `op` is an image that this pass made.
  bool readsImage(Operation *op) {
    return llvm::any_of(op->getOperands(), [&](Value operand) { return images.contains(operand); });
  }

  void convert(Operation *op) {
    builder.setInsertionPoint(op);
    Value result;
    if (auto image = dyn_cast<ImageOpInterface>(op); image && image.getLayout() == ImageLayout::NCHW)
      result = convertImageOp(image);
    else if (isa<ScalarBodyOpInterface, CastOp>(op) && readsImage(op))
      result = convertElementwise(op);
    else if (isa<ConcatOp, SliceOp>(op) && readsImage(op))
      result = convertAxis(op);
    if (!result)
      return;
    images[op->getResult(0)] = result;
    replaced.push_back(op);
  }

  /// `value`, an image with channels first, with channels last.
  Value getImage(Value value) {
    if (Value known = images.lookup(value))
      return known;
    return TransposeOp::create(builder, value.getLoc(), value, toChannelsLast);
  }

  Value convertImageOp(ImageOpInterface op) {
    SmallVector<Value> operands(op->getOperands());
    operands.front() = getImage(op.getInput());
    if (auto conv = dyn_cast<Conv2dOp>(op.getOperation())) {
      Value ordered = TransposeOp::create(builder, conv.getLoc(), conv.getWeight(), toChannelsLast);
      SmallVector<Dim> dims = getDims(getTensorType(ordered));
      Dim row = Dim::fixed(dims[1].size() * dims[2].size() * dims[3].size());
      auto rows = getTensorType({dims[0], row}, getTensorType(ordered).getElementType());
      operands[1] = ReshapeOp::create(builder, conv.getLoc(), rows, ordered);
    }
    Operation *clone = rebuild(op, operands);
    auto layout = ImageLayoutAttr::get(op->getContext(), ImageLayout::NHWC);
    if (auto conv = dyn_cast<Conv2dOp>(clone))
      conv.setLayoutAttr(layout);
    else if (auto pool = dyn_cast<MaxPoolOp>(clone))
      pool.setLayoutAttr(layout);
    else
      cast<AvgPoolOp>(clone).setLayoutAttr(layout);
    return clone->getResult(0);
  }

  /// `value` broadcast against images: its axes as those of [n, c, h, w] from the right.
  Value alignOperand(Value value) {
    RankedTensorType type = getTensorType(value);
    if (type.getRank() == 0)
      return value;
    if (type.getRank() == 4)
      return getImage(value);
    SmallVector<Dim> dims(4 - type.getRank(), Dim::fixed(1));
    llvm::append_range(dims, getDims(type));
    RankedTensorType full = getTensorType(dims, type.getElementType());
    if (isPoint(full)) {
      auto perChannel = getTensorType({dims[1]}, type.getElementType());
      return ReshapeOp::create(builder, value.getLoc(), perChannel, value);
    }
    Value reshaped = ReshapeOp::create(builder, value.getLoc(), full, value);
    return TransposeOp::create(builder, value.getLoc(), reshaped, toChannelsLast);
  }

  Value convertElementwise(Operation *op) {
    if (getTensorType(op->getResult(0)).getRank() != 4)
      return nullptr;
    return rebuild(op, llvm::map_to_vector(op->getOperands(), [&](Value value) { return alignOperand(value); }))
        ->getResult(0);
  }

  /// A slice or a concat, along the axis where the same elements lie.
  Value convertAxis(Operation *op) {
    constexpr int64_t axes[] = {0, 3, 1, 2};
    Operation *clone =
        rebuild(op, llvm::map_to_vector(op->getOperands(), [&](Value value) { return getImage(value); }));
    if (auto concat = dyn_cast<ConcatOp>(clone))
      concat.setAxis(axes[concat.getAxis()]);
    else if (auto slice = dyn_cast<SliceOp>(clone))
      slice.setAxis(axes[slice.getAxis()]);
    return clone->getResult(0);
  }

  /// `op` on other operands, its result an image with channels last.
  Operation *rebuild(Operation *op, ArrayRef<Value> operands) {
    Operation *clone = builder.clone(*op);
    clone->setOperands(operands);
    clone->getResult(0).setType(withChannelsLast(getTensorType(op->getResult(0))));
    return clone;
  }

  /// Lets what still reads `first` read `last` with channels first.
  void restore(Value first, Value last) {
    auto remains = [&](OpOperand &use) { return !llvm::is_contained(replaced, use.getOwner()); };
    if (llvm::none_of(first.getUses(), remains))
      return;
    builder.setInsertionPointAfterValue(last);
    RankedTensorType type = getTensorType(first);
    Value restored = isPoint(type) ? Value(ReshapeOp::create(builder, first.getLoc(), type, last))
                                   : Value(TransposeOp::create(builder, first.getLoc(), last, toChannelsFirst));
    first.replaceUsesWithIf(restored, remains);
  }
};

struct AssignLayoutsPass : impl::AssignLayoutsPassBase<AssignLayoutsPass> {
  void runOnOperation() override {
    for (EntryOp entry : getOperation().getOps<EntryOp>())
      LayoutAssigner(entry).run();
  }
};

} // namespace

} // namespace quern
