//===- LowerAttention.cpp - attention in bf16 ---------------------------------------------------===//

#include "passes/Constants.h"
#include "passes/Passes.h"
#include "passes/States.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"
#include "passes/fuse/Narrow.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_LOWERATTENTIONPASS
#include "passes/Passes.h.inc"

/// Whether `query` is, but for ops on the product such as a norm or a rotation, the product with a rounded weight.
static bool isRounded(Value query) {
  Operation *op = query.getDefiningOp();
  while (op && !isa<MatmulOp>(op) && op->getNumOperands() > 0)
    op = op->getOperand(0).getDefiningOp();
  auto matmul = dyn_cast_or_null<MatmulOp>(op);
  if (!matmul || !isConstant(matmul.getWeight()))
    return false;
  Type weight = getTensorType(matmul.getWeight()).getElementType();
  return isa<BlockType>(weight) || weight.isBF16();
}

/// Whether `cache` is the value of a state of f16 or bf16.
static bool isHalfState(Value cache) {
  Type element = getTensorType(cache).getElementType();
  return getState(cache) && (element.isF16() || element.isBF16());
}

/// Why `op` stays in f32; null where it need not.
static const char *whyNot(AttendOp op) {
  if (!getTensorType(op.getQuery()).getElementType().isF32() || !isRounded(op.getQuery()))
    return "attention stays in f32: its query is not the product with a rounded weight";
  if (!isHalfState(op.getKeys()) || !isHalfState(op.getValues()))
    return "attention stays in f32: its caches are no states of 16 bits";
  if (getTensorType(op.getQuery()).getDimSize(2) % 2 != 0)
    return "attention stays in f32: the elements of a head come in no pairs";
  return nullptr;
}

namespace {

struct LowerAttentionPass : impl::LowerAttentionPassBase<LowerAttentionPass> {
  void runOnOperation() override {
    bool all = true;
    llvm::DenseSet<StringAttr> states;
    getOperation().walk([&](AttendOp op) {
      const char *reason = whyNot(op);
      if (reason)
        remarkApart(op, reason);
      all &= !reason;
      states.insert(getState(op.getKeys()));
      states.insert(getState(op.getValues()));
    });
    if (!all)
      return;
    if (!areCaches(getOperation(), states))
      return;
    Type bf16 = BFloat16Type::get(&getContext());
    NarrowedValues narrowed;
    getOperation().walk([&](AttendOp op) { narrowed.narrow(op.getQueryMutable(), bf16); });
    setElements(getOperation(), states, bf16);
  }
};

} // namespace

} // namespace quern
