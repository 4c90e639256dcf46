//===- KernelWork.cpp - what one launch of a kernel reads, writes and computes ----------------===//

#include "dialect/KernelWork.h"

#include "dialect/PackedLayout.h"
#include "dialect/Shapes.h"

using namespace mlir;

namespace quern {

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static int64_t getElementBytes(Type element) {
  return isa<PositionType>(element) ? positionFields * 4 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

/// The bytes of a whole tensor; in its `layout` where it is a packed parameter.
static WorkTerm getWhole(RankedTensorType type, FailureOr<PackedLayout> layout = failure()) {
  if (succeeded(layout))
    return {layout->weightBytes(type.getDimSize(0), type.getDimSize(1)), {}};
  return multiply(getElementBytes(type.getElementType()), getDims(type));
}

/// The bytes of `elements` of `argument`, in its `layout` where it is a packed parameter.
static WorkTerm getBytes(BlockArgument argument, FailureOr<PackedLayout> layout, WorkTerm elements) {
  RankedTensorType type = tensorOf(argument);
  int64_t all = std::max<int64_t>(multiply(1, getDims(type)).count, 1);
  elements.count = static_cast<int64_t>(static_cast<__int128>(elements.count) * getWhole(type, layout).count / all);
  return elements;
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

/// Adds what the kernel reads of `argument`: what each op reads that uses it, or all of it where one does.
static void addRead(llvm::SmallVector<WorkTerm> &terms, BlockArgument argument) {
  FailureOr<PackedLayout> layout = getPackedLayout(argument);
  llvm::SmallDenseMap<Operation *, WorkTerm> reads;
  for (OpOperand &use : argument.getUses()) {
    auto reader = dyn_cast<KernelOpInterface>(use.getOwner());
    std::optional<WorkTerm> elements = reader ? reader.getElementsRead(use) : std::nullopt;
    if (!elements)
      return add(terms, getWhole(tensorOf(argument), layout));
    reads[use.getOwner()] = *elements;
  }
  for (Operation &op : *argument.getOwner())
    if (auto read = reads.find(&op); read != reads.end())
      add(terms, getBytes(argument, layout, read->second));
}

llvm::StringRef getArithmetic(KernelOp kernel) {
  auto anchor = dyn_cast_or_null<KernelAnchorOpInterface>(kernel.getAnchor());
  return anchor ? anchor.getArithmetic() : "f32";
}

KernelWork getWork(KernelOp kernel) {
  KernelWork work;
  Block &body = kernel.getBody().front();
  for (BlockArgument argument : body.getArguments())
    addRead(work.bytes, argument);
  // What is written in place is an argument, of which what is touched is counted.
  for (auto [i, type] : llvm::enumerate(kernel.getResultTypes()))
    if (!kernel.getDestination(i))
      add(work.bytes, getWhole(cast<RankedTensorType>(type)));
  for (Operation &op : body)
    if (auto computed = dyn_cast<KernelOpInterface>(op))
      for (const WorkTerm &term : computed.getOperations())
        add(work.operations, term);
  return work;
}

} // namespace quern
