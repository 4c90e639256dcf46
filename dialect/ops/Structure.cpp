//===- Structure.cpp - parameters, states, entries --------------------------------------------===//

#include "dialect/ops/Inference.h"

#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace quern;

/// The one yield of `region`, if it yields exactly `type`.
static bool yieldsExactly(Region &region, Type type) {
  auto yield = dyn_cast<YieldOp>(region.front().back());
  return yield && yield->getNumOperands() == 1 && yield->getOperand(0).getType() == type;
}

LogicalResult ParameterOp::verify() {
  if (!isExternal() && (getInit().front().empty() || !yieldsExactly(getInit(), getType())))
    return emitOpError("initialiser must yield one ") << getType();
  return success();
}

LogicalResult ParamOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(*this, getParameterAttr());
  if (!parameter)
    return emitOpError("no parameter named `") << getParameter() << "`";
  if (parameter.getType() != getResult().getType())
    return emitOpError("found type ") << getResult().getType() << ", expected the parameter's, "
                                      << parameter.getType();
  return success();
}

ParseResult EntryOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> inputs, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(inputs, results); };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false, getFunctionTypeAttrName(result.name), buildType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void EntryOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

LogicalResult EntryOp::verify() {
  if (getArgNames() && getArgNames()->size() != getNumArguments())
    return emitOpError("found ") << getArgNames()->size() << " argument names, expected " << getNumArguments();
  if (getResultNames() && getResultNames()->size() != getNumResults())
    return emitOpError("found ") << getResultNames()->size() << " result names, expected " << getNumResults();
  return success();
}

LogicalResult ReturnOp::verify() {
  auto entry = cast<EntryOp>((*this)->getParentOp());
  if (TypeRange(entry.getResultTypes()) != TypeRange(getOperandTypes()))
    return emitOpError("returns (") << getOperandTypes() << "), expected the entry's results, ("
                                    << entry.getResultTypes() << ")";
  return success();
}
