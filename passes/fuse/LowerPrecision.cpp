//===- LowerPrecision.cpp - products of bf16 where the model has f32 --------------------------===//

#include "passes/Constants.h"
#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"

#include "dialect/Images.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_LOWERPRECISIONPASS
#include "passes/Passes.h.inc"

/// Why `op`, which multiplies `input` by `weight`, keeps both in f32; null where it need not.
static const char *whyNot(Operation *op, Value input, Value weight) {
  if (!getTensorType(input).getElementType().isF32() || !getTensorType(weight).getElementType().isF32())
    return "not both sides of the product are f32";
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
  void runOnOperation() override {
    // One rounded tensor per value: what reads it is then seen to read the same.
    llvm::DenseMap<Value, Value> rounded;
    auto round = [&](OpOperand &operand) {
      Value &value = rounded[operand.get()];
      if (!value) {
        OpBuilder builder(operand.getOwner());
        builder.setInsertionPointAfterValue(operand.get());
        Type type = getTensorType(operand.get()).clone(builder.getBF16Type());
        value = CastOp::create(builder, operand.getOwner()->getLoc(), type, operand.get());
      }
      operand.set(value);
    };
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      entry.walk([&](MatmulOp op) {
        if (isLowered(op, op.getLhs(), op.getWeight()))
          round(op.getWeightMutable());
      });
      entry.walk([&](Conv2dOp op) {
        if (!isLowered(op, op.getInput(), op.getWeight()))
          return;
        round(op.getInputMutable());
        round(op.getWeightMutable());
      });
    }
  }
};

} // namespace

} // namespace quern
