//===- PlanMemory.cpp - entries become programs over one arena --------------------------------===//

#include "passes/Passes.h"
#include "passes/memory/ArenaPlanner.h"
#include "passes/memory/BufferSize.h"

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_PLANMEMORYPASS
#include "passes/Passes.h.inc"

static BufferType getBufferType(Value tensor) {
  return BufferType::get(tensor.getContext(), cast<RankedTensorType>(tensor.getType()));
}

/// The concat that `result`, a call's, is a part of; null where it is none.
static ConcatOp getConcat(Value result) {
  return result.hasOneUse() ? dyn_cast<ConcatOp>(*result.getUsers().begin()) : ConcatOp();
}

/// The operand of the call that `value`, a result of it, is written into; null where it has memory of its own.
static Value getDestination(Value value, SymbolTable &symbols) {
  auto call = value.getDefiningOp<CallOp>();
  if (!call)
    return nullptr;
  auto kernel = symbols.lookup<KernelOp>(call.getKernel());
  BlockArgument destination = kernel.getDestination(cast<OpResult>(value).getResultNumber());
  return destination ? call.getOperands()[destination.getArgNumber()] : Value();
}

/// The value whose memory `value` sees: through reshapes, from parts to their concat, and through kernels that write in
/// place to the state that they write.
static Value getRoot(Value value, SymbolTable &symbols) {
  while (Operation *source = value.getDefiningOp()) {
    if (auto reshape = dyn_cast<ReshapeOp>(source))
      value = reshape.getInput();
    else if (Value destination = getDestination(value, symbols))
      value = destination;
    else if (ConcatOp concat = isa<CallOp>(source) ? getConcat(value) : ConcatOp())
      value = concat;
    else
      break;
  }
  return value;
}

/// The bounds of `entry`'s symbols, `bound` for those without one; reports those that have none where `bound` is 0.
static FailureOr<DictionaryAttr> completeBounds(EntryOp entry, int64_t bound) {
  Builder builder(entry);
  NamedAttrList bounds(entry.getBoundsAttr());
  for (Type type : entry.getArgumentTypes())
    for (Dim dim : getDims(cast<RankedTensorType>(type))) {
      if (dim.isStatic() || bounds.get(dim.name()))
        continue;
      if (bound == 0)
        return entry.emitOpError("dimension `")
               << dim.name().getValue() << "` has no bound; write `" << dim.name().getValue() << " <= N` in the model";
      bounds.set(dim.name(), builder.getI64IntegerAttr(bound));
    }
  return bounds.getDictionary(entry.getContext());
}

/// Checks that no op reads a state after a later op wrote it: the value that it means is gone.
static LogicalResult verifyStateOrder(EntryOp entry, SymbolTable &symbols) {
  // How often each state was written so far, and after how many writes each of its values was taken.
  llvm::DenseMap<StringAttr, int64_t> writes;
  llvm::DenseMap<Value, int64_t> taken;
  for (Operation &op : entry.getBody().front()) {
    if (auto ref = dyn_cast<StateRefOp>(op))
      taken[ref] = writes[ref.getStateAttr().getAttr()];
    else if (auto reshape = dyn_cast<ReshapeOp>(op); reshape && taken.contains(reshape.getInput()))
      taken[reshape] = taken.lookup(reshape.getInput());
    auto call = dyn_cast<CallOp>(op);
    if (!call)
      continue;
    for (Value operand : call.getOperands()) {
      auto state = getRoot(operand, symbols).getDefiningOp<StateRefOp>();
      if (state && taken.lookup(operand) != writes.lookup(state.getStateAttr().getAttr()))
        return call.emitOpError("reads `") << state.getState() << "` as it was before a later op wrote it";
    }
    for (Value result : call.getResults())
      if (auto written = getRoot(result, symbols).getDefiningOp<StateRefOp>())
        taken[result] = ++writes[written.getStateAttr().getAttr()];
  }
  return success();
}

namespace {

/// Plans one entry and writes its program.
class ProgramBuilder {
public:
  ProgramBuilder(EntryOp entry, DictionaryAttr bounds, SymbolTable &symbols)
      : entry(entry), bounds(bounds), symbols(symbols), builder(entry) {}

