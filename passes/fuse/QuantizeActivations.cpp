//===- QuantizeActivations.cpp - integer products with quantised weights ----------------------===//

#include "passes/Passes.h"

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_QUANTIZEACTIVATIONSPASS
#include "passes/Passes.h.inc"

/// Whether `op` reads f32 on the left, blocks on the right, and whole blocks of 32 along k.
static bool canQuantize(MatmulOp op) {
  auto lhs = cast<RankedTensorType>(op.getLhs().getType());
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  Dim depth = getDims(lhs).back();
  return lhs.getElementType().isF32() && isa<BlockType>(weight.getElementType()) && depth.isStatic() &&
         depth.size() % 32 == 0;
}

namespace {

struct QuantizeActivationsPass : impl::QuantizeActivationsPassBase<QuantizeActivationsPass> {
  void runOnOperation() override {
    // One quantised tensor per value: what reads it is then seen to read the same.
    llvm::DenseMap<Value, Value> quantized;
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      entry.walk([&](MatmulOp op) {
        if (!canQuantize(op))
          return;
        Value &value = quantized[op.getLhs()];
        if (!value) {
          OpBuilder builder(op);
          builder.setInsertionPointAfterValue(op.getLhs());
          value = QuantizeOp::create(builder, op.getLoc(), op.getLhs());
        }
        op.getLhsMutable().assign(value);
      });
    }
  }
};

} // namespace

} // namespace quern
