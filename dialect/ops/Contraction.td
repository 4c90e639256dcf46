//===- Contraction.td - matmul and activation quantisation ------------------------------------===//

#ifndef QUERN_OPS_CONTRACTION_TD
#define QUERN_OPS_CONTRACTION_TD

include "dialect/ops/Base.td"

def Quern_MatmulOp
    : Quern_InferredOp<"matmul", !listconcat(Quern_Anchor, [DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>,
                                                            Quern_Evaluated])> {
  let summary = "result[…, n] = Σ_k lhs[…, k] · weight[n, k]";
  let description = [{
    The rows of the weight are outputs, as in checkpoints. With f32 on the left the weight is read as f32, exactly, and
    products are added in f32 in ascending order of k. With q8_1 on the left the weight has blocks: per group of weight
    quants q (value s·(q - z) + m) and activation quants a (value t·a) the term is s·(t·Σ(q - z)·a) + m·(t·Σa), Σ in
    i32, all else in f32; terms are added in ascending order, whatever the number of rows. With bf16 on the left the
    weight is bf16, too: products are exact in f32 and added in pairs of ascending k, the second of a pair before the
    first, as `vdpbf16ps` does; what is below the smallest normal number, read or computed, may count as 0.

    With `groups`, the order and begins that `quern.group_rows` gives for choices [s, j] of one of G groups, the weight
    is G weights [n, k] one behind the other, [G·n, k], and result[s, j, n] is the product with that of the group that
    slot j of row s chose. The left is [s, k], the same for all slots of a row, or [s, j, k].

    With `batch` B the weight is B weights [n, k], too, and result[…, b, n] is the product of lhs[…, b, k] with number
    b.

    The weight may be a value of the graph like any other, of any sizes: numbers [n, k], or [b, n, k] for one per index
    of the last but one axis of the left, `transposed` [k, n] or [b, k, n]. quern-fold-parameters turns such a weight
    that is computed from parameters alone into rows.

    Constraints:
    - matmul_c1: the weight has rank 2 or 3, and its last axis, or transposed its last but one, is the last axis of
      the left; of rank 3 its first is the last but one of the left.
    - matmul_c2: the left has elements f32, bf16 or q8_1.
    - matmul_c3: q8_1 on the left needs a weight of blocks.
    - matmul_c4: bf16 on the left needs a weight of bf16.
    - matmul_c5: groups are an order [s, j] and begins [G + 1]; G divides the rows of the weight, the left is [s, k] or
      [s, j, k].
    - matmul_c6: a batch is 1 or more, divides the rows of the weight, and is the last but one axis of the left; there
      are no groups.
    - matmul_c7: a weight that is transposed or of rank 3 has a left side of f32, no groups and no `batch`; transposed
      it has numbers.

    Example: `%0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<1536x576x!quern.block<q4_1>>`
  }];
  let arguments = (ins Quern_ActivationTensor:$lhs, Quern_WeightTensor:$weight, Variadic<Quern_I32Tensor>:$groups,
                       OptionalAttr<I64Attr>:$batch, UnitAttr:$transposed);
  let results = (outs Quern_F32Tensor:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$lhs, "::mlir::Value":$weight),
                            [{ build($_builder, $_state, lhs, weight, ::mlir::ValueRange(), ::mlir::IntegerAttr(),
                                     false); }]>,
                  OpBuilder<(ins "::mlir::Value":$lhs, "::mlir::Value":$weight, "int64_t":$batch),
                            [{ build($_builder, $_state, lhs, weight, ::mlir::ValueRange(),
                                     $_builder.getI64IntegerAttr(batch), false); }]>,
                  OpBuilder<(ins "::mlir::Value":$lhs, "::mlir::Value":$weight, "::mlir::ValueRange":$groups),
                            [{ build($_builder, $_state, lhs, weight, groups, ::mlir::IntegerAttr(), false); }]>];
  let assemblyFormat = [{
    $lhs `,` $weight (`groups` `(` $groups^ `)`)? (`batch` $batch^)? (`transposed` $transposed^)? attr-dict
    `:` type($lhs) `,` type($weight) (`,` type($groups)^)?
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// Whether each row has weights of its own choice; then the order of slots, and where those of each group begin.
    bool isGrouped() { return !getGroups().empty(); }
    ::mlir::Value getOrder() { return getGroups()[0]; }
    ::mlir::Value getBegins() { return getGroups()[1]; }
    /// Whether each index of the last but one axis has weights of its own.
    bool isBatched() { return getBatchSize() != 1; }
    int64_t getBatchSize() { return getBatch().value_or(1); }
    /// Whether the weight has the form of weights, rows [n, k] one behind the other.
    bool hasRows() {
      return !getTransposed() && ::mlir::cast<::mlir::RankedTensorType>(getWeight().getType()).getRank() == 2;
    }
    /// Whether the left side is rows [s, k], of a batch [s, b, k], as kernels by panels of weights take it.
    bool takesRows() {
      return isGrouped() ||
             ::mlir::cast<::mlir::RankedTensorType>(getLhs().getType()).getRank() == (isBatched() ? 3 : 2);
    }
    /// Whether a kernel reads the weight as a value like any other, and not by panels of rows.
    bool isOfValues();
    /// How many weights rows choose among, and the outputs of one.
    int64_t getNumGroups();
    int64_t getNumOutputs();
    /// How many slots a row has; 1 where they are not grouped.
    int64_t getNumSlots();
  }];
}

def Quern_QuantizeOp : Quern_InferredOp<"quantize", [Quern_InKernels, Quern_Evaluated]> {
  let summary = "f32 to q8_1 along the last axis";
  let description = [{
    Per 32 values: scale = max|x| / 127 in 22 bits, the others cut off, and 0 below 2^-126; quant = round-half-even(x ·
    (1 / scale)), 0 where scale is 0; and the sum of the quants. A NaN becomes 0.

    Constraints:
    - quantize_c1: the last axis is a static multiple of 32.

    Example: `%0 = quern.quantize %x : tensor<?x576xf32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_F32Tensor:$input);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasVerifier = 1;
  let extraClassDefinition = Quern_ReadsAll;
}

#endif // QUERN_OPS_CONTRACTION_TD
