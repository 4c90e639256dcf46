//===- Attention.td - rotary embedding, key/value cache, attention ----------------------------===//

#ifndef QUERN_OPS_ATTENTION_TD
#define QUERN_OPS_ATTENTION_TD

include "dialect/ops/Base.td"

def Quern_RopeOp : Quern_InferredOp<"rope", [Quern_Indexing, Quern_InKernels, Quern_Evaluated]> {
  let summary = "rotary position embedding (Su et al. 2021)";
  let description = [{
    input[s, h, d], table[position, r/2, 2] of (cos, sin), r ≤ d the rotated part. A pair (u, v) becomes
    (u·cos - v·sin, v·cos + u·sin); pairs are (x_j, x_{j+r/2}) for the layout `half`, (x_2j, x_2j+1) for `interleaved`.
    Elements from r on stay as they are.

    Constraints:
    - rope_c1: the input is [s, h, d] with one position per token.
    - rope_c2: the table is [position, r/2, 2] with r ≤ d.

    Example:
    ```mlir
    %0 = quern.rope %q at %at, %table layout <interleaved>
        : tensor<?x9x64xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>, tensor<8192x32x2xf32>
    ```
  }];
  let arguments = (ins Quern_F32Tensor:$input, Quern_PositionTensor:$at, Quern_F32Tensor:$table,
                       DefaultValuedAttr<Quern_RopeLayoutAttr, "::quern::RopeLayout::Half">:$layout);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = [{
    $input `at` $at `,` $table (`layout` $layout^)? attr-dict `:` type($input) `,` type($at) `,` type($table)
  }];
  let hasVerifier = 1;
}

def Quern_CacheAppendOp
    : Quern_Op<"cache_append",
               !listconcat(Quern_Anchor, [DeclareOpInterfaceMethods<Quern_DestinationOpInterface>,
                                          AllTypesMatch<["cache", "result"]>, Quern_Evaluated])> {
  let summary = "writes one row per token into a cache and gives the cache";
  let description = [{
    cache[T, h, d], input[s, h, d]: result = cache with result[row(at[i])] = input[i], rounded to the cache's type. The
    cache is the value of a state, which this op updates. `layout` says how it lies in memory (see
    quern-assign-cache-layouts), not what it means.

    Constraints:
    - cache_append_c1: the cache is [T, h, d], the input [s, h, d], with one position per token.

    Example:
    ```mlir
    %1 = quern.cache_append %0, %k at %at
        : tensor<8192x3x64xf16>, tensor<?x3x64xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
    ```
  }];
  let arguments = (ins Arg<Quern_FloatTensor, "", [MemRead, MemWrite]>:$cache, Quern_F32Tensor:$input,
                       Quern_PositionTensor:$at,
                       DefaultValuedAttr<Quern_CacheLayoutAttr, "::quern::CacheLayout::Lanes">:$layout);
  let results = (outs Quern_FloatTensor:$result);
  let assemblyFormat = [{
    $cache `,` $input `at` $at (`layout` $layout^)? attr-dict `:` type($cache) `,` type($input) `,` type($at)
  }];
  let hasVerifier = 1;
}

def Quern_AttendOp : Quern_InferredOp<"attend", !listconcat(Quern_Anchor, [Quern_Evaluated])> {
  let summary = "softmax(scale · q kᵀ) v over the visible rows of a cache";
  let description = [{
    query[s, h, d], keys[T, g, d], values[T, g, e] -> [s, h, e]. Query head i reads cache head ⌊i / (h/g)⌋ (Ainslie et
    al. 2023). Token i sees the rows first(at[i]) … row(at[i]), of a sliding `window` of n rows (Beltagy et al. 2020)
    only the last n of them: row j where row(at[i]) - j < n. Scores, softmax and sums in f32; where all three are bf16,
    so are the factors of v that the softmax gives. `layout` is that of the values in memory; keys lie by lanes.

    Where rows of values hold more than `elements`, their first ones are the values, and e is that number: one cache may
    hold keys that begin with the values (DeepSeek-AI 2024, section 2.1).

    Constraints:
    - attend_c1: the shapes are [s, h, d], [T, g, d] and [T, g, e].
    - attend_c2: there is one position per token.
    - attend_c3: h and g are static, h a multiple of g.
    - attend_c4: the query is f32, or query, keys and values are bf16 and d is static and even.
    - attend_c5: a window has at least one row, the token's own.
    - attend_c6: `elements` is at least 1, and at most what a row of values statically holds.

    Example:
    ```mlir
    %0 = quern.attend %q, %keys, %values at %at scale 0.125
        : tensor<?x9x64xf32, #quern.dims<s>>, tensor<8192x3x64xf16>, tensor<8192x3x64xf16>,
          tensor<?x!quern.position, #quern.dims<s>>
    %1 = quern.attend %q, %keys, %values at %at scale 0.125 window 4096
        : tensor<?x9x64xf32, #quern.dims<s>>, tensor<8192x3x64xf16>, tensor<8192x3x64xf16>,
          tensor<?x!quern.position, #quern.dims<s>>
    %2 = quern.attend %q, %keys, %keys elements 48 at %at scale 0.125
        : tensor<?x9x64xf32, #quern.dims<s>>, tensor<8192x3x64xf16>, tensor<8192x3x64xf16>,
          tensor<?x!quern.position, #quern.dims<s>>
    ```
  }];
  let arguments = (ins Quern_FloatTensor:$query, Quern_FloatTensor:$keys, Quern_FloatTensor:$values,
                       Quern_PositionTensor:$at, F64Attr:$scale,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntMinValue<1>]>>:$window,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntMinValue<1>]>>:$elements,
                       DefaultValuedAttr<Quern_CacheLayoutAttr, "::quern::CacheLayout::Lanes">:$layout);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = [{
    $query `,` $keys `,` $values (`elements` $elements^)? `at` $at `scale` $scale (`window` $window^)?
    (`layout` $layout^)? attr-dict `:` type($query) `,` type($keys) `,` type($values) `,` type($at)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

#endif // QUERN_OPS_ATTENTION_TD
