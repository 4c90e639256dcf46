//===- Reduction.td - reductions, norms, softmax ----------------------------------------------===//

#ifndef QUERN_OPS_REDUCTION_TD
#define QUERN_OPS_REDUCTION_TD

include "dialect/ops/Base.td"

class Quern_RowsOp<string opMnemonic>
    : Quern_InferredOp<opMnemonic, !listconcat(Quern_Anchor, [DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>,
                                                                Quern_Evaluated])> {
  let extraClassDefinition = Quern_ReadsAll # [{
    ::quern::KernelForm $cppClass::getKernelForm() { return ::quern::KernelForm::Rows; }
    ::mlir::Value $cppClass::getMainTensor() { return getResult(); }
    ::mlir::OpOperand &$cppClass::getRowsOperand() { return getInputMutable(); }
    ::llvm::StringRef $cppClass::getArithmetic() { return "f32"; }
    bool $cppClass::takesPrologue(::mlir::Operation *) { return false; }
    bool $cppClass::takesEpilogue() { return true; }
    bool $cppClass::mayPrecede() { return true; }
    bool $cppClass::sharesKernelWith(::quern::KernelAnchorOpInterface) { return false; }
    ::quern::ResultView $cppClass::getResultView() { return ::quern::ResultView::Dense; }
    ::llvm::SmallVector<::mlir::OpOperand *> $cppClass::getRowOperands() {
      return ::quern::getRowsOf(getInputMutable());
    }
  }];
}

def Quern_ReduceOp : Quern_RowsOp<"reduce"> {
  let summary = "one value per row: sum, max or mean over the last axis, which stays with size 1";
  let description = [{
    In f32, in ascending order. The mean is the sum divided by the size.

    Constraints:
    - reduce_c1: the input has at least one axis.

    Example: `%0 = quern.reduce <max> %x : tensor<?x64xf32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_ReduceKindAttr:$kind, Quern_F32Tensor:$input);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = "$kind $input attr-dict `:` type($input)";
}

def Quern_RmsNormOp : Quern_RowsOp<"rms_norm"> {
  let summary = "root mean square normalisation over the last axis";
  let description = [{
    y = (x · rsqrt(mean(x²) + eps)) · weight, all in f32 (Zhang and Sennrich 2019, eq. 4). The normalised value is
    rounded to the activation type before the weight multiplies it; with f32 activations that rounding is the identity.

    Constraints:
    - rms_norm_c1: the weight has one element per element of the last axis.
    - rms_norm_c2: eps is not negative.

    Example: `%0 = quern.rms_norm %x, %w eps 1.0e-05 : tensor<?x576xf32, #quern.dims<s>>, tensor<576xf32>`
  }];
  let arguments = (ins Quern_F32Tensor:$input, Quern_F32Tensor:$weight, F64Attr:$eps);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = "$input `,` $weight `eps` $eps attr-dict `:` type($input) `,` type($weight)";
  let hasVerifier = 1;
}

def Quern_SoftmaxOp : Quern_RowsOp<"softmax"> {
  let summary = "exp(x - max) / sum(exp(x - max)) over the last axis, in f32";
  let description = [{
    Constraints:
    - softmax_c1: the input has at least one axis.

    Example: `%0 = quern.softmax %x : tensor<?x64xf32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_F32Tensor:$input);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

#endif // QUERN_OPS_REDUCTION_TD
