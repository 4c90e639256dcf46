//===- FunctionSyntax.h - the syntax that entries, kernels and programs share -----------------===//

#ifndef QUERN_DIALECT_OPS_FUNCTIONSYNTAX_H
#define QUERN_DIALECT_OPS_FUNCTIONSYNTAX_H

#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"

namespace quern {

/// Parses `@name(%arg: type, …) -> type attributes {…} { … }`, as `func.func` has it.
template <typename FunctionT> mlir::ParseResult parseFunction(mlir::OpAsmParser &parser, mlir::OperationState &result) {
  auto buildType = [](mlir::Builder &builder, llvm::ArrayRef<mlir::Type> inputs, llvm::ArrayRef<mlir::Type> results,
                      mlir::function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(inputs, results); };
  return mlir::function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false, FunctionT::getFunctionTypeAttrName(result.name), buildType,
      FunctionT::getArgAttrsAttrName(result.name), FunctionT::getResAttrsAttrName(result.name));
}

/// Prints what `parseFunction` reads.
template <typename FunctionT> void printFunction(mlir::OpAsmPrinter &printer, FunctionT op) {
  mlir::function_interface_impl::printFunctionOp(printer, op, /*isVariadic=*/false, op.getFunctionTypeAttrName(),
                                                 op.getArgAttrsAttrName(), op.getResAttrsAttrName());
}

} // namespace quern

#endif // QUERN_DIALECT_OPS_FUNCTIONSYNTAX_H
