//===- Movement.td - ops that move values and compute nothing ---------------------------------===//

#ifndef QUERN_OPS_MOVEMENT_TD
#define QUERN_OPS_MOVEMENT_TD

include "dialect/ops/Base.td"

def Quern_ConstantOp : Quern_Op<"constant", [Pure, ConstantLike, AllTypesMatch<["value", "result"]>,
                                               Quern_Evaluated]> {
  let summary = "a literal tensor";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$value attr-dict";
  let hasFolder = 1;
}

def Quern_IotaOp : Quern_Op<"iota", [Pure, Quern_Evaluated]> {
  let summary = "0, 1, 2, … as f32";
  let results = (outs 1DTensorOf<[F32]>:$result);
  let assemblyFormat = "`:` type($result) attr-dict";
}

def Quern_ReshapeOp : Quern_Op<"reshape", [Pure, Quern_Evaluated]> {
  let summary = "the same elements in row-major order, seen with another shape";
  let description = "Symbolic dimensions keep their product; each symbol of the result occurs in the input.";
  let arguments = (ins Quern_AnyTensor:$input);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Quern_TransposeOp : Quern_InferredOp<"transpose", [Quern_Evaluated]> {
  let summary = "axes in another order: result axis i is input axis permutation[i]";
  let arguments = (ins Quern_AnyTensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input $permutation attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Quern_SliceOp : Quern_InferredOp<"slice", [Quern_Evaluated]> {
  let summary = "the indices offset … offset + size - 1 of one axis";
  let description = "The axis has a static size.";
  let arguments = (ins Quern_AnyTensor:$input, I64Attr:$axis, I64Attr:$offset, I64Attr:$size);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input `axis` $axis `offset` $offset `size` $size attr-dict `:` type($input)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Quern_ConcatOp : Quern_InferredOp<"concat", [Quern_Evaluated]> {
  let summary = "tensors one after another along a static axis";
  let description = "All other dimensions and the element types are equal. Blocks may be joined along any but the last axis.";
  let arguments = (ins Variadic<Quern_AnyTensor>:$inputs, I64Attr:$axis);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` type($inputs)";
  let hasVerifier = 1;
}

def Quern_GatherOp : Quern_InferredOp<"gather", [DeclareOpInterfaceMethods<Quern_KernelAnchorOpInterface>,
                                                 Quern_Evaluated]> {
  let summary = "rows of a table: result[i, …] = table[indices[i], …]";
  let description = [{
    A weight of a narrower float or of blocks is read as f32. An index outside the table is undefined in kernels
    compiled for speed only if the caller passes it: the runtime checks indices first.
  }];
  let arguments = (ins Quern_WeightTensor:$table, Quern_I32Tensor:$indices);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = "$table `[` $indices `]` attr-dict `:` type($table) `,` type($indices)";
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::quern::KernelForm $cppClass::getKernelForm() { return ::quern::KernelForm::Gather; }
  }];
}

#endif // QUERN_OPS_MOVEMENT_TD
