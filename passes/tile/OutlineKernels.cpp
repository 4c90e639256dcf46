//===- OutlineKernels.cpp - groups and single ops become kernels ------------------------------===//

#include "passes/Passes.h"

#include "dialect/Destination.h"
#include "dialect/Ops.h"
#include "dialect/Origin.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "passes/Passes.h.inc"

/// Whether no kernel is made of `op`.
static bool staysInEntry(Operation *op) { return op->hasTrait<NamesMemory>() || isa<ReturnOp>(op); }

/// The ops that the kernel made of `op` computes.
static SmallVector<Operation *> getComputation(Operation *op) {
  auto group = dyn_cast<FusedOp>(op);
  if (!group)
    return {op};
  return llvm::map_to_vector(group.getBody().front().without_terminator(), [](Operation &inner) { return &inner; });
}

/// The last anchor among `ops`, or null; what precedes it is its prologue.
static KernelAnchorOpInterface getAnchor(ArrayRef<Operation *> ops) {
  for (Operation *op : llvm::reverse(ops))
    if (auto anchor = dyn_cast<KernelAnchorOpInterface>(op))
      return anchor;
  return nullptr;
}

/// Where `ops` come from, each under its name: first the anchor, or the last one where there is none.
static Location getOrigin(ArrayRef<Operation *> ops) {
  auto nameOf = [](Operation *op) { return nameOp(op->getLoc(), op->getName().stripDialect()); };
  auto anchor = getAnchor(ops);
  SmallVector<Location> locations = {nameOf(anchor ? anchor.getOperation() : ops.back())};
  for (Operation *op : ops) {
    locations.push_back(nameOf(op));
    // The body of a map says which elementwise ops it was.
    op->walk([&](Operation *scalar) {
      if (scalar != op && !scalar->hasTrait<OpTrait::IsTerminator>())
        locations.push_back(nameOp(scalar->getLoc(), op->getName().stripDialect()));
    });
  }
  return FusedLoc::get(ops.front()->getContext(), locations);
}

/// Whether one of `ops` gives `value`.
static bool isComputed(Value value, ArrayRef<Operation *> ops) {
  return value.getDefiningOp() && llvm::is_contained(ops, value.getDefiningOp());
}

/// What a kernel of `ops` takes from outside: the states that it writes, then the rest in the order of first use.
/// Literals are in `literals`.
static SmallVector<Value> getInputs(ArrayRef<Operation *> ops, llvm::SetVector<Operation *> &literals) {
  llvm::SetVector<Value> inputs;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (OpOperand *destination = getDestination(result); destination && !isComputed(destination->get(), ops))
        inputs.insert(destination->get());
  for (Operation *op : ops) {
    for (Value operand : op->getOperands()) {
      if (isComputed(operand, ops))
        continue;
      if (Operation *source = operand.getDefiningOp(); isa_and_nonnull<ConstantOp>(source))
        literals.insert(source);
      else
        inputs.insert(operand);
    }
  }
  return inputs.takeVector();
}

/// The values that the kernel made of `op` gives.
static SmallVector<Value> getYielded(Operation *op) {
  auto group = dyn_cast<FusedOp>(op);
  return group ? SmallVector<Value>(group.getBody().front().getTerminator()->getOperands())
               : SmallVector<Value>(op->getResults());
}

/// Says how those of `inputs` that are parameters lie; null where none has a packing.
static ArrayAttr getArgAttrs(Builder &builder, ArrayRef<Value> inputs, const SymbolTable &symbols) {
  auto describe = [&](Value input) -> Attribute {
    auto param = input.getDefiningOp<ParamOp>();
    PackingAttr packing = param ? symbols.lookup<ParameterOp>(param.getParameter()).getPackingAttr() : PackingAttr();
    if (!packing)
      return builder.getDictionaryAttr({});
    return builder.getDictionaryAttr(builder.getNamedAttr(KernelOp::packingName, packing));
  };
  SmallVector<Attribute> attributes = llvm::map_to_vector(inputs, describe);
  bool isPlain = llvm::all_of(attributes, [](Attribute attribute) { return cast<DictionaryAttr>(attribute).empty(); });
  return isPlain ? nullptr : builder.getArrayAttr(attributes);
}