  /// The program that replaces the entry, or failure after an error.
  FailureOr<ProgramOp> build() {
    FailureOr<ArenaPlan> plan = planBuffers();
    if (failed(plan))
      return failure();
    ProgramOp program = createProgram(plan->bytes);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&program.getBody().front());
    placeResults(program);
    for (Operation &op : entry.getBody().front())
      convert(&op, *plan);
    return program;
  }

private:
  EntryOp entry;
  DictionaryAttr bounds;
  SymbolTable &symbols;
  OpBuilder builder;
  /// Tensors of the entry -> buffers of the program.
  llvm::DenseMap<Value, Value> buffers;
  /// The tensors that live in the arena, in the order of their launches, and where each is in the plan.
  llvm::SetVector<Value> planned;

  ReturnOp getExit() { return cast<ReturnOp>(entry.getBody().front().getTerminator()); }

  /// Finds each tensor that lives in the arena from its launch to its last use, and places it.
  FailureOr<ArenaPlan> planBuffers() {
    llvm::DenseSet<Value> results;
    for (Value value : getExit().getOperands())
      results.insert(getRoot(value, symbols));
    llvm::DenseMap<Value, Lifetime> lifetimes;
    for (auto [step, op] : llvm::enumerate(entry.getBody().front())) {
      auto call = dyn_cast<CallOp>(op);
      if (!call)
        continue;
      for (Value operand : call.getOperands())
        if (auto place = lifetimes.find(getRoot(operand, symbols)); place != lifetimes.end())
          place->second.last = step;
      for (Value given : call.getResults()) {
        Value result = getRoot(given, symbols);
        if (auto place = lifetimes.find(result); place != lifetimes.end())
          place->second.last = step;
        if (results.contains(result) || lifetimes.contains(result) ||
            !isa_and_nonnull<CallOp, ConcatOp>(result.getDefiningOp()))
          continue;
        FailureOr<int64_t> bytes = getBufferBytes(cast<RankedTensorType>(result.getType()), bounds, call);
        if (failed(bytes))
          return failure();
        planned.insert(result);
        lifetimes[result] = {*bytes, int64_t(step), int64_t(step)};
      }
    }
    return planArena(llvm::map_to_vector(planned, [&](Value value) { return lifetimes.lookup(value); }));
  }

  ProgramOp createProgram(int64_t arenaBytes) {
    SmallVector<Type> arguments;
    for (Type type : llvm::concat<const Type>(entry.getArgumentTypes(), entry.getResultTypes()))
      arguments.push_back(BufferType::get(entry.getContext(), cast<RankedTensorType>(type)));
    auto program = ProgramOp::create(
        builder, entry.getLoc(), entry.getSymNameAttr(), TypeAttr::get(builder.getFunctionType(arguments, {})),
        builder.getI64IntegerAttr(arenaBytes), entry.getArgNamesAttr(), entry.getResultNamesAttr(),
        bounds.empty() ? DictionaryAttr() : bounds, entry.getVariantOfAttr(), entry.getWhenAttr(),
        entry.getArgAttrsAttr(), /*res_attrs=*/ArrayAttr());
    Block *body = new Block();
    program.getBody().push_back(body);
    for (Type type : arguments)
      body->addArgument(type, entry.getLoc());
    for (auto [tensor, buffer] : llvm::zip(entry.getBody().getArguments(), body->getArguments()))
      buffers[tensor] = buffer;
    return program;
  }

  /// Lets the kernels that compute results write into the program's arguments.
  void placeResults(ProgramOp program) {
    auto results = program.getBody().getArguments().drop_front(entry.getNumArguments());
    for (auto [value, buffer] : llvm::zip_equal(getExit().getOperands(), results)) {
      Value root = getRoot(value, symbols);
      buffers[root] = seenAs(buffer, getBufferType(root));
    }
  }

  /// `buffer` as type `type`.
  Value seenAs(Value buffer, BufferType type) {
    return buffer.getType() == type ? buffer : AliasOp::create(builder, entry.getLoc(), type, buffer);
  }

