//===- Passes.td - every pass of the compiler -------------------------------------------------===//

#ifndef QUERN_PASSES_TD
#define QUERN_PASSES_TD

include "mlir/Pass/PassBase.td"

//===------------------------------------------------------------------------------------------===//
// graph
//===------------------------------------------------------------------------------------------===//

def InferShapesPass : Pass<"quern-infer-shapes", "::mlir::ModuleOp"> {
  let summary = "infer the shape of each value again from the entries' arguments";
  let description = [{
    Gives a name to dynamic dimensions that have none, and reports where declared and inferred shapes contradict each
    other.
  }];
}

def SpecializeEntriesPass : Pass<"quern-specialize-entries", "::mlir::ModuleOp"> {
  let summary = "add variants of each entry for the sizes that matter";
  let description = [{
    An entry with symbolic dimensions gets a variant where all of them are 1 (one token, one row of logits), and, where
    it has two or more, one where all but the first are 1 (many tokens, one row). An entry whose rows have positions
    gets one where all are `batch`, a token each of so many sequences. The name of `forward` with s = 1 and r = 1 is
    `forward.s1.r1`.
  }];
  let options = [
    Option<"batch", "batch", "int64_t", /*default=*/"4",
           "how many sequences take a step together; with less than two there is no such variant">,
  ];
}

def HoistGathersPass : Pass<"quern-hoist-gathers", "::mlir::ModuleOp"> {
  let summary = "choose rows before they are computed";
  let description = [{
    `gather(f(x, w), i)`, of rows, becomes `f(gather(x, i), w)` where `f` computes row by row and nothing reads its
    other rows: what lies between the last attention and the logits is computed for the wanted rows alone. There are at
    most as many of them as rows of the step, or a run computes some twice. Rows of integers and masks that are computed
    are computed again, of what is gathered; products by weights that rows choose get the choices of the wanted rows, in
    an order of their own.
  }];
}

def FoldScalesPass : Pass<"quern-fold-scales", "::mlir::ModuleOp"> {
  let summary = "multiply factors of channels into the weights of convolutions";
  let description = [{
    `conv2d(x, w) · s` with one constant per output channel becomes `conv2d(x, w · s)`. A batch normalisation so becomes
    a convolution with other parameters, which are computed once, and a bias.
  }];
}

def FlattenProductsPass : Pass<"quern-flatten-products", "::mlir::ModuleOp"> {
  let summary = "products of rows where the left side has more axes";
  let description = [{
    `matmul(x, w)` by a parameter, x of [a, b, k], becomes the product of the rows [a·b, k] where a and b are static.
    Where one of them is known at run time only, a·b is no dimension, and each index of the other, 16 at most, gets a
    product of its own. Kernels read weights by panels for rows alone.
  }];
}

def CommutePoolsPass : Pass<"quern-commute-pools", "::mlir::ModuleOp"> {
  let summary = "average after a pointwise convolution that has fewer channels";
  let description = [{
    `conv2d(avg_pool(x), w)` with a window of one place becomes `avg_pool(conv2d(x, w))` where that takes fewer
    additions and products. What follows, a bias or a ReLU, then follows the pool.
  }];
}

def AssignLayoutsPass : Pass<"quern-assign-layouts", "::mlir::ModuleOp"> {
  let summary = "keep the channels of images innermost";
  let description = [{
    Convolutions and pools, and what moves or computes with their results element by element, get the layout `nhwc`;
    weights of convolutions become rows in the order of the sum. Images are transposed where they come from or go to
    something else.
  }];
}

def AssignCacheLayoutsPass : Pass<"quern-assign-cache-layouts", "::mlir::ModuleOp"> {
  let summary = "say of each cache how it lies in memory";
  let description = [{
    A state that attention reads as values, and nowhere as keys, lies by rows; every other state by lanes. A state that
    anything but attention reads is plain, as all tensors are, and so are keys beside plain values, and values beside
    plain keys; appends and attention then have the attribute `quern.plain_cache`. All ops on a state say the same.
  }];
}

