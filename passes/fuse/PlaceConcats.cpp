//===- PlaceConcats.cpp - parts of a concat that are computed in place ------------------------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"
#include "passes/fuse/Group.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_PLACECONCATSPASS
#include "passes/Passes.h.inc"

/// Whether the kernel that computes `part` may write it into a larger tensor, which alone reads it.
static bool isWrittenInPlace(Value part) {
  Operation *source = part.getDefiningOp();
  if (!source || !part.hasOneUse() || source->hasTrait<NamesMemory>())
    return false;
  KernelAnchorOpInterface anchor = getAnchor(source);
  return !anchor || isa<ImageOpInterface>(anchor.getOperation());
}

/// A kernel that computes `value` again.
static Value copy(OpBuilder &builder, Value value) {
  auto map = MapOp::create(builder, value.getLoc(), value.getType(), value);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&map.getBody());
  YieldOp::create(builder, value.getLoc(),
                  Value(body->addArgument(getTensorType(value).getElementType(), value.getLoc())));
  return map;
}

/// The parts of `op`; in the place of a concat along the same axis that only it reads, the parts of that.
static SmallVector<Value> flatten(ConcatOp op) {
  SmallVector<Value> parts;
  for (Value input : op.getInputs()) {
    auto inner = input.getDefiningOp<ConcatOp>();
    if (inner && inner.getAxis() == op.getAxis() && input.hasOneUse())
      llvm::append_range(parts, inner.getInputs());
    else
      parts.push_back(input);
  }
  return parts;
}

/// Lets `op` read the parts of the concats inside of it.
static void merge(ConcatOp op) {
  for (SmallVector<Value> parts = flatten(op); parts.size() != op.getInputs().size(); parts = flatten(op))
    op.getInputsMutable().assign(parts);
}

/// Copies the parts of `op` that are not computed for it alone.
static void copyParts(ConcatOp op) {
  OpBuilder builder(op);
  bool copies = false;
  for (OpOperand &part : op->getOpOperands())
    if (!isWrittenInPlace(part.get())) {
      copies = true;
      part.set(copy(builder, part.get()));
    }
  if (copies)
    remarkApart(op, "a part that has other users, or no kernel of its own, is copied");
  else
    remarkFused(op, "each part is computed for it alone, in place");
}

namespace {

struct PlaceConcatsPass : impl::PlaceConcatsPassBase<PlaceConcatsPass> {
  void runOnOperation() override {
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      // From the end: a concat inside of another one has no use left when its turn comes.
      SmallVector<ConcatOp> concats(entry.getOps<ConcatOp>());
      for (ConcatOp op : llvm::reverse(concats)) {
        merge(op);
        if (op->use_empty())
          op.erase();
      }
      for (ConcatOp op : entry.getOps<ConcatOp>())
        copyParts(op);
    }
  }
};

} // namespace

} // namespace quern
