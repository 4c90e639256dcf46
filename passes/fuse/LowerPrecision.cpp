//===- LowerPrecision.cpp - products of bf16 where the model has more --------------------------===//

#include "passes/Constants.h"
#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"
#include "passes/fuse/Narrow.h"

#include "dialect/Images.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_LOWERPRECISIONPASS
#include "passes/Passes.h.inc"

/// Why `op`, which multiplies `input` by `weight`, keeps both as they are; null where it need not.
static const char *whyNot(Operation *op, Value input, Value weight) {
  Type element = getTensorType(weight).getElementType();
  if (!getTensorType(input).getElementType().isF32() || !(element.isF32() || element.isF16()))
    return "the product is not one of f32 and a weight of f32 or f16";
  if (!isConstant(weight))
    return "the weight is known at run time only";
  auto conv = dyn_cast<Conv2dOp>(op);
  if (conv && (conv.getGroups() != 1 || getTensorType(input).getDimSize(ImageAxes(conv.getLayout()).channel) % 2 != 0))
    return "the channels of a group come in no pairs, or there are several groups";
  return nullptr;
}

/// Whether both sides of `op` are rounded; where not, a remark says why not.
static bool isLowered(Operation *op, Value input, Value weight) {
  const char *reason = whyNot(op, input, weight);
  if (reason)
    remarkApart(op, reason);
  return !reason;
}

namespace {

struct LowerPrecisionPass : impl::LowerPrecisionPassBase<LowerPrecisionPass> {
  using LowerPrecisionPassBase::LowerPrecisionPassBase;

  void runOnOperation() override {
    Type bf16 = BFloat16Type::get(&getContext());
    NarrowedValues narrowed;
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      entry.walk([&](MatmulOp op) {
        if (isLowered(op, op.getLhs(), op.getWeight()))
          narrowed.narrow(op.getWeightMutable(), bf16);
      });
      entry.walk([&](Conv2dOp op) {
        if (!images)
          return remarkApart(op, "not every target multiplies bf16 faster than f32");
        if (!isLowered(op, op.getInput(), op.getWeight()))
          return;
        narrowed.narrow(op.getInputMutable(), bf16);
        narrowed.narrow(op.getWeightMutable(), bf16);
      });
      // A table that is such a weight, too, is stored once.
      entry.walk([&](GatherOp op) {
        if (narrowed.has(op.getTable(), bf16))
          narrowed.narrow(op.getTableMutable(), bf16);
      });
    }
  }
};

} // namespace

} // namespace quern
