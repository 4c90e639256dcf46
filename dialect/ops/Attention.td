//===- Attention.td - rotary embedding, key/value cache, attention ----------------------------===//

#ifndef QUERN_OPS_ATTENTION_TD
#define QUERN_OPS_ATTENTION_TD

include "dialect/ops/Base.td"

def Quern_RopeOp : Quern_InferredOp<"rope", [Quern_Evaluated]> {
  let summary = "rotary position embedding (Su et al. 2021)";
  let description = [{
    input[s, h, d], table[position, r/2, 2] of (cos, sin), r ≤ d the rotated part. A pair (u, v) becomes
    (u·cos - v·sin, v·cos + u·sin); pairs are (x_j, x_{j+r/2}) for the layout `half`, (x_2j, x_2j+1) for `interleaved`.
    Elements from r on stay as they are.
  }];
  let arguments = (ins Quern_F32Tensor:$input, Quern_PositionTensor:$at, Quern_F32Tensor:$table,
                       DefaultValuedAttr<Quern_RopeLayoutAttr, "::quern::RopeLayout::Half">:$layout);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = [{
    $input `at` $at `,` $table (`layout` $layout^)? attr-dict `:` type($input) `,` type($at) `,` type($table)
  }];
  let hasVerifier = 1;
}

def Quern_CacheAppendOp : Quern_Op<"cache_append", [DeclareOpInterfaceMethods<Quern_KernelAnchorOpInterface>,
                                                    AllTypesMatch<["cache", "result"]>, Quern_Evaluated]> {
  let summary = "writes one row per token into a cache and gives the cache";
  let description = [{
    cache[T, h, d], input[s, h, d]: result = cache with result[row(at[i])] = input[i], rounded to the cache's type. The
    cache is the value of a state, which this op updates.
  }];
  let arguments = (ins Arg<Quern_FloatTensor, "", [MemRead, MemWrite]>:$cache, Quern_F32Tensor:$input,
                       Quern_PositionTensor:$at);
  let results = (outs Quern_FloatTensor:$result);
  let assemblyFormat = [{
    $cache `,` $input `at` $at attr-dict `:` type($cache) `,` type($input) `,` type($at)
  }];
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::quern::KernelForm $cppClass::getKernelForm() { return ::quern::KernelForm::Append; }
  }];
}

def Quern_AttendOp : Quern_InferredOp<"attend", [DeclareOpInterfaceMethods<Quern_KernelAnchorOpInterface>,
                                                 Quern_Evaluated]> {
  let summary = "softmax(scale · q kᵀ) v over the visible rows of a cache";
  let description = [{
    query[s, h, d], keys[T, g, d], values[T, g, e] -> [s, h, e]. Query head i reads cache head ⌊i / (h/g)⌋ (Ainslie et al.
    2023). Token i sees the rows 0 … row(at[i]). Scores, softmax and sums in f32.
  }];
  let arguments = (ins Quern_F32Tensor:$query, Quern_FloatTensor:$keys, Quern_FloatTensor:$values,
                       Quern_PositionTensor:$at, F64Attr:$scale);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = [{
    $query `,` $keys `,` $values `at` $at `scale` $scale attr-dict
    `:` type($query) `,` type($keys) `,` type($values) `,` type($at)
  }];
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::quern::KernelForm $cppClass::getKernelForm() { return ::quern::KernelForm::Attention; }
  }];
}

#endif // QUERN_OPS_ATTENTION_TD
