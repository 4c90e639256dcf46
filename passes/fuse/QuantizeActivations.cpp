//===- QuantizeActivations.cpp - activations as narrow as their weights -----------------------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Narrow.h"
#include "passes/tile/CostModel.h"

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_QUANTIZEACTIVATIONSPASS
#include "passes/Passes.h.inc"

/// The element type that the left side of `op`, of f32, is rounded to: q8_1 before whole blocks of 32 along k, bf16
/// before a weight of bf16 where the machine has an instruction for their product; null where it stays f32.
static Type getNarrowType(MatmulOp op, bool hasBf16Dot) {
  RankedTensorType lhs = getTensorType(op.getLhs());
  Type weight = getTensorType(op.getWeight()).getElementType();
  if (!lhs.getElementType().isF32() || !op.getWeight().getDefiningOp<ParamOp>() || !op.takesRows())
    return nullptr;
  Dim depth = getDims(lhs).back();
  if (isa<BlockType>(weight) && depth.isStatic() && depth.size() % 32 == 0)
    return BlockType::get(op.getContext(), BlockFormat::Q8_1);
  return weight.isBF16() && hasBf16Dot ? weight : nullptr;
}

namespace {

struct QuantizeActivationsPass : impl::QuantizeActivationsPassBase<QuantizeActivationsPass> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    bool hasBf16Dot = target && target.getBf16Dot();
    NarrowedValues narrowed;
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      entry.walk([&](MatmulOp op) {
        if (Type type = getNarrowType(op, hasBf16Dot))
          narrowed.narrow(op.getLhsMutable(), type);
      });
    }
  }
};

} // namespace

} // namespace quern
