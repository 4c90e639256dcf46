//===- Interfaces.td - what passes ask of an op -----------------------------------------------===//

#ifndef QUERN_INTERFACES_TD
#define QUERN_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Quern_ScalarBodyOpInterface : OpInterface<"ScalarBodyOpInterface"> {
  let cppNamespace = "::quern";
  let description = [{
    An elementwise op: each element of the result is one scalar function of the operands' elements at the same place,
    operands broadcast by the rules of NumPy. The function is `arith` and `math` on scalars.
  }];
  let methods = [
    InterfaceMethod<"Builds the op's function on one element of each operand and returns the result's element.",
      "::mlir::Value", "buildScalar",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$scalars)>];
}

def Quern_KernelAnchorOpInterface : OpInterface<"KernelAnchorOpInterface"> {
  let cppNamespace = "::quern";
  let description = "An op that gives a kernel its form: its template schedules the whole group.";
  let methods = [InterfaceMethod<"The form of a kernel around this op.", "::quern::KernelForm", "getKernelForm">];
}

#endif // QUERN_INTERFACES_TD
