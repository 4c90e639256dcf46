//===- Elementwise.td - one scalar function per element ---------------------------------------===//

#ifndef QUERN_OPS_ELEMENTWISE_TD
#define QUERN_OPS_ELEMENTWISE_TD

include "dialect/ops/Base.td"

/// An elementwise op whose scalar function is `scalar`, C++ that returns the result's `Value` and may use `builder`,
/// `loc`, and the operands' elements `a` and `b`.
class Quern_Elementwise<string opMnemonic, dag operands, string scalar, string element = "Float32Type::get(context)">
    : Quern_InferredOp<opMnemonic, [DeclareOpInterfaceMethods<Quern_ScalarBodyOpInterface>,
                                    DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>, Quern_InKernels,
                                    Quern_Evaluated]> {
  let arguments = operands;
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "operands attr-dict `:` type(operands)";
  let extraClassDefinition = Quern_ReadsAll # [{
    ::mlir::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> location, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::Type> &inferred) {
      return ::quern::inferBroadcast(location, adaptor.getOperands(),
                                     ::mlir::}] # element # [{, inferred);
    }
    ::mlir::Value $cppClass::buildScalar(::mlir::OpBuilder &builder, ::mlir::ValueRange scalars) {
      ::mlir::Location loc = getLoc();
      ::mlir::Value a = scalars[0], b = scalars.back();
      (void)a, (void)b;
      }] # scalar # [{
    }
    ::llvm::SmallVector<::mlir::OpOperand *> $cppClass::getRowOperands() { return ::quern::getBroadcastRows(*this); }
    ::quern::Evaluated $cppClass::evaluate(::llvm::ArrayRef<::quern::Tensor> operands,
                                           ::llvm::ArrayRef<::mlir::RankedTensorType> results) {
      return ::quern::evaluateElementwise(*this, operands, results.front());
    }
  }];
}

class Quern_Unary<string opMnemonic, string formula, string scalar>
    : Quern_Elementwise<opMnemonic, (ins Quern_F32Tensor:$input), scalar> {
  let summary = formula;
  let description = "Of every element, in f32. Example: `%0 = quern." # opMnemonic # " %x : tensor<4xf32>`";
}

class Quern_Binary<string opMnemonic, string formula, string scalar>
    : Quern_Elementwise<opMnemonic, (ins Quern_F32Tensor:$lhs, Quern_F32Tensor:$rhs), scalar> {
  let summary = formula;
  let description = [{
    Of every pair of elements, in f32; operands broadcast by the rules of NumPy.

    Constraints:
    - }] # opMnemonic # [{_c1: the shapes broadcast.

    Example: `%0 = quern.}] # opMnemonic # [{ %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>`
  }];
}

def Quern_AddOp : Quern_Binary<"add", "a + b", "return arith::AddFOp::create(builder, loc, a, b);">;
def Quern_SubOp : Quern_Binary<"sub", "a - b", "return arith::SubFOp::create(builder, loc, a, b);">;
def Quern_MulOp : Quern_Binary<"mul", "a · b", "return arith::MulFOp::create(builder, loc, a, b);">;
def Quern_DivOp : Quern_Binary<"div", "a / b", "return arith::DivFOp::create(builder, loc, a, b);">;
def Quern_PowOp : Quern_Binary<"pow", "a to the power b", "return math::PowFOp::create(builder, loc, a, b);">;
def Quern_MaxOp : Quern_Binary<"max", "the larger of a and b",
    "return arith::MaximumFOp::create(builder, loc, a, b);">;
def Quern_MinOp : Quern_Binary<"min", "the smaller of a and b",
    "return arith::MinimumFOp::create(builder, loc, a, b);">;
def Quern_NegOp : Quern_Unary<"neg", "-a", "return arith::NegFOp::create(builder, loc, a);">;
def Quern_AbsOp : Quern_Unary<"abs", "|a|", "return math::AbsFOp::create(builder, loc, a);">;
def Quern_FloorOp : Quern_Unary<"floor", "the largest integer not above a",
    "return math::FloorOp::create(builder, loc, a);">;