def PlaceExpertsPass : Pass<"quern-place-experts", "::mlir::ModuleOp"> {
  let summary = "let experts that rows often choose lie together";
  let description = [{
    Where the attribute `quern.routing` of the module says how often the experts of an array were chosen, their weights
    lie in that order, those chosen most often first, and `group_rows` sorts slots by the places of what they chose,
    which a table says. A row's choice, and what follows from it, stays the same to the bit: only groups of slots, which
    do not depend on each other, change their order.
  }];
  let statistics = [Statistic<"numPlaced", "placed", "arrays of experts in another order">];
}

//===------------------------------------------------------------------------------------------===//
// fused
//===------------------------------------------------------------------------------------------===//

def NarrowParametersPass : Pass<"quern-narrow-parameters", "::mlir::ModuleOp"> {
  let summary = "store f16 as bf16 where nothing is lost";
  let description = [{
    A parameter of f16 that entries read by rows alone, in matmuls and gathers, and all of whose numbers are numbers of
    bf16, is read through a cast to that: most checkpoints of f16 are made from models that were trained in bf16. Such a
    weight counts as one of bf16 from here on.
  }];
  let statistics = [Statistic<"numNarrowed", "narrowed", "parameters that hold numbers of bf16">];
}

def SelectWinogradPass : Pass<"quern-select-winograd", "::mlir::ModuleOp"> {
  let summary = "convolve by fewer products where that is faster";
  let description = [{
    `conv2d(x, w)` with a constant weight whose window moves place by place becomes `winograd(x, winograd_filter(w))`,
    with the tile that costs least by a model of products, transforms and weights, if it saves a sixth of the time. The
    choice depends on one image's shape alone, so that a batch gets the bits that each image gets. Results differ from
    those of `conv2d` by rounding: in two dimensions tiles have up to 8 points along each axis, in one up to 10.
  }];
  let options = [Option<"bf16", "bf16", "bool", "false",
    "the convolutions that stay will be multiplied in bf16: twice as fast">];
}

def LowerPrecisionPass : Pass<"quern-lower-precision", "::mlir::ModuleOp"> {
  let summary = "multiply in bf16 where the model has f32 or f16";
  let description = [{
    `conv2d(x, w)` with constant w of f32 or f16 becomes `conv2d(cast(x), cast(w))` of bf16 where the channels come in
    pairs and in one group, `matmul(x, w)` becomes `matmul(x, cast(w))`, whose left side is rounded by
    `quern-quantize-activations`; a `gather` of rows of such a w reads the same cast. Sums, and all that is computed
    between products, stay f32.
  }];
  let options = [Option<"images", "images", "bool", "true", "convolutions, too: where products of bf16 are faster">];
}

def FoldParametersPass : Pass<"quern-fold-parameters", "::mlir::ModuleOp"> {
  let summary = "turn what depends on parameters and literals alone into parameters computed once";
  let description = [{
    Each maximal constant expression becomes a private `quern.parameter` with the expression as its initialiser; equal
    expressions share one. A bare parameter or a splat literal stays, and so does a value that one elementwise op
    computes from sources `growth` times smaller: its consumer's kernel computes it again for less than reading it would
    cost.
  }];
  let options = [
    Option<"growth", "growth", "int64_t", /*default=*/"8",
           "how many times larger than its sources a value of one elementwise op may be">,
  ];
  let statistics = [
    Statistic<"numFolded", "folded", "expressions that became parameters">,
    Statistic<"numShared", "shared", "expressions that an equal parameter already computed">,
  ];
}

def QuantizeActivationsPass : Pass<"quern-quantize-activations", "::mlir::ModuleOp"> {
  let summary = "round what meets a weight of blocks or of bf16, so that products are what the machine is fast at";
  let description = [{
    `matmul(x, w)` with f32 x becomes `matmul(quantize(x), w)` where w has blocks, and `matmul(cast(x), w)` of bf16
    where w is bf16 and the target (`bf16Dot` of `quern.target`) multiplies pairs of them.
  }];
}

