//===- KernelWork.cpp - what one launch of a kernel reads, writes and computes ----------------===//

#include "codegen/KernelWork.h"

#include "dialect/PackedLayout.h"
#include "dialect/Shapes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace quern::codegen {

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The product of `dims`, times `count`.
static WorkTerm multiply(int64_t count, ArrayRef<Dim> dims) {
  WorkTerm term = {count, {}};
  for (const Dim &dim : dims) {
    if (dim.isStatic())
      term.count *= dim.size();
    else
      term.sizes.push_back(dim.name().getValue());
  }
  return term;
}

static int64_t getElementBytes(Type element) {
  return isa<PositionType>(element) ? positionFields * 4 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

/// A whole tensor; in its `layout` where it is a packed parameter.
static WorkTerm getWhole(RankedTensorType type, FailureOr<PackedLayout> layout = failure()) {
  if (succeeded(layout))
    return {layout->weightBytes(type.getDimSize(0), type.getDimSize(1)), {}};
  return multiply(getElementBytes(type.getElementType()), getDims(type));
}

/// As many rows of `table` as `rows` has elements.
static WorkTerm getRows(RankedTensorType table, FailureOr<PackedLayout> layout, ArrayRef<Dim> rows) {
  WorkTerm whole = getWhole(table, layout);
  return multiply(whole.count / std::max<int64_t>(table.getDimSize(0), 1), rows);
}

/// What the kernel reads of an argument: what its first user does. A cache is read as far as it is in use.
static WorkTerm getRead(BlockArgument argument, FailureOr<PackedLayout> layout) {
  RankedTensorType type = tensorOf(argument);
  WorkTerm whole = getWhole(type, layout);
  if (argument.use_empty())
    return whole;
  return llvm::TypeSwitch<Operation *, WorkTerm>(*argument.user_begin())
      .Case([&](GatherOp gather) {
        return argument == gather.getTable() ? getRows(type, layout, getDims(tensorOf(gather.getIndices()))) : whole;
      })
      .Case([&](RopeOp rope) {
        return argument == rope.getTable() ? getRows(type, layout, getDims(tensorOf(rope.getAt()))) : whole;
      })
      .Case([&](CacheAppendOp append) {
        return argument == append.getCache() ? getRows(type, layout, getDims(tensorOf(append.getAt()))) : whole;
      })
      .Case([&](AttendOp attend) {
        if (argument != attend.getKeys() && argument != attend.getValues())
          return whole;
        WorkTerm row = getRows(type, layout, {});
        return WorkTerm{row.count, {visibleRows}};
      })
      .Default([&](Operation *) { return whole; });
}

/// The operations of one op of the body.
static llvm::SmallVector<WorkTerm> getOperations(Operation *op) {
  using Terms = llvm::SmallVector<WorkTerm>;
  return llvm::TypeSwitch<Operation *, Terms>(op)
      .Case([](MatmulOp matmul) {
        // A product and a sum per column of each element.
        return Terms{multiply(2 * tensorOf(matmul.getWeight()).getDimSize(1), getDims(tensorOf(matmul.getResult())))};
      })
      .Case([](Conv2dOp conv) {
        // A product and a sum per element of the window, in kernels' layout.
        return Terms{multiply(2 * tensorOf(conv.getWeight()).getDimSize(1), getDims(tensorOf(conv.getResult())))};
      })
      .Case([](WinogradOp winograd) {
        // A product and a sum per point of each tile and channel; transforms are not counted.
        SmallVector<Dim> tiles = getDims(tensorOf(winograd.getResult()));
        for (int64_t axis = 0; axis < 2; ++axis)
          tiles[1 + axis] = Dim::fixed(llvm::divideCeil(tiles[1 + axis].size(), winograd.getTile()[axis]));
        return Terms{multiply(2 * tensorOf(winograd.getWeight()).getDimSize(1), tiles)};
      })
      .Case([](AttendOp attend) {
        // Scores and the weighted sum: a product and a sum per element of query and result, for each row that the token sees.
        // The last of s tokens in a row sees all in use, the first s - 1 fewer: s · rows - s · (s - 1) / 2 in all.
        SmallVector<Dim> dims = getDims(tensorOf(attend.getResult())), squared = dims;
        squared.push_back(dims.front());
        WorkTerm all = multiply(4, dims);
        all.sizes.push_back(visibleRows);
        return Terms{all, multiply(-2, squared), multiply(2, dims)};
      })
      .Case([](MapOp map) {
        int64_t count = 0;
        for (Operation &scalar : map.getBody().front().without_terminator())
          count += scalar.getNumOperands() != 0;
        return Terms{multiply(count, getDims(tensorOf(map.getResult())))};
      })
      .Default([](Operation *) { return Terms(); });
}

/// Adds `term` to those with the same sizes.
static void add(llvm::SmallVector<WorkTerm> &terms, const WorkTerm &term) {
  if (term.count == 0)
    return;
  for (WorkTerm &other : terms)
    if (other.sizes == term.sizes) {
      other.count += term.count;
      return;
    }
  terms.push_back(term);
}

/// Adds what the kernel reads of an argument: slices, where it only reads those.
static void addRead(llvm::SmallVector<WorkTerm> &terms, BlockArgument argument, FailureOr<PackedLayout> layout) {
  if (argument.use_empty() || !llvm::all_of(argument.getUsers(), llvm::IsaPred<SliceOp>))
    return add(terms, getRead(argument, layout));
  for (Operation *slice : argument.getUsers())
    add(terms, getWhole(tensorOf(slice->getResult(0))));
}

llvm::StringRef getArithmetic(KernelOp kernel) {
  Operation *anchor = kernel.getAnchor();
  if (!isa_and_nonnull<MatmulOp, Conv2dOp, AttendOp>(anchor))
    return "f32";
  // Both sides are alike: blocks of integers, or pairs of bf16.
  Type left = tensorOf(anchor->getOperand(0)).getElementType();
  return isa<BlockType>(left) ? "i8" : left.isBF16() ? "bf16" : "f32";
}

KernelWork getWork(KernelOp kernel) {
  KernelWork work;
  Block &body = kernel.getBody().front();
  for (BlockArgument argument : body.getArguments())
    addRead(work.bytes, argument, getPackedLayout(argument));
  // An append writes the rows of its first argument, which are counted.
  if (kernel.getForm() != KernelForm::Append)
    for (Type result : kernel.getResultTypes())
      add(work.bytes, getWhole(cast<RankedTensorType>(result)));
  for (Operation &op : body)
    for (const WorkTerm &term : getOperations(&op))
      add(work.operations, term);
  return work;
}

} // namespace quern::codegen
