//===- FuseRouting.cpp - what is between scores and chosen weights becomes one kernel ---------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"

#include "dialect/Ops.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_FUSEROUTINGPASS
#include "passes/Passes.h.inc"

/// The most numbers of one row in a kernel of routing.
static constexpr int64_t maxRow = 4096;

/// Whether `op` may stand in a kernel of routing: what precedes other anchors, or belongs to none, and computes little
/// of little.
static bool isSmall(Operation *op) {
  auto anchor = dyn_cast<KernelAnchorOpInterface>(op);
  if (op->getNumOperands() == 0 || (anchor ? !anchor.mayPrecede() : !isa<KernelOpInterface>(op)))
    return false;
  if (llvm::any_of(op->getOperands(), [](Value operand) { return operand.getDefiningOp<StateRefOp>(); }))
    return false;
  return llvm::all_of(op->getResults(), [](Value result) {
    int64_t row = 1;
    for (int64_t size : getTensorType(result).getShape())
      row *= ShapedType::isDynamic(size) ? 1 : size;
    return row <= maxRow && getTensorType(result).getElementType().isIntOrFloat();
  });
}

namespace {

/// What becomes one kernel with an op that orders slots.
class Router {
public:
  explicit Router(GroupRowsOp anchor) : anchor(anchor) {}

  void fuse() {
    addSources();
    addReaders();
    while (removeEarlyRead())
      ;
    if (members.size() < 2)
      return;
    remarkFused(anchor, "what is between scores and products by chosen weights is one kernel");
    group();
  }

private:
  /// The ops that the choices are computed by, down to the scores.
  void addSources() {
    members.insert(anchor);
    SmallVector<Operation *> pending = {anchor};
    while (!pending.empty())
      for (Value operand : pending.pop_back_val()->getOperands()) {
        Operation *source = operand.getDefiningOp();
        if (source && source->getBlock() == anchor->getBlock() && isSmall(source) && members.insert(source))
          pending.push_back(source);
      }
  }

  /// The ops on what the members but the anchor give, whose other operands are there before the order is.
  void addReaders() {
    for (Operation *op = &anchor->getBlock()->front(); op; op = op->getNextNode()) {
      auto isMember = [&](Value operand) {
        return operand.getDefiningOp() != anchor && members.contains(operand.getDefiningOp());
      };
      auto isThere = [&](Value operand) {
        Operation *source = operand.getDefiningOp();
        return !source || isMember(operand) || source->isBeforeInBlock(anchor);
      };
      if (!members.contains(op) && isSmall(op) && llvm::any_of(op->getOperands(), isMember) &&
          llvm::all_of(op->getOperands(), isThere))
        members.insert(op);
    }
  }

  /// Removes a member that another op reads before the order is there; false where there is none.
  bool removeEarlyRead() {
    auto isEarly = [&](Operation *user) { return !members.contains(user) && user->isBeforeInBlock(anchor); };
    for (Operation *op : members)
      if (op != anchor && llvm::any_of(op->getUsers(), isEarly)) {
        members.remove(op);
        return true;
      }
    return false;
  }

  /// Moves the members into a group in the place of the anchor, which is the last of them: no other one reads it.
  void group() {
    SmallVector<Operation *> ops(members.begin(), members.end());
    llvm::sort(ops, [&](Operation *a, Operation *b) { return a != anchor && (b == anchor || a->isBeforeInBlock(b)); });
    SmallVector<Value> results;
    for (Operation *op : ops)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !members.contains(user); }))
          results.push_back(result);
    OpBuilder builder(anchor);
    auto fused = FusedOp::create(builder, anchor.getLoc(), ValueRange(results).getTypes());
    Block *body = builder.createBlock(&fused.getBody());
    for (Operation *op : ops)
      op->moveBefore(body, body->end());
    builder.setInsertionPointToEnd(body);
    auto yield = YieldOp::create(builder, anchor.getLoc(), results);
    for (auto [value, result] : llvm::zip_equal(results, fused.getResults()))
      value.replaceUsesWithIf(
          result, [&](OpOperand &use) { return use.getOwner() != yield && !members.contains(use.getOwner()); });
  }

  GroupRowsOp anchor;
  llvm::SetVector<Operation *> members;
};

struct FuseRoutingPass : impl::FuseRoutingPassBase<FuseRoutingPass> {
  void runOnOperation() override {
    for (EntryOp entry : getOperation().getOps<EntryOp>())
      for (GroupRowsOp anchor : llvm::to_vector(entry.getBody().front().getOps<GroupRowsOp>()))
        Router(anchor).fuse();
  }
};

} // namespace

} // namespace quern
