//===- Reference.cpp - the reference evaluator ------------------------------------------------===//

#include "dialect/Reference.h"
#include "dialect/ParameterStream.h"
#include "dialect/reference/Evaluator.h"

using namespace mlir;

namespace quern {

Evaluator::Evaluator(ModuleOp module, ParameterSource &source) : module(module), source(source) {}
Evaluator::~Evaluator() = default;

/// The parameters that the initialiser of `parameter` reads.
static SmallVector<ParamOp> getNeeded(ParameterOp parameter) {
  SmallVector<ParamOp> needed;
  parameter.getInit().walk([&](ParamOp param) { needed.push_back(param); });
  return needed;
}

FailureOr<Tensor> Evaluator::evaluateParameter(ParameterOp root) {
  SmallVector<ParameterOp> pending = {root}; // a parameter stands above what needs it
  llvm::DenseSet<StringAttr> open;           // those whose needs are above them in `pending`
  while (!pending.empty()) {
    ParameterOp parameter = pending.back();
    if (parameters.contains(parameter.getSymNameAttr())) {
      pending.pop_back();
      continue;
    }
    if (open.insert(parameter.getSymNameAttr()).second) {
      for (ParamOp param : getNeeded(parameter)) {
        auto needed = symbols.lookupNearestSymbolFrom<ParameterOp>(param, param.getParameterAttr());
        if (!needed)
          return param.emitError("no parameter named `") << param.getParameter() << "`";
        if (parameters.contains(needed.getSymNameAttr()))
          continue;
        if (open.contains(needed.getSymNameAttr()))
          return param.emitError("`") << param.getParameter() << "` needs its own value";
        pending.push_back(needed);
      }
      continue;
    }
    pending.pop_back();
    FailureOr<Tensor> value;
    if (parameter.isExternal()) {
      value = readStoredRows(parameter, source, parameter.getTensorType(), 0);
    } else if (auto results = Run(*this).run(parameter.getInit().front(), {}, SymbolSizes()); succeeded(results)) {
      value = results->front();
    }
    if (failed(value))
      return failure();
    parameters[parameter.getSymNameAttr()] = *value;
  }
  return parameters[root.getSymNameAttr()];
}

FailureOr<Tensor> Evaluator::getState(StateOp state) {
  Tensor &value = states[state.getSymNameAttr()];
  if (value.getType())
    return value;
  FailureOr<Tensor> start;
  if (state.getStartAttr())
    start = evaluateParameter(symbols.lookupNearestSymbolFrom<ParameterOp>(state, state.getStartAttr()));
  else
    start = Tensor::zeros(state.getTensorType());
  if (failed(start))
    return state.emitError("found type ") << state.getType() << ", expected a static tensor of numbers";
  start->setState(state.getSymNameAttr());
  return value = *start;
}

void Evaluator::setState(StateOp state, Tensor value) {
  assert(value.getType() == state.getTensorType() && "a state keeps its type");
  value.setState(state.getSymNameAttr());
  states[state.getSymNameAttr()] = std::move(value);
}

/// The tensor types among `types`; emits an error where one is none.
static FailureOr<SmallVector<RankedTensorType>> getTensorTypes(Operation *op, ArrayRef<Type> types) {
  SmallVector<RankedTensorType> result;
  for (Type type : types) {
    if (!isa<RankedTensorType>(type))
      return op->emitError("found an argument of type ") << type << ", expected tensors";
    result.push_back(cast<RankedTensorType>(type));
  }
  return result;
}

FailureOr<SmallVector<Tensor>> Evaluator::evaluateEntry(EntryOp entry, ArrayRef<Tensor> inputs) {
  SymbolSizes sizes;
  auto formals = getTensorTypes(entry, entry.getArgumentTypes());
  if (failed(formals) || failed(bindSizes(entry, *formals, inputs, sizes)) ||
      failed(checkBounds(entry, entry.getBoundsAttr(), sizes)))
    return failure();
  return Run(*this).run(entry.getBody().front(), inputs, std::move(sizes));
}

FailureOr<SmallVector<Tensor>> Evaluator::evaluateKernel(KernelOp kernel, ArrayRef<Tensor> arguments) {
  SymbolSizes sizes;
  auto formals = getTensorTypes(kernel, kernel.getArgumentTypes());
  if (failed(formals) || failed(bindSizes(kernel, *formals, arguments, sizes)))
    return failure();
  return Run(*this).run(kernel.getBody().front(), arguments, std::move(sizes));
}

} // namespace quern
