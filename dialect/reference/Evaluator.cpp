//===- Evaluator.cpp - evaluation of one straight list of ops ---------------------------------===//

#include "dialect/reference/Evaluator.h"
#include "dialect/Shapes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace quern {

FailureOr<RankedTensorType> resolveType(RankedTensorType type, const SymbolSizes &sizes) {
  SmallVector<int64_t> shape;
  for (Dim dim : getDims(type)) {
    auto size = dim.isStatic() ? sizes.end() : sizes.find(dim.name());
    if (!dim.isStatic() && size == sizes.end())
      return failure();
    shape.push_back(dim.isStatic() ? dim.size() : size->second);
  }
  return RankedTensorType::get(shape, type.getElementType());
}

/// Whether `input` has a shape of `dims`; binds the names in it that have no size yet.
static bool bindDims(ArrayRef<Dim> dims, ArrayRef<int64_t> shape, SymbolSizes &sizes) {
  if (dims.size() != shape.size())
    return false;
  for (auto [dim, size] : llvm::zip(dims, shape)) {
    int64_t expected = dim.isStatic() ? dim.size() : sizes.try_emplace(dim.name(), size).first->second;
    if (expected != size)
      return false;
  }
  return true;
}

LogicalResult bindSizes(Operation *op, ArrayRef<RankedTensorType> formals, ArrayRef<Tensor> inputs,
                        SymbolSizes &sizes) {
  if (formals.size() != inputs.size())
    return op->emitError("found ") << inputs.size() << " inputs, expected " << formals.size();
  for (auto [i, formal] : llvm::enumerate(formals)) {
    RankedTensorType found = inputs[i].getType();
    if (found.getElementType() != formal.getElementType() || !bindDims(getDims(formal), found.getShape(), sizes))
      return op->emitError("input ") << i << " has type " << found << ", expected " << formal;
  }
  return success();
}

LogicalResult checkBounds(Operation *op, DictionaryAttr bounds, const SymbolSizes &sizes) {
  for (NamedAttribute bound : bounds ? bounds.getValue() : ArrayRef<NamedAttribute>()) {
    auto limit = dyn_cast<IntegerAttr>(bound.getValue());
    auto size = sizes.find(bound.getName());
    if (limit && size != sizes.end() && size->second > limit.getInt())
      return op->emitError("dimension `")
             << bound.getName().getValue() << "` has size " << size->second << ", expected at most " << limit.getInt();
  }
  return success();
}

void Evaluator::Run::define(Value value, Tensor tensor) {
  int64_t uses = std::distance(value.use_begin(), value.use_end());
  if (uses != 0)
    values[value] = {std::move(tensor), uses};
}

/// The operands of `op`, each dropped after its last use.
SmallVector<Tensor> Evaluator::Run::take(Operation &op) {
  SmallVector<Tensor> operands;
  for (Value operand : op.getOperands()) {
    auto held = values.find(operand);
    assert(held != values.end() && "a value is used before it is defined");
    operands.push_back(held->second.tensor);
    if (--held->second.uses == 0)
      values.erase(held);
  }
  return operands;
}

LogicalResult Evaluator::Run::compute(ReferenceOpInterface op, ArrayRef<Tensor> operands) {
  SmallVector<RankedTensorType> types;
  for (Type type : op->getResultTypes()) {
    FailureOr<RankedTensorType> resolved = resolveType(cast<RankedTensorType>(type), frames.back().sizes);
    if (failed(resolved))
      return op->emitError("a dimension of ") << type << " has no size: no argument has it";
    types.push_back(*resolved);
  }
  Evaluated results = op.evaluate(operands, types);
  if (failed(results))
    return failure();
  for (auto [value, result] : llvm::zip_equal(op->getResults(), *results)) {
    if (result.getState())
      evaluator.states[result.getState()] = result;
    define(value, std::move(result));
  }
  return success();
}

LogicalResult Evaluator::Run::enterCall(CallOp call, ArrayRef<Tensor> operands) {
  auto kernel = evaluator.symbols.lookupNearestSymbolFrom<KernelOp>(call, call.getKernelAttr());
  if (!kernel)
    return call.emitError("no kernel named `") << call.getKernel() << "`";
  if (call->getParentOfType<KernelOp>())
    return call.emitError("is inside a kernel; kernels hold no calls");
  SmallVector<RankedTensorType> formals;
  for (Type type : kernel.getArgumentTypes())
    formals.push_back(cast<RankedTensorType>(type));
  SymbolSizes sizes;
  if (failed(bindSizes(call, formals, operands, sizes)))
    return failure();
  Block &body = kernel.getBody().front();
  for (auto [argument, operand] : llvm::zip(body.getArguments(), operands))
    define(argument, operand);
  frames.push_back({&body, body.begin(), call, std::move(sizes)});
  return success();
}

LogicalResult Evaluator::Run::step(Operation &op) {
  SmallVector<Tensor> operands = take(op);
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](ReferenceOpInterface computed) { return compute(computed, operands); })
      .Case([&](FusedOp fused) {
        Block &body = fused.getBody().front();
        frames.push_back({&body, body.begin(), fused, frames.back().sizes});
        return success();
      })
      .Case([&](CallOp call) { return enterCall(call, operands); })
      .Case([&](ParamOp param) -> LogicalResult {
        auto parameter = evaluator.symbols.lookupNearestSymbolFrom<ParameterOp>(param, param.getParameterAttr());
        FailureOr<Tensor> value = parameter ? evaluator.evaluateParameter(parameter) : FailureOr<Tensor>();
        if (failed(value))
          return failure();
        define(param.getResult(), *value);
        return success();
      })
      .Case([&](StateRefOp ref) -> LogicalResult {
        auto state = evaluator.symbols.lookupNearestSymbolFrom<StateOp>(ref, ref.getStateAttr());
        FailureOr<Tensor> value = state ? evaluator.getState(state) : FailureOr<Tensor>();
        if (failed(value))
          return failure();
        define(ref.getResult(), *value);
        return success();
      })
      .Default([](Operation *op) { return op->emitError("the reference evaluator has no meaning for this op"); });
}

FailureOr<SmallVector<Tensor>> Evaluator::Run::run(Block &body, ArrayRef<Tensor> arguments, SymbolSizes sizes) {
  for (auto [argument, value] : llvm::zip(body.getArguments(), arguments))
    define(argument, value);
  frames.push_back({&body, body.begin(), nullptr, std::move(sizes)});
  while (true) {
    Frame &frame = frames.back();
    Operation &op = *frame.next++;
    if (!op.hasTrait<OpTrait::IsTerminator>()) {
      if (failed(step(op)))
        return failure();
      continue;
    }
    SmallVector<Tensor> results = take(op);
    Operation *owner = frame.owner;
    frames.pop_back();
    if (!owner)
      return results;
    for (auto [value, tensor] : llvm::zip(owner->getResults(), results))
      define(value, tensor);
  }
}

} // namespace quern