/// Says which tensors the results of `op` are parts of, where a concat reads them; null where none does.
static ArrayAttr getResAttrs(Builder &builder, Operation *op) {
  bool isPart = false;
  auto describe = [&](Value result) -> Attribute {
    auto concat = result.hasOneUse() ? dyn_cast<ConcatOp>(*result.getUsers().begin()) : ConcatOp();
    if (!concat)
      return builder.getDictionaryAttr({});
    isPart = true;
    return builder.getDictionaryAttr(
        builder.getNamedAttr(KernelOp::partOfName, TypeAttr::get(concat.getResult().getType())));
  };
  SmallVector<Attribute> attributes = llvm::map_to_vector(op->getResults(), describe);
  return isPart ? builder.getArrayAttr(attributes) : nullptr;
}

/// Moves `op` into a kernel of its own, before `entry`, and calls it.
static void outline(Operation *op, EntryOp entry, SymbolTable &symbols) {
  SmallVector<Operation *> ops = getComputation(op);
  llvm::SetVector<Operation *> literals;
  SmallVector<Value> inputs = getInputs(ops, literals);

  OpBuilder builder(entry);
  auto type = builder.getFunctionType(ValueRange(inputs).getTypes(), op->getResultTypes());
  // The anchor knows its form once arguments say how parameters lie.
  auto form = KernelFormAttr::get(op->getContext(), KernelOp::formWithoutAnchor);
  Location origin = getOrigin(ops);
  auto kernel = KernelOp::create(builder, origin, builder.getStringAttr("kernel"), TypeAttr::get(type), form,
                                 /*schedule=*/ScheduleAttr(), builder.getStringAttr("private"),
                                 getArgAttrs(builder, inputs, symbols), getResAttrs(builder, op));
  Block *body = builder.createBlock(&kernel.getBody());
  IRMapping mapping;
  for (Value input : inputs)
    mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
  for (Operation *literal : literals)
    builder.clone(*literal, mapping);
  for (Operation *inner : ops)
    builder.clone(*inner, mapping);
  auto inKernel = [&](Value value) { return mapping.lookup(value); };
  YieldOp::create(builder, op->getLoc(), llvm::map_to_vector(getYielded(op), inKernel));

  if (auto anchor = getAnchor(llvm::map_to_vector(body->without_terminator(), [](Operation &inner) { return &inner; })))
    kernel.setForm(anchor.getKernelForm());

  kernel->remove();
  symbols.insert(kernel, entry->getIterator());
  builder.setInsertionPoint(op);
  auto call = CallOp::create(builder, origin, op->getResultTypes(), kernel.getSymName(), inputs);
  op->replaceAllUsesWith(call);
  op->erase();
}

/// The value whose memory `value` sees, through reshapes.
static Value getRoot(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getInput();
  return value;
}

/// Whether `root` is written by a kernel that may write it straight into a result.
static bool isOwnResult(Value root) {
  Operation *source = root.getDefiningOp();
  if (isa_and_nonnull<ConcatOp>(source))
    return true;
  if (!source || staysInEntry(source))
    return false;
  return !getDestination(getYielded(source)[cast<OpResult>(root).getResultNumber()]);
}

/// Copies each returned value that no kernel computes for this result alone.
static void copySharedResults(EntryOp entry) {
  auto exit = cast<ReturnOp>(entry.getBody().front().getTerminator());
  OpBuilder builder(exit);
  llvm::DenseSet<Value> taken;
  for (OpOperand &operand : exit->getOpOperands()) {
    Value root = getRoot(operand.get());
    if (isOwnResult(root) && taken.insert(root).second)
      continue;
    auto type = cast<RankedTensorType>(operand.get().getType());
    auto copy = MapOp::create(builder, exit.getLoc(), type, operand.get());
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&copy.getBody());
    YieldOp::create(builder, exit.getLoc(), Value(body->addArgument(type.getElementType(), exit.getLoc())));
    operand.set(copy);
  }
}

namespace {

struct OutlineKernelsPass : impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (EntryOp entry : llvm::to_vector(getOperation().getOps<EntryOp>())) {
      copySharedResults(entry);
      for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
        if (staysInEntry(&op))
          continue;
        outline(&op, entry, symbols);
      }
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(entry.getBody().front())))
        if (op.hasTrait<NamesMemory>() && op.use_empty())
          op.erase();
    }
  }
};

} // namespace

} // namespace quern
