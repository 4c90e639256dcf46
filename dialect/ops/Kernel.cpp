//===- Kernel.cpp - groups, kernels, calls, planned launches ----------------------------------===//

#include "dialect/Destination.h"
#include "dialect/PackedLayout.h"
#include "dialect/Schedules.h"
#include "dialect/ops/FunctionSyntax.h"
#include "dialect/ops/Inference.h"

using namespace mlir;
using namespace quern;

/// Whether a tensor of type `part` may be some of the indices of one axis of a `whole`.
static bool isPartOf(RankedTensorType part, RankedTensorType whole) {
  if (!whole || part.getRank() != whole.getRank() || part.getElementType() != whole.getElementType())
    return false;
  int64_t different = 0;
  for (auto [a, b] : llvm::zip_equal(getDims(part), getDims(whole))) {
    if (a == b)
      continue;
    if (!a.isStatic() || !b.isStatic() || a.size() > b.size())
      return false;
    ++different;
  }
  return different <= 1;
}

LogicalResult FusedOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || TypeRange(yield->getOperandTypes()) != getResultTypes())
    return emitOpError("body must yield ") << getResultTypes();
  return success();
}

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseFunction<KernelOp>(parser, result);
}

void KernelOp::print(OpAsmPrinter &printer) { printFunction(printer, *this); }

Operation *KernelOp::getAnchor() {
  Operation *anchor = nullptr;
  for (Operation &op : getBody().front())
    if (auto candidate = dyn_cast<KernelAnchorOpInterface>(op))
      if (candidate.getKernelForm() == getForm())
        anchor = &op;
  return anchor;
}

/// The value whose memory `value` is.
static Value getMemory(Value value) {
  while (OpOperand *destination = getDestination(value))
    value = destination->get();
  return value;
}

LogicalResult KernelOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || TypeRange(yield->getOperandTypes()) != TypeRange(getResultTypes()))
    return emitOpError("body must yield the results");
  if (getForm() != formWithoutAnchor && !getAnchor())
    return emitOpError("holds no op of the form `") << stringifyKernelForm(getForm()) << "`";
  llvm::SmallDenseSet<Value> written;
  for (Value result : yield->getOperands()) {
    if (!quern::getDestination(result))
      continue;
    Value memory = getMemory(result);
    if (!isa<BlockArgument>(memory) || !written.insert(memory).second)
      return emitOpError("writes in place what is no argument, or an argument twice");
  }
  return success();
}

LogicalResult KernelOp::verify() {
  if (getSchedule() && failed(verifySchedule([&] { return emitOpError(); }, getForm(), *getSchedule())))
    return failure();
  for (unsigned i = 0; i < getNumArguments(); ++i) {
    Attribute packing = getArgAttr(i, packingName);
    auto type = dyn_cast<RankedTensorType>(getArgumentTypes()[i]);
    if (packing && (!isa<PackingAttr>(packing) || !type || !type.hasStaticShape() || !canPack(type, *getPacking(i))))
      return emitOpError("argument of type ") << getArgumentTypes()[i] << " cannot lie by " << packing;
  }
  for (unsigned i = 0; i < getNumResults(); ++i) {
    auto whole = getResultAttrOfType<TypeAttr>(i, partOfName);
    if (whole && !isPartOf(cast<RankedTensorType>(getResultTypes()[i]), dyn_cast<RankedTensorType>(whole.getValue())))
      return emitOpError("result of type ") << getResultTypes()[i] << " is no part of " << whole.getValue();
  }
  return success();
}

std::optional<Packing> KernelOp::getPacking(unsigned argument) {
  auto packing = getArgAttrOfType<PackingAttr>(argument, packingName);
  return packing ? std::optional(packing.getValue()) : std::nullopt;
}

RankedTensorType KernelOp::getWholeType(unsigned result) {
  auto whole = getResultAttrOfType<TypeAttr>(result, partOfName);
  return cast<RankedTensorType>(whole ? whole.getValue() : getResultTypes()[result]);
}

BlockArgument KernelOp::getDestination(unsigned result) {
  Value yielded = getBody().front().getTerminator()->getOperand(result);
  return quern::getDestination(yielded) ? cast<BlockArgument>(getMemory(yielded)) : BlockArgument();
}

SmallVector<BlockArgument> KernelOp::getInputArguments() {
  llvm::SmallDenseSet<Value> written;
  for (unsigned i = 0; i < getNumResults(); ++i)
    if (BlockArgument destination = getDestination(i))
      written.insert(destination);
  SmallVector<BlockArgument> inputs;
  for (BlockArgument argument : getBody().getArguments())
    if (!written.contains(argument))
      inputs.push_back(argument);
  return inputs;
}

