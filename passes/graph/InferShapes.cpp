//===- InferShapes.cpp - shapes again from the entries' arguments -----------------------------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_INFERSHAPESPASS
#include "passes/Passes.h.inc"

/// Names the unnamed dimensions of `entry`'s arguments: `d0`, `d1`, …, each its own size until something says more.
static void nameArguments(EntryOp entry) {
  llvm::DenseSet<StringAttr> used;
  for (BlockArgument argument : entry.getBody().getArguments())
    for (Dim dim : getDims(getTensorType(argument)))
      if (!dim.isStatic())
        used.insert(dim.name());
  Builder builder(entry);
  int64_t next = 0;
  for (BlockArgument argument : entry.getBody().getArguments()) {
    SmallVector<Dim> dims = getDims(getTensorType(argument));
    for (Dim &dim : dims) {
      if (!dim.isUnnamed())
        continue;
      StringAttr name;
      do
        name = builder.getStringAttr("d" + Twine(next++));
      while (used.contains(name));
      dim = Dim::symbol(name);
    }
    argument.setType(getTensorType(dims, getTensorType(argument).getElementType()));
  }
}

/// `declared` with names from `inferred` for its unnamed dimensions; failure where the two contradict each other.
static FailureOr<RankedTensorType> reconcile(RankedTensorType declared, RankedTensorType inferred) {
  SmallVector<Dim> dims = getDims(declared), other = getDims(inferred);
  if (declared.getElementType() != inferred.getElementType() || dims.size() != other.size())
    return failure();
  for (auto [dim, found] : llvm::zip(dims, other)) {
    if (dim.isUnnamed())
      dim = found;
    else if (dim != found)
      return failure();
  }
  return getTensorType(dims, declared.getElementType());
}

/// Reconciles the type of `value` with `inferred`, or reports.
static LogicalResult refine(Operation *op, Value value, Type inferred) {
  auto declared = cast<RankedTensorType>(value.getType());
  FailureOr<RankedTensorType> type = reconcile(declared, cast<RankedTensorType>(inferred));
  if (failed(type))
    return op->emitOpError("result has type ") << declared << ", expected " << inferred << " from its operands";
  value.setType(*type);
  return success();
}

static LogicalResult inferOp(Operation *op) {
  if (auto shaped = dyn_cast<ShapeOpInterface>(op)) {
    FailureOr<RankedTensorType> type = shaped.inferResult();
    return failed(type) ? failure() : refine(op, op->getResult(0), *type);
  }
  auto inferable = dyn_cast<InferTypeOpInterface>(op);
  if (!inferable)
    return success();
  SmallVector<Type> types;
  if (failed(inferable.inferReturnTypes(op->getContext(), op->getLoc(), op->getOperands(), op->getAttrDictionary(),
                                        op->getPropertiesStorage(), op->getRegions(), types)))
    return failure();
  for (auto [result, type] : llvm::zip_equal(op->getResults(), types))
    if (failed(refine(op, result, type)))
      return failure();
  return success();
}

/// Gives the entry the types of its arguments and of what its body returns.
static LogicalResult inferResults(EntryOp entry) {
  auto exit = cast<ReturnOp>(entry.getBody().front().getTerminator());
  SmallVector<Type> results;
  for (auto [index, declared, value] : llvm::enumerate(entry.getResultTypes(), exit.getOperands())) {
    FailureOr<RankedTensorType> type =
        reconcile(cast<RankedTensorType>(declared), cast<RankedTensorType>(value.getType()));
    if (failed(type))
      return entry.emitOpError("declares result ") << index << " as " << declared << ", found " << value.getType();
    results.push_back(*type);
  }
  Builder builder(entry);
  entry.setFunctionType(builder.getFunctionType(entry.getBody().getArgumentTypes(), results));
  return success();
}

namespace {

struct InferShapesPass : impl::InferShapesPassBase<InferShapesPass> {
  void runOnOperation() override {
    for (EntryOp entry : getOperation().getOps<EntryOp>()) {
      nameArguments(entry);
      bool failedAny = false;
      for (Operation &op : entry.getBody().front())
        failedAny |= failed(inferOp(&op));
      if (failedAny || failed(inferResults(entry)))
        return signalPassFailure();
    }
  }
};

} // namespace

} // namespace quern