def Quern_ExpOp : Quern_Unary<"exp", "e to the power a", "return math::ExpOp::create(builder, loc, a);">;
def Quern_LogOp : Quern_Unary<"log", "the natural logarithm of a", "return math::LogOp::create(builder, loc, a);">;
def Quern_SqrtOp : Quern_Unary<"sqrt", "the square root of a", "return math::SqrtOp::create(builder, loc, a);">;
def Quern_RsqrtOp : Quern_Unary<"rsqrt", "1 / sqrt(a)", "return math::RsqrtOp::create(builder, loc, a);">;
def Quern_SinOp : Quern_Unary<"sin", "sine of a radians", "return math::SinOp::create(builder, loc, a);">;
def Quern_CosOp : Quern_Unary<"cos", "cosine of a radians", "return math::CosOp::create(builder, loc, a);">;
def Quern_TanhOp : Quern_Unary<"tanh", "hyperbolic tangent of a", "return math::TanhOp::create(builder, loc, a);">;
def Quern_SigmoidOp : Quern_Unary<"sigmoid", "1 / (1 + exp(-a))", "return scalar::sigmoid(builder, loc, a);">;
def Quern_SiluOp : Quern_Unary<"silu", "a · sigmoid(a)",
    "return arith::MulFOp::create(builder, loc, a, scalar::sigmoid(builder, loc, a));">;
def Quern_ReluOp : Quern_Unary<"relu", "max(a, 0)",
    "return arith::MaximumFOp::create(builder, loc, a, scalar::f32(builder, loc, 0.0f));">;
def Quern_GeluOp : Quern_Unary<"gelu", "a/2 · (1 + erf(a/√2))", "return scalar::gelu(builder, loc, a);">;

def Quern_CompareOp : Quern_Elementwise<"compare",
    (ins Quern_F32Tensor:$lhs, Quern_F32Tensor:$rhs, Quern_CompareAttr:$predicate),
    "return scalar::compare(builder, loc, getPredicate(), a, b);", "IntegerType::get(context, 1)"> {
  let summary = "a comparison of every pair of elements, as i1";
  let description = [{
    With a NaN only `ne` holds.

    Example: `%0 = quern.compare <lt>, %x, %y : tensor<4xf32>, tensor<4xf32>`
  }];
  let assemblyFormat = "$predicate `,` operands attr-dict `:` type(operands)";
}

def Quern_SelectOp : Quern_Elementwise<"select",
    (ins Quern_BoolTensor:$condition, Quern_F32Tensor:$on_true, Quern_F32Tensor:$on_false),
    "return arith::SelectOp::create(builder, loc, scalars[0], scalars[1], scalars[2]);"> {
  let summary = "on_true where the condition holds, else on_false";
  let description = "Example: `%0 = quern.select %c, %x, %y : tensor<4xi1>, tensor<4xf32>, tensor<4xf32>`";
}

def Quern_CastOp : Quern_Op<"cast", [Pure, Quern_InKernels, Quern_Evaluated, Quern_InfersShape]> {
  let summary = "the same values in another element type";
  let description = [{
    Between f32, f16, bf16, i32 and i1. To a narrower float it rounds to nearest even; to an integer towards zero, at
    the type's limits where the value lies outside, a NaN to 0. From i32 to f32 exact below 2^24. From blocks to a
    float: dequantisation.

    Constraints:
    - cast_c1: the shape stays.
    - cast_c2: it goes from numbers or blocks to numbers.

    Example: `%0 = quern.cast %w : tensor<576xbf16> to tensor<576xf32>`
  }];
  let arguments = (ins Quern_AnyTensor:$input);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDefinition = Quern_ReadsAll;
}

def Quern_MapOp : Quern_Op<"map", [Pure, SingleBlock, IsolatedFromAbove, Quern_InKernels, Quern_Evaluated,
                                   Quern_InfersShape]> {
  let summary = "a scalar function applied to every element";
  let description = [{
    What elementwise ops become inside kernels: a region of `arith` and `math` on one element of each operand. Operands
    broadcast to the result's shape by the rules of NumPy.

    Constraints:
    - map_c1: the body has one argument per input, of its element type.
    - map_c2: the body yields one element of the result.

    Example:
    ```mlir
    %0 = quern.map (%x, %y) : tensor<?x8xf32, #quern.dims<s>>, tensor<8xf32> -> tensor<?x8xf32, #quern.dims<s>> {
    ^bb0(%a: f32, %b: f32):
      %1 = arith.mulf %a, %b : f32
      quern.yield %1 : f32
    }
    ```
  }];
  let arguments = (ins Variadic<Quern_AnyTensor>:$inputs);
  let results = (outs Quern_AnyTensor:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` `:` type($inputs) `->` type($result) $body attr-dict";
  let hasRegionVerifier = 1;
}

#endif // QUERN_OPS_ELEMENTWISE_TD