/// Checks that parameter `name`, which `op` gives a kernel, lies as the kernel reads it.
static LogicalResult verifyPacking(Operation *op, SymbolTableCollection &symbols, FlatSymbolRefAttr name,
                                   KernelOp kernel, BlockArgument argument) {
  auto describe = [](std::optional<Packing> packing) { return packing ? stringifyPacking(*packing) : "dense"; };
  auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(op, name);
  if (!parameter) // said of what names it
    return success();
  std::optional<Packing> found = parameter.getPacking(), expected = kernel.getPacking(argument.getArgNumber());
  if (found != expected)
    return op->emitOpError("found parameter `") << name.getValue() << "` " << describe(found)
                                                << ", expected it as the kernel reads it, " << describe(expected);
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("no kernel named `") << getKernel() << "`";
  if (TypeRange(kernel.getArgumentTypes()) != TypeRange(getOperandTypes()) ||
      TypeRange(kernel.getResultTypes()) != getResultTypes())
    return emitOpError("found (") << getOperandTypes() << ") -> (" << getResultTypes()
                                  << "), expected the kernel's type, " << kernel.getFunctionType();
  for (auto [argument, operand] : llvm::zip(kernel.getBody().getArguments(), getOperands()))
    if (auto param = operand.getDefiningOp<ParamOp>();
        param && failed(verifyPacking(*this, symbols, param.getParameterAttr(), kernel, argument)))
      return failure();
  return success();
}

void CallOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (Value operand : getOperands()) {
    if (!operand.getDefiningOp<StateRefOp>() && !operand.getDefiningOp<CallOp>())
      continue;
    effects.emplace_back(MemoryEffects::Read::get());
    effects.emplace_back(MemoryEffects::Write::get());
    return;
  }
}

/// Checks that a symbol use has the type of what it names.
template <typename SymbolT>
static LogicalResult verifyUse(Operation *op, SymbolTableCollection &symbols, FlatSymbolRefAttr name, Type found,
                               StringRef what) {
  auto symbol = symbols.lookupNearestSymbolFrom<SymbolT>(op, name);
  if (!symbol)
    return op->emitOpError("no ") << what << " named `" << name.getValue() << "`";
  if (symbol.getType() != found)
    return op->emitOpError("found type ") << found << ", expected the " << what << "'s, " << symbol.getType();
  return success();
}

LogicalResult StateRefOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse<StateOp>(*this, symbols, getStateAttr(), getResult().getType(), "state");
}

LogicalResult ParamBufferOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse<ParameterOp>(*this, symbols, getParameterAttr(), getResult().getType().getTensor(), "parameter");
}

LogicalResult StateBufferOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse<StateOp>(*this, symbols, getStateAttr(), getResult().getType().getTensor(), "state");
}

LogicalResult ArenaOp::verify() {
  if (int64_t(getOffset()) < 0 || int64_t(getBytes()) < 0)
    return emitOpError("found ") << int64_t(getBytes()) << " bytes at " << int64_t(getOffset())
                                 << ", expected neither to be negative";
  return success();
}

LogicalResult AliasOp::verify() {
  RankedTensorType from = getSource().getType().getTensor(), to = getResult().getType().getTensor();
  if (from.getElementType() != to.getElementType())
    return emitOpError("found elements ") << to.getElementType() << ", expected " << from.getElementType();
  return success();
}

LogicalResult PartOp::verify() {
  RankedTensorType whole = getSource().getType().getTensor(), part = getResult().getType().getTensor();
  int64_t axis = getAxis(), offset = getOffset();
  bool inside = isPartOf(part, whole) && axis >= 0 && axis < part.getRank();
  for (int64_t other = 0; inside && other < part.getRank(); ++other)
    inside = other == axis || part.getDimSize(other) == whole.getDimSize(other);
  if (!inside || offset < 0 || part.isDynamicDim(axis) || offset + part.getDimSize(axis) > whole.getDimSize(axis))
    return emitOpError("found ") << part << " at index " << offset << " of axis " << axis << ", which is no part of "
                                 << whole;
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("no kernel named `") << getKernel() << "`";
  auto getTensors = [](ValueRange buffers) {
    return llvm::map_to_vector(buffers,
                               [](Value buffer) -> Type { return cast<BufferType>(buffer.getType()).getTensor(); });
  };
  SmallVector<Type> expected =
      llvm::map_to_vector(kernel.getInputArguments(), [](Value input) { return input.getType(); });
  SmallVector<Type> inputs = getTensors(getInputs()), outputs = getTensors(getOutputs());
  if (inputs != expected)
    return emitOpError("found inputs (") << inputs << "), expected (" << expected << ")";
  if (ArrayRef<Type>(outputs) != kernel.getResultTypes())
    return emitOpError("found outputs (") << outputs << "), expected (" << kernel.getResultTypes() << ")";
  for (auto [argument, input] : llvm::zip(kernel.getInputArguments(), getInputs()))
    if (auto buffer = input.getDefiningOp<ParamBufferOp>();
        buffer && failed(verifyPacking(*this, symbols, buffer.getParameterAttr(), kernel, argument)))
      return failure();
  return success();
}

OperandRange LaunchOp::getRead() { return getInputs(); }
OperandRange LaunchOp::getWritten() { return getOutputs(); }

ParseResult ProgramOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseFunction<ProgramOp>(parser, result);
}

void ProgramOp::print(OpAsmPrinter &printer) { printFunction(printer, *this); }

LogicalResult ProgramOp::verify() {
  for (Type type : getArgumentTypes())
    if (!isa<BufferType>(type))
      return emitOpError("found an argument of type ") << type << ", expected buffers";
  if (getNumArguments() < getNumResultBuffers())
    return emitOpError("found ") << getNumArguments() << " arguments, expected one per result, "
                                 << getNumResultBuffers();
  return success();
}

SmallVector<Type> ProgramOp::getInputTypes() {
  SmallVector<Type> types;
  for (Type type : getArgumentTypes().drop_back(getNumResultBuffers()))
    types.push_back(cast<BufferType>(type).getTensor());
  return types;
}
