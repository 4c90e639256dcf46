//===- Structure.cpp - parameters, states, entries --------------------------------------------===//

#include "dialect/PackedLayout.h"
#include "dialect/ops/FunctionSyntax.h"
#include "dialect/ops/Inference.h"

using namespace mlir;
using namespace quern;

/// The one yield of `region`, if it yields exactly `type`.
static bool yieldsExactly(Region &region, Type type) {
  auto yield = dyn_cast<YieldOp>(region.front().back());
  return yield && yield->getNumOperands() == 1 && yield->getOperand(0).getType() == type;
}

LogicalResult ParameterOp::verify() {
  if (!getTensorType().hasStaticShape())
    return emitOpError("found type ") << getType() << ", expected a static shape";
  if (getPacking() && !canPack(getTensorType(), *getPacking()))
    return emitOpError("type ") << getType() << " cannot lie by " << getPackingAttr();
  return success();
}

LogicalResult ParameterOp::verifyRegions() {
  if (!isExternal() && (getInit().front().empty() || !yieldsExactly(getInit(), getType())))
    return emitOpError("initialiser must yield one ") << getType();
  return success();
}

LogicalResult StateOp::verify() {
  if (!getTensorType().hasStaticShape())
    return emitOpError("found type ") << getType() << ", expected a static shape";
  Type element = getTensorType().getElementType();
  if (isCache() && (getTensorType().getRank() != 3 || !isa<FloatType>(element) || getStart()))
    return emitOpError("found a cache of type ") << getType() << (getStart() ? " that starts as a parameter" : "")
                                                 << ", expected [T, h, d] of floats that starts as zeros";
  if (!isCache() && !isa<FloatType>(element) && !element.isInteger(32))
    return emitOpError("found a variable of elements ") << element << ", expected f32, f16, bf16 or i32";
  return success();
}

LogicalResult StateOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getStartAttr())
    return success();
  auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(*this, getStartAttr());
  if (!parameter)
    return emitOpError("no parameter named `") << *getStart() << "`";
  if (parameter.getType() != getType())
    return emitOpError("starts as ") << parameter.getType() << ", expected its own type, " << getType();
  return success();
}

LogicalResult ParamOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(*this, getParameterAttr());
  if (!parameter)
    return emitOpError("no parameter named `") << getParameter() << "`";
  if (parameter.getType() != getResult().getType())
    return emitOpError("found type ") << getResult().getType() << ", expected the parameter's, " << parameter.getType();
  return success();
}

/// Checks that `sizes` gives a positive integer to each dimension that it names.
static LogicalResult verifySizes(EntryOp entry, DictionaryAttr sizes) {
  for (NamedAttribute size : sizes ? sizes.getValue() : ArrayRef<NamedAttribute>()) {
    auto value = dyn_cast<IntegerAttr>(size.getValue());
    if (!value || !value.getValue().isStrictlyPositive())
      return entry.emitOpError("found size ")
             << size.getValue() << " of dimension `" << size.getName().getValue() << "`, expected a positive integer";
  }
  return success();
}

ParseResult EntryOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseFunction<EntryOp>(parser, result);
}

void EntryOp::print(OpAsmPrinter &printer) { printFunction(printer, *this); }

LogicalResult EntryOp::verify() {
  if (getArgNames() && getArgNames()->size() != getNumArguments())
    return emitOpError("found ") << getArgNames()->size() << " argument names, expected " << getNumArguments();
  if (getResultNames() && getResultNames()->size() != getNumResults())
    return emitOpError("found ") << getResultNames()->size() << " result names, expected " << getNumResults();
  if (failed(verifySizes(*this, getBoundsAttr())) || failed(verifySizes(*this, getWhenAttr())))
    return failure();
  return success();
}

LogicalResult ReturnOp::verify() {
  auto entry = cast<EntryOp>((*this)->getParentOp());
  if (TypeRange(entry.getResultTypes()) != TypeRange(getOperandTypes()))
    return emitOpError("returns (") << getOperandTypes() << "), expected the entry's results, ("
                                    << entry.getResultTypes() << ")";
  return success();
}
