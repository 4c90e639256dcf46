//===- Group.cpp - ops that will be one kernel ------------------------------------------------===//

#include "passes/fuse/Group.h"
#include "dialect/Destination.h"

using namespace mlir;

namespace quern {

Operation *getOwner(Operation *op) {
  auto group = op->getParentOfType<FusedOp>();
  return group ? group.getOperation() : op;
}

Operation *getCore(Operation *op) {
  auto group = dyn_cast<FusedOp>(op);
  return group ? group.getBody().front().getTerminator()->getOperand(0).getDefiningOp() : op;
}

SmallVector<Operation *> getMembers(Operation *op) {
  auto group = dyn_cast<FusedOp>(op);
  if (!group)
    return {op};
  return llvm::map_to_vector(group.getBody().front().without_terminator(), [](Operation &inner) { return &inner; });
}

KernelAnchorOpInterface getAnchor(Operation *owner) {
  SmallVector<Operation *> members = getMembers(owner);
  for (Operation *op : llvm::reverse(members))
    if (auto anchor = dyn_cast<KernelAnchorOpInterface>(op))
      return anchor;
  return nullptr;
}

bool feedsOnly(Operation *op, Operation *owner) {
  return llvm::all_of(op->getUsers(), [&](Operation *user) { return getOwner(user) == owner; });
}

/// Whether `owner`, an op or a group, writes a state.
static bool writesState(Operation *owner) {
  auto group = dyn_cast<FusedOp>(owner);
  if (!group)
    return writesInPlace(owner);
  return llvm::any_of(group.getBody().front(), [](Operation &member) { return writesInPlace(&member); });
}

/// Whether `value` is that of a state, which an op may overwrite, in any shape.
static bool isState(Value value) {
  Operation *source = value.getDefiningOp();
  while (isa_and_nonnull<ReshapeOp>(source))
    source = source->getOperand(0).getDefiningOp();
  return source && (isa<StateRefOp>(source) || writesState(source));
}

bool canSink(Operation *op, Operation *later) {
  bool reads = false;
  for (Operation *member : getMembers(op)) {
    if (writesInPlace(member))
      return false;
    reads |= llvm::any_of(member->getOperands(), isState);
  }
  if (!reads)
    return true;
  for (Operation *between = op->getNextNode(); between && between != later; between = between->getNextNode())
    if (writesState(between))
      return false;
  return true;
}

/// The group that `owner` is, or a new one around it.
static FusedOp getGroup(RewriterBase &rewriter, Operation *owner) {
  if (auto group = dyn_cast<FusedOp>(owner))
    return group;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(owner);
  auto group = FusedOp::create(rewriter, owner->getLoc(), owner->getResultTypes());
  rewriter.replaceAllUsesWith(owner->getResults(), group.getResults());
  Block *body = rewriter.createBlock(&group.getBody());
  auto yield = YieldOp::create(rewriter, owner->getLoc(), owner->getResults());
  rewriter.moveOpBefore(owner, yield);
  (void)body;
  return group;
}

FusedOp fuseInto(RewriterBase &rewriter, Operation *producer, Operation *owner) {
  FusedOp group = getGroup(rewriter, owner);
  Block &body = group.getBody().front();
  auto inner = dyn_cast<FusedOp>(producer);
  if (!inner) {
    rewriter.moveOpBefore(producer, &body, body.begin());
    return group;
  }
  Operation *yield = inner.getBody().front().getTerminator();
  SmallVector<Value> values(yield->getOperands());
  rewriter.eraseOp(yield);
  rewriter.inlineBlockBefore(&inner.getBody().front(), &body, body.begin());
  rewriter.replaceOp(inner, values);
  return group;
}

FusedOp cloneInto(RewriterBase &rewriter, Operation *producer, Operation *owner) {
  FusedOp group = getGroup(rewriter, owner);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(&group.getBody().front());
  Operation *clone = rewriter.clone(*producer);
  rewriter.replaceUsesWithIf(producer->getResults(), clone->getResults(),
                             [&](OpOperand &use) { return getOwner(use.getOwner()) == group; });
  return group;
}

} // namespace quern