  void convert(Operation *op, const ArenaPlan &plan) {
    Location loc = op->getLoc();
    if (auto param = dyn_cast<ParamOp>(op))
      buffers[param] = ParamBufferOp::create(builder, loc, getBufferType(param), param.getParameter());
    else if (auto state = dyn_cast<StateRefOp>(op))
      buffers[state] = StateBufferOp::create(builder, loc, getBufferType(state), state.getState());
    else if (auto reshape = dyn_cast<ReshapeOp>(op))
      buffers[reshape] = seenAs(buffers.lookup(reshape.getInput()), getBufferType(reshape));
    else if (auto call = dyn_cast<CallOp>(op))
      convertCall(call, plan);
    else if (isa<ReturnOp>(op))
      EndOp::create(builder, loc);
  }

  /// The buffer of `value`, made where there is none yet.
  Value getBuffer(Value value, const ArenaPlan &plan) {
    if (Value known = buffers.lookup(value))
      return known;
    size_t index = std::distance(planned.begin(), llvm::find(planned, value));
    auto type = cast<RankedTensorType>(value.getType());
    return buffers[value] = ArenaOp::create(builder, value.getLoc(), getBufferType(value), plan.offsets[index],
                                            *getBufferBytes(type, bounds, value.getDefiningOp()));
  }

  /// The memory of `value`, one of the inputs of `concat`, in that of the whole.
  Value createPart(Value value, ConcatOp concat, Value whole) {
    int64_t offset = 0;
    for (Value input : concat.getInputs()) {
      if (input == value)
        break;
      offset += cast<RankedTensorType>(input.getType()).getDimSize(concat.getAxis());
    }
    return PartOp::create(builder, value.getLoc(), getBufferType(value), whole, concat.getAxis(), offset);
  }

  /// The memory that the call of `result` writes.
  Value placeResult(Value result, const ArenaPlan &plan) {
    if (Value destination = getDestination(result, symbols))
      return buffers.lookup(destination);
    if (ConcatOp concat = getConcat(result))
      return createPart(result, concat, getBuffer(getRoot(concat, symbols), plan));
    return getBuffer(result, plan);
  }

  void convertCall(CallOp call, const ArenaPlan &plan) {
    SmallVector<Value> inputs, outputs;
    auto kernel = symbols.lookup<KernelOp>(call.getKernel());
    for (BlockArgument argument : kernel.getInputArguments())
      inputs.push_back(buffers.lookup(call.getOperands()[argument.getArgNumber()]));
    for (Value result : call.getResults())
      outputs.push_back(buffers[result] = placeResult(result, plan));
    LaunchOp::create(builder, call.getLoc(), call.getKernel(), inputs, outputs);
  }
};

struct PlanMemoryPass : impl::PlanMemoryPassBase<PlanMemoryPass> {
  using PlanMemoryPassBase::PlanMemoryPassBase;

  void runOnOperation() override {
    if (bound < 0 || bound > INT32_MAX) {
      getOperation().emitError() << "option `bound` is " << int64_t(bound) << ", expected 0 to " << INT32_MAX;
      return signalPassFailure();
    }
    SymbolTable symbols(getOperation());
    for (EntryOp entry : llvm::to_vector(getOperation().getOps<EntryOp>())) {
      FailureOr<DictionaryAttr> bounds = completeBounds(entry, bound);
      if (failed(bounds) || failed(verifyCalls(entry)) || failed(verifyStateOrder(entry, symbols)))
        return signalPassFailure();
      FailureOr<ProgramOp> program = ProgramBuilder(entry, *bounds, symbols).build();
      if (failed(program))
        return signalPassFailure();
      entry.erase();
      arenaBytes.updateMax(program->getArenaBytes());
    }
  }

private:
  /// Checks that `entry` is what outlining leaves.
  static LogicalResult verifyCalls(EntryOp entry) {
    for (Operation &op : entry.getBody().front())
      if (!isa<ParamOp, StateRefOp, ReshapeOp, ConcatOp, CallOp, ReturnOp>(op))
        return op.emitOpError("is not outlined; expected only calls, reshapes, concats, parameters and states");
    return success();
  }
};

} // namespace

} // namespace quern