def LowerAttentionPass : Pass<"quern-lower-attention", "::mlir::ModuleOp"> {
  let summary = "attention in bf16 where the projections before it round more than that";
  let description = [{
    `attend(q, keys, values)` with f32 q and caches of 16 bits becomes `attend(cast(q), keys, values)` with caches of
    bf16, so that products are those of pairs. All attention of the model or none: each query comes from a matmul with a
    weight of blocks or of bf16, has heads of even size, and the caches are states that only appends and attention read.
    What the target has does not matter, so that binaries for several keep one kind of state.
  }];
}

def WidenCachesPass : Pass<"quern-widen-caches", "::mlir::ModuleOp"> {
  let summary = "caches of f32 where f16 cannot hold what is written to them";
  let description = [{
    All states of f16 become f32 where one of them may be given numbers beyond 65504, or a head's are as a rule below
    2^-14, from where on f16 loses digits. What is written is bounded where it comes, but for biases, slices and
    rotations, from a matmul of a norm: with x = w ∘ u and |u| ≤ √n, each element of a matmul's row r is at most √n ·
    ‖r ∘ w‖, and as a rule ‖r ∘ w‖ (Cauchy–Schwarz; u in no direction more than in others). A state of which nothing
    is known stays; so does one that is plain.
  }];
  let options = [Option<"keep", "keep", "bool", "false", "only say so: the caches stay as they are">];
}

def FuseHorizontalPass : Pass<"quern-fuse-horizontal", "::mlir::ModuleOp"> {
  let summary = "join matmuls, and convolutions, that read one tensor";
  let description = [{
    matmul(x, a), matmul(x, b), … = slices of matmul(x, concat(a, b, …)), with their biases when each has one and the
    ops of one operand behind them. The joined weight is a parameter computed once. Pairs whose results meet in one
    elementwise op stay apart: they become one kernel without joining.

    Convolutions with equal windows, biases and activations are joined likewise, where what reads them reads parts in
    place and the cost model finds one kernel faster: that of `quern.weights_target` where the module has it, by which
    all targets of a binary join the same, else that of `quern.target`.
  }];
}

def FuseRoutingPass : Pass<"quern-fuse-routing", "::mlir::ModuleOp"> {
  let summary = "compute all between scores and products by chosen weights in one kernel";
  let description = [{
    Groups each `group_rows` with the small ops that its choices come from (`top_k`, softmax, elementwise ops), down to
    the product that gives the scores, and with those on what they give (scores of the chosen ones, weights that add up
    to 1), wherever they stand. The group has several results and ends with `group_rows`.
  }];
}

def FuseEpiloguesPass : Pass<"quern-fuse-epilogues", "::mlir::ModuleOp"> {
  let summary = "compute what follows a matmul, or another anchor, in its kernel";
  let description = [{
    Groups an anchor with the elementwise ops that consume its result alone (bias, residual, gate), a pair of matmuls on
    one tensor with the elementwise op in which they meet, and chains of elementwise ops with each other.
  }];
}

def FuseProloguesPass : Pass<"quern-fuse-prologues", "::mlir::ModuleOp"> {
  let summary = "compute what precedes a matmul, an append or an attention in its kernel";
  let description = [{
    `quantize`, and the rounding of a matmul's left side to bf16, are cloned into each consumer, so that narrow
    activations never cross a kernel's edge. `rms_norm` joins its only consumer; `slice`, reshapes that split the last
    axis, and `rope` join the append or the attention that they feed.
  }];
}

