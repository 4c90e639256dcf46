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

def Quern_ShapeOpInterface : OpInterface<"ShapeOpInterface"> {
  let cppNamespace = "::quern";
  let description = "An op whose builder takes the result's type, of which the operands say at least the shape.";
  let methods = [
    InterfaceMethod<[{The result's type as the operands say it, with what only the result says already; an error where
      operands do not go together.}],
      "::mlir::FailureOr<::mlir::RankedTensorType>", "inferResult">];
}

def Quern_KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::quern";
  let description = "An op that may stand in a kernel. It says what one launch reads and computes for it.";
  let methods = [
    InterfaceMethod<"How many elements of `operand` are read; none where it is read as a whole.",
      "::std::optional<::quern::WorkTerm>", "getElementsRead", (ins "::mlir::OpOperand &":$operand)>,
    InterfaceMethod<"Sums and products of contractions and attention, and the scalar ops of maps.",
      "::llvm::SmallVector<::quern::WorkTerm>", "getOperations">];
}

def Quern_KernelAnchorOpInterface : OpInterface<"KernelAnchorOpInterface", [Quern_KernelOpInterface]> {
  let cppNamespace = "::quern";
  let description = [{
    An op that gives a kernel its form: its template schedules the whole group. What passes and code generation have to
    know of a form they ask here; an op that does not answer does not link.
  }];
  let methods = [
    InterfaceMethod<"The form of a kernel around this op.", "::quern::KernelForm", "getKernelForm">,
    InterfaceMethod<"The tensor that says most of the kernel's type: a weight, a table, a cache, or the result.",
      "::mlir::Value", "getMainTensor">,
    InterfaceMethod<[{The operand whose rows, the indices of axis 0, the kernel takes one by one: a left side, an image,
      a query.}],
      "::mlir::OpOperand &", "getRowsOperand">,
    InterfaceMethod<"What products are computed in: `f32`, `i8` or `bf16`, a word of the description.",
      "::llvm::StringRef", "getArithmetic">,
    InterfaceMethod<[{Whether the kernel may compute `op`, which only this op reads, as the rows operand or a rounded
      one of it, for itself: it reads each element a few times at most, or `op` costs less than writing its result.}],
      "bool", "takesPrologue", (ins "::mlir::Operation *":$op)>,
    InterfaceMethod<"Whether elementwise ops on the result may follow in the kernel.", "bool", "takesEpilogue">,
    InterfaceMethod<"Whether this op may precede another anchor in a kernel of that one's form.", "bool", "mayPrecede">,
    InterfaceMethod<"Whether this op and `other` may be anchors of one kernel, whose results meet.",
      "bool", "sharesKernelWith", (ins "::quern::KernelAnchorOpInterface":$other)>,
    InterfaceMethod<"How a kernel sees the memory that it writes its result to.",
      "::quern::ResultView", "getResultView">];
}

def Quern_DestinationOpInterface : OpInterface<"DestinationOpInterface"> {
  let cppNamespace = "::quern";
  let description = [{
    An op that writes in place: a result of it is an operand's memory. Operands that are written are values of states,
    which this changes. Its results, if any have a memory of their own, come after those.
  }];
  let methods = [
    InterfaceMethod<"The operand whose memory `result` is; null for a result with memory of its own.",
      "::mlir::OpOperand *", "getDestination", (ins "::mlir::OpResult":$result)>];
}

def Quern_IndexingOpInterface : OpInterface<"IndexingOpInterface"> {
  let cppNamespace = "::quern";
  let description = [{
    An op that takes elements of an operand as indices, of an axis of another one or of groups. Integers that an op
    gives otherwise are those of its operands, moved.
  }];
  let methods = [
    InterfaceMethod<"What the elements of `operand` lie below; none where they are no indices.",
      "::std::optional<::quern::Dim>", "getIndexLimit", (ins "::mlir::OpOperand &":$operand)>];
}

def Quern_RowwiseOpInterface : OpInterface<"RowwiseOpInterface"> {
  let cppNamespace = "::quern";
  let description = [{
    An op that computes a row of its result, the elements with one index of axis 0, from the row of that index of some
    operands, and the others as a whole.
  }];
  let methods = [
    InterfaceMethod<"The operands that are taken row by row; none where axis 0 of the result is no axis of rows.",
      "::llvm::SmallVector<::mlir::OpOperand *>", "getRowOperands">];
}

def Quern_ImageOpInterface : OpInterface<"ImageOpInterface"> {
  let cppNamespace = "::quern";
  let description = [{
    An op that slides a window over the height and the width of images and computes each element of its result, an image
    too, from the elements in one window. The operands behind the image have no axes of images.
  }];
  let methods = [
    InterfaceMethod<"The images.", "::mlir::Value", "getInput">,
    InterfaceMethod<"The order of the axes of images and result.", "::quern::ImageLayout", "getLayout">,
    InterfaceMethod<"Height and width of the window.", "::llvm::ArrayRef<int64_t>", "getWindow">,
    InterfaceMethod<"How far the window moves.", "::llvm::ArrayRef<int64_t>", "getStrides">,
    InterfaceMethod<"Rows and columns around the image: top, bottom, left, right.",
      "::llvm::ArrayRef<int64_t>", "getPads">];
}

def Quern_ProgramStepOpInterface : OpInterface<"ProgramStepOpInterface"> {
  let cppNamespace = "::quern";
  let description = [{
    What a program does, step by step: an op that reads some buffers and writes others. Memory is planned, verified and
    freed by these alone.
  }];
  let methods = [
    InterfaceMethod<"The buffers that it reads.", "::mlir::OperandRange", "getRead">,
    InterfaceMethod<"The buffers that it writes.", "::mlir::OperandRange", "getWritten">];
}

def Quern_ReferenceOpInterface : OpInterface<"ReferenceOpInterface"> {
  let cppNamespace = "::quern";
  let description = [{
    An op whose results are a function of its operands' values. The function is the op's meaning: naive loops in f32,
    sums in ascending order. What fails emits an error.
  }];
  let methods = [
    InterfaceMethod<"Computes the results, of the static types `results`.", "::quern::Evaluated", "evaluate",
      (ins "::llvm::ArrayRef<::quern::Tensor>":$operands, "::llvm::ArrayRef<::mlir::RankedTensorType>":$results)>];
}

#endif // QUERN_INTERFACES_TD
