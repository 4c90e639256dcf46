//===- Routing.td - which rows go through which of several weights ----------------------------===//

#ifndef QUERN_OPS_ROUTING_TD
#define QUERN_OPS_ROUTING_TD

include "dialect/ops/Base.td"

/// The answers of an anchor of routing.
defvar Quern_RoutingAnchor = Quern_ReadsAll # [{
    ::quern::KernelForm $cppClass::getKernelForm() { return ::quern::KernelForm::Routing; }
    ::llvm::StringRef $cppClass::getArithmetic() { return "f32"; }
    bool $cppClass::takesPrologue(::mlir::Operation *) { return false; }
    bool $cppClass::takesEpilogue() { return false; }
    bool $cppClass::sharesKernelWith(::quern::KernelAnchorOpInterface) { return false; }
    ::quern::ResultView $cppClass::getResultView() { return ::quern::ResultView::Dense; }
}];

def Quern_TopKOp
    : Quern_InferredOp<"top_k", !listconcat(Quern_Anchor, [DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>,
                                                         Quern_Evaluated])> {
  let summary = "the k largest values of the last axis, the largest first, and their indices";
  let description = [{
    Of equal values the one with the lower index comes first. A NaN is larger than every number, so that what is
    computed from the chosen ones shows it.

    Constraints:
    - top_k_c1: the last axis is static, and k is at least 1 and at most its size.

    Example: `%values, %indices = quern.top_k %x k 4 : tensor<?x64xf32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_F32Tensor:$input, I64Attr:$k);
  let results = (outs Quern_F32Tensor:$values, Quern_I32Tensor:$indices);
  let assemblyFormat = "$input `k` $k attr-dict `:` type($input)";
  let extraClassDefinition = Quern_RoutingAnchor;
}

def Quern_GroupRowsOp : Quern_InferredOp<"group_rows", !listconcat(Quern_Anchor, [Quern_Indexing, Quern_Evaluated])> {
  let summary = "slots in the order of the groups that they chose";
  let description = [{
    chosen[s, j] is the group of slot j of row s, or slot s·J + j in all. `order` holds every slot once, those of group
    0 first, and those of one group ascending; those of group g are at `begins[g]` … `begins[g + 1] - 1`. Every choice
    is one of the groups.

    Constraints:
    - group_rows_c1: the choices are [s, j], j static, and there is at least one group.

    Example: `%order, %begins = quern.group_rows %chosen groups 64 : tensor<?x4xi32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_I32Tensor:$chosen, I64Attr:$groups);
  let results = (outs Quern_I32Tensor:$order, Quern_I32Tensor:$begins);
  let assemblyFormat = "$chosen `groups` $groups attr-dict `:` type($chosen)";
  let extraClassDefinition = Quern_RoutingAnchor;
}

def Quern_BroadcastOp
    : Quern_InferredOp<"broadcast", [DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>, Quern_InKernels,
                                     Quern_Evaluated]> {
  let summary = "a new axis, along which all is the same";
  let description = [{
    Constraints:
    - broadcast_c1: there is room for an axis there, and the size is at least 1.
    - broadcast_c2: blocks keep their last axis.

    Example: `%0 = quern.broadcast %x axis 1 size 4 : tensor<?x64xf32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_AnyTensor:$input, I64Attr:$axis, I64Attr:$size);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$input `axis` $axis `size` $size attr-dict `:` type($input)";
  let hasVerifier = 1;
  let extraClassDefinition = Quern_ReadsAll;
}

def Quern_CombineOp : Quern_InferredOp<"combine", [DeclareOpInterfaceMethods<Quern_RowwiseOpInterface>, Quern_InKernels,
                                                   Quern_Evaluated]> {
  let summary = "weighted sums over slots: result[s, …] = Σ_j weights[s, j] · input[s, j, …]";
  let description = [{
    In f32, in ascending order of j, whatever else a step computes.

    Constraints:
    - combine_c1: the input has rank 3 or more, the weights have its first two axes, the second is static and not empty.

    Example: `%0 = quern.combine %y, %w : tensor<?x4x64xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>`
  }];
  let arguments = (ins Quern_F32Tensor:$input, Quern_F32Tensor:$weights);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = "$input `,` $weights attr-dict `:` type($input) `,` type($weights)";
}

#endif // QUERN_OPS_ROUTING_TD