def LowerElementwisePass : Pass<"quern-lower-elementwise", "::mlir::ModuleOp"> {
  let summary = "turn elementwise ops into `quern.map`, and merge maps";
  let description = [{
    Each elementwise op and cast becomes a `quern.map` of `arith` and `math`; splat literals move into its body. A map
    that feeds only another map of the same shape becomes part of it.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def PlaceConcatsPass : Pass<"quern-place-concats", "::mlir::ModuleOp"> {
  let summary = "let every part of a concat be computed for it alone";
  let description = [{
    A concat costs nothing where each part is the result of a kernel that writes it in place. A concat that only another
    one along its axis reads becomes part of that; a part that something else reads too, or that no kernel computes, is
    copied.
  }];
}

//===------------------------------------------------------------------------------------------===//
// tiled
//===------------------------------------------------------------------------------------------===//

def PackParametersPass : Pass<"quern-pack-parameters", "::mlir::ModuleOp"> {
  let summary = "let matrices lie by panels of 16 rows";
  let description = [{
    Every parameter of rank 2 whose elements have such a layout gets the packing `panels`, whoever reads it: matmuls,
    convolutions and gathers read panels. All others stay dense, and those that a state starts as.
  }];
  let statistics = [Statistic<"numPacked", "packed", "parameters that lie by panels">];
}

def CompressParametersPass : Pass<"quern-compress-parameters", "::mlir::ModuleOp"> {
  let summary = "store bf16 in 13 bits where nothing is lost";
  let description = [{
    A weight of bf16 that entries read by rows alone, in matmuls and gathers, gets the packing `panels13` where the
    exponents of each of its rows are 0 or within 15 consecutive pairs, as its values show: a number then takes its low
    byte, a sign, and four bits for the rest of the exponent. Its type, and what every op computes, stay the same.
  }];
  let statistics = [Statistic<"numCompressed", "compressed", "parameters stored in 13 bits">];
}

def OutlineKernelsPass : Pass<"quern-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "make a kernel of each group and of each op that is in none";
  let description = [{
    The arguments stand in the order of their first use, but a state comes first; splat literals move inside. Reshapes,
    parameters and states stay in the entry. A result that no kernel computes for it alone gets a kernel that copies.
  }];
}

def DeduplicateKernelsPass : Pass<"quern-deduplicate-kernels", "::mlir::ModuleOp"> {
  let summary = "let equal kernels be one, named after what it computes";
  let statistics = [Statistic<"numRemoved", "removed", "kernels equal to another">];
}

def SelectSchedulesPass : Pass<"quern-select-schedules", "::mlir::ModuleOp"> {
  let summary = "choose each kernel's schedule for the module's target";
  let description = [{
    Reads `quern.target` on the module. A kernel that a database lists gets the database's schedule, that of the first;
    what a schedule says already stays; what it does not say is the cost model's choice. Rows for another version of a
    form, and plans that no kernel of the form may have, are ignored with a remark. A kernel without a row gets what the
    first model chooses that a database has for its family, where that is sure of something faster.
  }];
  let options = [
    ListOption<"databases", "database", "std::string", "JSON files of measured schedules">,
  ];
}

//===------------------------------------------------------------------------------------------===//
// kernels
//===------------------------------------------------------------------------------------------===//

def PlanMemoryPass : Pass<"quern-plan-memory", "::mlir::ModuleOp"> {
  let summary = "turn entries into programs over one planned arena";
  let description = [{
    Each value gets an offset by best fit over its lifetime, aligned to 64 bytes, sized by the bounds of its symbolic
    dimensions. Reshapes become aliases; arguments and results are the program's arguments. A kernel never writes where
    it reads.
  }];
  let options = [
    Option<"bound", "bound", "int64_t", /*default=*/"512",
           "the bound of symbolic dimensions that have none; 0 refuses them">,
  ];
  let statistics = [Statistic<"arenaBytes", "arena-bytes", "largest arena of a program">];
}

def VerifyKernelFormPass : Pass<"quern-verify-kernel-form", "::mlir::ModuleOp"> {
  let summary = "check what code generation relies on";
  let description = [{
    Only programs, kernels, parameters and states; one anchor, one result and a schedule per kernel; only buffer ops and
    launches in programs; every buffer inside the arena, and no two overlapping while both are in use.
  }];
}

#endif // QUERN_PASSES_TD
