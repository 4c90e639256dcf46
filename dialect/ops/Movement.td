//===- Movement.td - ops that move values and compute nothing ---------------------------------===//

#ifndef QUERN_OPS_MOVEMENT_TD
#define QUERN_OPS_MOVEMENT_TD

include "dialect/ops/Base.td"

def Quern_ConstantOp : Quern_Op<"constant", [Pure, ConstantLike, AllTypesMatch<["value", "result"]>,
                                               Quern_InKernels, Quern_Evaluated, Quern_NamesMemory]> {
  let summary = "a literal tensor";
  let description = "Example: `%0 = quern.constant dense<[1.0, 2.0]> : tensor<2xf32>`";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$value attr-dict";
  let hasFolder = 1;
  let extraClassDefinition = Quern_ReadsAll;
}

def Quern_IotaOp : Quern_Op<"iota", [Pure, Quern_InKernels, Quern_Evaluated]> {
  let summary = "0, 1, 2, … as f32";
  let description = "Example: `%0 = quern.iota : tensor<32xf32>`";
  let results = (outs 1DTensorOf<[F32]>:$result);
  let assemblyFormat = "`:` type($result) attr-dict";
  let extraClassDefinition = Quern_ReadsAll;
}

def Quern_ReshapeOp : Quern_Op<"reshape", [Pure, DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>,
                                           Quern_InKernels, Quern_Evaluated, Quern_NamesMemory,
                                           Quern_InfersShape]> {
  let summary = "the same elements in row-major order, seen with another shape";
  let description = [{
    Constraints:
    - reshape_c1: the element type, the product of the static sizes and the named dimensions stay.
    - reshape_c2: blocks keep their last axis.

    Example: `%0 = quern.reshape %q : tensor<?x576xf32, #quern.dims<s>> to tensor<?x9x64xf32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_AnyTensor:$input);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDefinition = Quern_ReadsAll;
}

def Quern_TransposeOp : Quern_InferredOp<"transpose", [Quern_InKernels, Quern_Evaluated]> {
  let summary = "axes in another order: result axis i is input axis permutation[i]";
  let description = [{
    Constraints:
    - transpose_c1: the permutation holds each axis once.
    - transpose_c2: the elements are not blocks.

    Example: `%0 = quern.transpose %x [1, 0] : tensor<2x3xf32>`
  }];
  let arguments = (ins Quern_AnyTensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input $permutation attr-dict `:` type($input)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDefinition = Quern_ReadsAll;
}

def Quern_SliceOp : Quern_InferredOp<"slice", [DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>, Quern_InKernels,
                                               Quern_Evaluated]> {
  let summary = "the indices offset … offset + size - 1 of one axis";
  let description = [{
    Constraints:
    - slice_c1: the axis exists and has a static size.
    - slice_c2: the indices lie within it.
    - slice_c3: blocks are not cut along their own axis.

    Example: `%0 = quern.slice %qkv axis 1 offset 576 size 192 : tensor<?x960xf32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_AnyTensor:$input, I64Attr:$axis, I64Attr:$offset, I64Attr:$size);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input `axis` $axis `offset` $offset `size` $size attr-dict `:` type($input)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Quern_ConcatOp : Quern_InferredOp<"concat", [Quern_InKernels, Quern_Evaluated, Quern_NamesMemory]> {
  let summary = "tensors one after another along a static axis";
  let description = [{
    Constraints:
    - concat_c1: the axis exists.
    - concat_c2: element types and all other dimensions are equal, the axis is static.
    - concat_c3: blocks are not joined along their own axis.

    Example: `%0 = quern.concat %q, %k axis 0 : tensor<576x64xf16>, tensor<192x64xf16>`
  }];
  let arguments = (ins Variadic<Quern_AnyTensor>:$inputs, I64Attr:$axis);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` type($inputs)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDefinition = Quern_ReadsAll;
}

def Quern_GatherOp
    : Quern_InferredOp<"gather", !listconcat(Quern_Anchor, [DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>,
                                                          Quern_Indexing, Quern_Evaluated])> {
  let summary = "indices of one axis of a table: result[b…, p…, i…, e…] = table[b…, p…, indices[b…, i…], e…]";
  let description = [{
    The first `batch` axes, b…, are those of table and indices both; `axis` of the table is the one that the indices
    name, and their other axes take its place. A narrower float or a block is read as f32, integers and bools as they
    are. Every index is one of that axis: the reference evaluator says so, the runtime checks what it is given, and a
    kernel reads the nearest one otherwise.

    Constraints:
    - gather_c1: `batch` is at most the rank of the indices and at most `axis`, which is an axis of the table and holds
      something.
    - gather_c2: table and indices have the same first `batch` axes.
    - gather_c3: blocks are not taken apart along their own axis.

    Example: `%0 = quern.gather %table[%tokens] : tensor<512x64xbf16>, tensor<?xi32, #quern.dims<s>>`
    Example: `%0 = quern.gather %scores[%chosen] axis 1 batch 1 : tensor<4x64xf32>, tensor<4x8xi32>`
  }];
  let arguments = (ins Quern_TableTensor:$table, Quern_I32Tensor:$indices, DefaultValuedAttr<I64Attr, "0">:$axis,
                       DefaultValuedAttr<I64Attr, "0">:$batch);
  let results = (outs RankedTensorOf<[F32, I32, I1]>:$result);
  let assemblyFormat = [{
    $table `[` $indices `]` (`axis` $axis^)? (`batch` $batch^)? attr-dict `:` type($table) `,` type($indices)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDeclaration = [{
    /// Whether it takes rows of the table, the indices of axis 0, one by one.
    bool takesRows();
  }];
}

def Quern_AssignOp
    : Quern_Op<"assign", [DeclareOpInterfaceMethods<Quern_DestinationOpInterface>,
                          AllTypesMatch<["variable", "result"]>, Quern_InKernels, Quern_Evaluated]> {
  let summary = "writes a variable and gives it";
  let description = [{
    The variable is the value of a state, which this op updates: all of it, rounded to its type.

    Constraints:
    - assign_c1: the input has the variable's shape, and elements of f32, or of i32 where that has.

    Example: `%1 = quern.assign %0, %x : tensor<4xf16>, tensor<4xf32>`
  }];
  let arguments = (ins Arg<Quern_AnyTensor, "", [MemRead, MemWrite]>:$variable, Quern_AnyTensor:$input);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$variable `,` $input attr-dict `:` type($variable) `,` type($input)";
  let hasVerifier = 1;
  let extraClassDefinition = Quern_ReadsAll # [{
    ::mlir::OpOperand *$cppClass::getDestination(::mlir::OpResult) { return &getVariableMutable(); }
  }];
}

#endif // QUERN_OPS_MOVEMENT_TD
