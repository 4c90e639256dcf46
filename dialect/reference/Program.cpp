//===- Program.cpp - evaluation of planned programs -------------------------------------------===//

#include "dialect/reference/Evaluator.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace quern {

/// One run of a program over an arena. The arena starts as 0xff bytes (NaN for floats), so that a read of memory which
/// no launch has filled shows in the results.
class Evaluator::ProgramRun {
public:
  ProgramRun(Evaluator &evaluator, ProgramOp program, SymbolSizes sizes)
      : evaluator(evaluator), program(program), sizes(std::move(sizes)), arena(program.getArenaBytes(), 0xff) {}

  FailureOr<SmallVector<Tensor>> run(ArrayRef<Tensor> inputs);

private:
  /// What a buffer views: bytes of the arena, a state, a tensor of its own (an argument or a parameter), or a part of
  /// another buffer.
  struct View {
    RankedTensorType type = {};
    int64_t arenaOffset = -1;
    StateOp state = {};
    unsigned tensor = 0;
    PartOp part = {};
  };

  LogicalResult step(Operation &op);
  LogicalResult launch(LaunchOp launch);
  LogicalResult define(Operation &op, View view);
  FailureOr<Tensor> load(Operation &op, const View &view);
  LogicalResult store(Operation &op, const View &view, const Tensor &value);
  LogicalResult storePart(Operation &op, PartOp part, const Tensor &value);
  /// The bytes of the arena that `view` covers.
  FailureOr<MutableArrayRef<uint8_t>> getArena(Operation &op, const View &view);

  Evaluator &evaluator;
  ProgramOp program;
  SymbolSizes sizes;
  std::vector<uint8_t> arena;
  SmallVector<Tensor> tensors;
  llvm::DenseMap<Value, View> views;
};

/// Records the view that `op` defines, with its type's sizes put in.
LogicalResult Evaluator::ProgramRun::define(Operation &op, View view) {
  RankedTensorType type = cast<BufferType>(op.getResult(0).getType()).getTensor();
  FailureOr<RankedTensorType> resolved = resolveType(type, sizes);
  if (failed(resolved))
    return op.emitError("a dimension of ") << type << " has no size: no argument has it";
  view.type = *resolved;
  views[op.getResult(0)] = view;
  return success();
}

FailureOr<MutableArrayRef<uint8_t>> Evaluator::ProgramRun::getArena(Operation &op, const View &view) {
  FailureOr<int64_t> bytes = getStorageBytes(view.type);
  int64_t size = arena.size();
  if (failed(bytes) || view.arenaOffset > size || *bytes > size - view.arenaOffset)
    return op.emitError("buffer of ") << view.type << " at offset " << view.arenaOffset << " leaves the arena of "
                                      << size << " bytes";
  return MutableArrayRef(arena).slice(view.arenaOffset, *bytes);
}

FailureOr<Tensor> Evaluator::ProgramRun::load(Operation &op, const View &view) {
  if (view.part)
    return op.emitError("reads a part of a buffer; expected only writes");
  if (view.state)
    return evaluator.getState(view.state);
  if (view.arenaOffset < 0)
    return tensors[view.tensor].withType(view.type);
  FailureOr<MutableArrayRef<uint8_t>> bytes = getArena(op, view);
  return failed(bytes) ? FailureOr<Tensor>() : Tensor::fromBytes(view.type, *bytes);
}

LogicalResult Evaluator::ProgramRun::store(Operation &op, const View &view, const Tensor &value) {
  if (value.getBytes().size() != size_t(*getStorageBytes(view.type)))
    return op.emitError("found a result of type ") << value.getType() << ", expected " << view.type;
  if (view.part)
    return storePart(op, view.part, value);
  if (view.state) {
    evaluator.setState(view.state, value);
    return success();
  }
  if (view.arenaOffset < 0) {
    tensors[view.tensor] = value.withType(tensors[view.tensor].getType());
    return success();
  }
  FailureOr<MutableArrayRef<uint8_t>> bytes = getArena(op, view);
  if (succeeded(bytes))
    llvm::copy(value.getBytes(), bytes->begin());
  return bytes;
}

