//===- Structure.td - what a module holds: parameters, states, entries ------------------------===//

#ifndef QUERN_OPS_STRUCTURE_TD
#define QUERN_OPS_STRUCTURE_TD

include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "dialect/ops/Base.td"

def Quern_ParameterOp : Quern_Op<"parameter", [Symbol, SingleBlock, NoTerminator, IsolatedFromAbove]> {
  let summary = "a constant tensor of the model, from the checkpoint or computed once at compile time";
  let description = [{
    Without a body it is the checkpoint's tensor of that name. With a body, the yielded value, evaluated by the
    reference evaluator when the weights are packed. Initialisers may read other parameters, never each other in a
    circle. `packing` is how its values lie in a binary (dialect/PackedLayout.h), dense without one; they mean the same.

    Constraints:
    - parameter_c1: the shape is static.
    - parameter_c2: the body yields one value of the parameter's type.
    - parameter_c3: a packing is one that weights of its type may have.

    Example:
    ```mlir
    quern.parameter @"model.norm.weight" : tensor<576xf32>
    quern.parameter @scaled : tensor<4xf32> {
      %w = quern.param @w : tensor<4xf32>
      %0 = quern.add %w, %w : tensor<4xf32>, tensor<4xf32>
      quern.yield %0 : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Quern_AnyTensor>:$type,
                       OptionalAttr<StrAttr>:$sym_visibility, OptionalAttr<Quern_PackingAttr>:$packing);
  let regions = (region MaxSizedRegion<1>:$init);
  let assemblyFormat = "($sym_visibility^)? $sym_name `:` $type (`packing` $packing^)? ($init^)? attr-dict";
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether the checkpoint holds it, as opposed to being computed from others.
    bool isExternal() { return getInit().empty(); }
    ::mlir::RankedTensorType getTensorType() { return ::mlir::cast<::mlir::RankedTensorType>(getType()); }
  }];
}

def Quern_StateOp : Quern_Op<"state", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "memory that a session keeps between steps";
  let description = [{
    A `cache` [T, h, d] has a row per token: the context of a text is as long as the shortest of them. A `variable` is
    one tensor, which steps read and write as a whole. A state starts as zeros, or a variable as the parameter `start`,
    and is written by ops with a destination (`DestinationOpInterface`).

    Constraints:
    - state_c1: the shape is static.
    - state_c2: a cache is [T, h, d] of floats and starts as zeros; a variable holds f32, f16, bf16 or i32.
    - state_c3: a parameter of the name of `start` exists, with the state's type.

    Example: `quern.state cache @"layers.0.cache.keys" : tensor<8192x3x64xf16>`
  }];
  let hasVerifier = 1;
  let arguments = (ins Quern_StateKindAttr:$kind, SymbolNameAttr:$sym_name, TypeAttrOf<Quern_AnyTensor>:$type,
                       OptionalAttr<FlatSymbolRefAttr>:$start);
  let assemblyFormat = "$kind $sym_name `:` $type (`starts` $start^)? attr-dict";
  let extraClassDeclaration = [{
    bool isCache() { return getKind() == StateKind::Cache; }
    ::mlir::RankedTensorType getTensorType() { return ::mlir::cast<::mlir::RankedTensorType>(getType()); }
  }];
}

def Quern_EntryOp : Quern_Op<"entry", [FunctionOpInterface, IsolatedFromAbove, Symbol]> {
  let summary = "one function of the binary's interface";
  let description = [{
    `arg_names` and `result_names` are the interface's names. `bounds` gives each symbolic dimension's largest value.
    A specialised entry names its general form in `variant_of` and the sizes it stands for in `when`.

    Constraints:
    - entry_c1: `arg_names` has one name per argument.
    - entry_c2: `result_names` has one name per result.
    - entry_c3: `bounds` and `when` hold positive integers.

    Example:
    ```mlir
    quern.entry @double(%x: tensor<?x4xf32, #quern.dims<s>>) -> tensor<?x4xf32, #quern.dims<s>>
        attributes {arg_names = ["x"], result_names = ["y"], bounds = {s = 64 : i64}} {
      %0 = quern.add %x, %x : tensor<?x4xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>
      quern.return %0 : tensor<?x4xf32, #quern.dims<s>>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<StrArrayAttr>:$arg_names, OptionalAttr<StrArrayAttr>:$result_names,
                       OptionalAttr<DictionaryAttr>:$bounds, OptionalAttr<FlatSymbolRefAttr>:$variant_of,
                       OptionalAttr<DictionaryAttr>:$when,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def Quern_ReturnOp : Quern_Op<"return", [Pure, ReturnLike, Terminator, ParentOneOf<["EntryOp"]>]> {
  let summary = "the results of an entry";
  let description = [{
    Constraints:
    - return_c1: the operands have the types of the entry's results.

    Example: `quern.return %logits : tensor<?x49152xf32, #quern.dims<r>>`
  }];
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
  let hasVerifier = 1;
}

def Quern_YieldOp : Quern_Op<"yield", [Pure, ReturnLike, Terminator]> {
  let summary = "the values of a region";
  let description = "Example: `quern.yield %0 : tensor<4xf32>`";
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
}

def Quern_ParamOp : Quern_Op<"param", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>, Quern_NamesMemory]> {
  let summary = "the value of a parameter";
  let description = [{
    Constraints:
    - param_c1: a parameter of that name exists.
    - param_c2: the result has its type.

    Example: `%w = quern.param @"model.norm.weight" : tensor<576xf32>`
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$parameter `:` type($result) attr-dict";
}

#endif // QUERN_OPS_STRUCTURE_TD
