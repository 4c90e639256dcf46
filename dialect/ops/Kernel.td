//===- Kernel.td - groups, kernels, calls, planned launches -----------------------------------===//

#ifndef QUERN_OPS_KERNEL_TD
#define QUERN_OPS_KERNEL_TD

include "mlir/Interfaces/FunctionInterfaces.td"
include "dialect/ops/Base.td"

def Quern_FusedOp : Quern_Op<"fused", [SingleBlock]> {
  let summary = "ops that become one kernel";
  let description = [{
    The region has no arguments: it uses values from around it.

    Example:
    ```mlir
    %0 = quern.fused -> tensor<4x8xf32> {
      %1 = quern.matmul %x, %w : tensor<4x16xf32>, tensor<8x16xf32>
      %2 = quern.add %1, %r : tensor<4x8xf32>, tensor<4x8xf32>
      quern.yield %2 : tensor<4x8xf32>
    }
    ```
  }];
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "(`->` type($results)^)? $body attr-dict";
  let hasVerifier = 1;
}

def Quern_KernelOp : Quern_Op<"kernel", [FunctionOpInterface, IsolatedFromAbove, Symbol]> {
  let summary = "one structured computation, compiled to one native function";
  let description = [{
    The body holds graph ops around one anchor, which names the form. `schedule` is all that the tuner edits.
    One result; a kernel of the form `append` yields the state that it writes, its first argument.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       Quern_KernelFormAttr:$form, OptionalAttr<Quern_Schedule>:$schedule,
                       OptionalAttr<StrAttr>:$sym_visibility,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    /// The op that gives the kernel its form: the last anchor of the body with that form.
    ::mlir::Operation *getAnchor();
  }];
}

def Quern_CallOp : Quern_Op<"call", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                     DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "runs a kernel on values";
  let description = "Pure, except when an operand is a state: then it may write it.";
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$operands);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$kernel `(` $operands `)` `:` functional-type($operands, $results) attr-dict";
}

def Quern_StateRefOp : Quern_Op<"state_ref", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the present value of a state";
  let arguments = (ins FlatSymbolRefAttr:$state);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$state `:` type($result) attr-dict";
}

def Quern_ArenaOp : Quern_Op<"arena", [Pure]> {
  let summary = "memory at a fixed offset of the program's arena";
  let arguments = (ins I64Attr:$offset, I64Attr:$bytes);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$offset `,` $bytes `:` type($result) attr-dict";
}

def Quern_AliasOp : Quern_Op<"alias", [Pure]> {
  let summary = "the same memory seen with another shape";
  let arguments = (ins Quern_Buffer:$source);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$source `:` type($source) `to` type($result) attr-dict";
  let hasVerifier = 1;
}

def Quern_ParamBufferOp : Quern_Op<"param_buffer", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the packed memory of a parameter";
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$parameter `:` type($result) attr-dict";
}

def Quern_StateBufferOp : Quern_Op<"state_buffer", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the memory of a state";
  let arguments = (ins FlatSymbolRefAttr:$state);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$state `:` type($result) attr-dict";
}

def Quern_LaunchOp : Quern_Op<"launch", [AttrSizedOperandSegments,
                                         DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a kernel on buffers";
  let description = [{
    Inputs in the order of the kernel's arguments, then the buffer of its result. A kernel of the form `append` takes
    its first argument, the state, as its output only.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Quern_Buffer>:$inputs, Variadic<Quern_Buffer>:$outputs);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` `into` `(` $outputs `)` attr-dict `:` type($inputs) `to` type($outputs)
  }];
}

def Quern_ProgramOp : Quern_Op<"program", [FunctionOpInterface, IsolatedFromAbove, Symbol]> {
  let summary = "a straight list of launches over planned memory: an entry in kernel form";
  let description = [{
    The arguments are the entry's inputs, then one buffer per result that it fills: as many as `result_names` has, one where
    it is absent. `arena_bytes` is the peak of the planned memory. The other attributes are the entry's. The body ends
    with `quern.end`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, I64Attr:$arena_bytes,
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
    /// How many of the arguments are results.
    unsigned getNumResultBuffers() { return getResultNames() ? getResultNames()->size() : 1; }
    /// The tensors that the first arguments hold: the entry's inputs.
    ::llvm::SmallVector<::mlir::Type> getInputTypes();
  }];
}

def Quern_EndOp : Quern_Op<"end", [Terminator, ParentOneOf<["ProgramOp"]>]> {
  let summary = "the end of a program";
  let assemblyFormat = "attr-dict";
}

#endif // QUERN_OPS_KERNEL_TD