LogicalResult Evaluator::ProgramRun::storePart(Operation &op, PartOp part, const Tensor &value) {
  View source = views[part.getSource()];
  FailureOr<Tensor> whole = load(op, source);
  if (failed(whole))
    return failure();
  int64_t outer = 1, axis = part.getAxis();
  for (int64_t size : value.getShape().take_front(axis))
    outer *= size;
  int64_t to = outer == 0 ? 0 : whole->getBytes().size() / outer,
          from = outer == 0 ? 0 : value.getBytes().size() / outer;
  int64_t skipped = from / std::max<int64_t>(value.getShape()[axis], 1) * part.getOffset();
  for (int64_t i = 0; i < outer; ++i)
    llvm::copy(value.getBytes().slice(i * from, from), whole->getMutableBytes().begin() + i * to + skipped);
  return store(op, source, *whole);
}

LogicalResult Evaluator::ProgramRun::launch(LaunchOp launch) {
  auto kernel = evaluator.symbols.lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
  if (!kernel)
    return launch.emitError("no kernel named `") << launch.getKernel() << "`";
  // An argument that is written is the output.
  SmallVector<Value> operands(kernel.getNumArguments());
  for (auto [argument, input] : llvm::zip_equal(kernel.getInputArguments(), launch.getInputs()))
    operands[argument.getArgNumber()] = input;
  for (auto [i, output] : llvm::enumerate(launch.getOutputs()))
    if (BlockArgument destination = kernel.getDestination(i))
      operands[destination.getArgNumber()] = output;
  SmallVector<Tensor> arguments;
  for (Value operand : operands) {
    FailureOr<Tensor> argument = load(*launch, views[operand]);
    if (failed(argument))
      return failure();
    arguments.push_back(*argument);
  }
  FailureOr<SmallVector<Tensor>> results = evaluator.evaluateKernel(kernel, arguments);
  if (failed(results))
    return failure();
  for (auto [output, result] : llvm::zip_equal(launch.getOutputs(), *results))
    if (failed(store(*launch, views[output], result)))
      return failure();
  return success();
}

LogicalResult Evaluator::ProgramRun::step(Operation &op) {
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](LaunchOp op) { return launch(op); })
      .Case([&](ArenaOp op) { return define(*op, {.arenaOffset = int64_t(op.getOffset())}); })
      .Case([&](AliasOp op) { return define(*op, views[op.getSource()]); })
      .Case([&](PartOp op) { return define(*op, {.part = op}); })
      .Case([&](StateBufferOp op) {
        auto state = evaluator.symbols.lookupNearestSymbolFrom<StateOp>(op, op.getStateAttr());
        return define(*op, {.state = state});
      })
      .Case([&](ParamBufferOp op) -> LogicalResult {
        auto parameter = evaluator.symbols.lookupNearestSymbolFrom<ParameterOp>(op, op.getParameterAttr());
        FailureOr<Tensor> value = evaluator.evaluateParameter(parameter);
        if (failed(value))
          return failure();
        tensors.push_back(*value);
        return define(*op, {.tensor = unsigned(tensors.size() - 1)});
      })
      .Case<EndOp>([](auto) { return success(); })
      .Default([](Operation *op) { return op->emitError("the reference evaluator has no meaning for this op"); });
}

FailureOr<SmallVector<Tensor>> Evaluator::ProgramRun::run(ArrayRef<Tensor> inputs) {
  Block &body = program.getBody().front();
  llvm::append_range(tensors, inputs);
  for (BlockArgument result : body.getArguments().drop_front(inputs.size())) {
    RankedTensorType type = cast<BufferType>(result.getType()).getTensor();
    FailureOr<RankedTensorType> resolved = resolveType(type, sizes);
    FailureOr<Tensor> zeros;
    if (succeeded(resolved))
      zeros = Tensor::zeros(*resolved);
    if (failed(zeros))
      return program.emitError("a dimension of ") << type << " has no size: no argument has it";
    tensors.push_back(*zeros);
  }
  for (auto [i, argument] : llvm::enumerate(body.getArguments()))
    views[argument] = {.type = tensors[i].getType(), .tensor = unsigned(i)};
  for (Operation &op : body)
    if (failed(step(op)))
      return failure();
  return SmallVector<Tensor>(ArrayRef(tensors).slice(inputs.size(), program.getNumResultBuffers()));
}

FailureOr<SmallVector<Tensor>> Evaluator::evaluateProgram(ProgramOp program, ArrayRef<Tensor> inputs) {
  SymbolSizes sizes;
  SmallVector<RankedTensorType> formals;
  for (Type type : program.getInputTypes())
    formals.push_back(cast<RankedTensorType>(type));
  if (failed(bindSizes(program, formals, inputs, sizes)) ||
      failed(checkBounds(program, program.getBoundsAttr(), sizes)))
    return failure();
  return ProgramRun(*this, program, std::move(sizes)).run(inputs);
}

} // namespace quern
