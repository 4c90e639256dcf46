//===- Kernel.td - groups, kernels, calls, planned launches -----------------------------------===//

#ifndef QUERN_OPS_KERNEL_TD
#define QUERN_OPS_KERNEL_TD

include "mlir/Interfaces/FunctionInterfaces.td"
include "dialect/ops/Base.td"

def Quern_FusedOp : Quern_Op<"fused", [SingleBlock]> {
  let summary = "ops that become one kernel";
  let description = [{
    The region has no arguments: it uses values from around it.

    Constraints:
    - fused_c1: the body yields the results.

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
  let hasRegionVerifier = 1;
}

def Quern_KernelOp : Quern_Op<"kernel", [FunctionOpInterface, IsolatedFromAbove, Symbol]> {
  let summary = "one structured computation, compiled to one native function";
  let description = [{
    The body holds graph ops around one anchor, which names the form. `schedule` is all that the tuner edits.
    A result that an op writes in place (`DestinationOpInterface`) is an argument's memory: that argument, a state, is
    written. An argument that is a parameter with a packing (dialect/PackedLayout.h) has that as the attribute
    `quern.packing`. A result with the attribute `quern.part_of`, a tensor type, is written
    into a part of a larger tensor: it has that tensor's strides.

    Constraints:
    - kernel_c1: the body yields the results.
    - kernel_c2: the body holds an op of the form; a kernel of the form `map` may hold none.
    - kernel_c4: a result that is written in place is an argument, and no two results are the same one.
    - kernel_c6: the schedule says only knobs of the form, on one kind of machine, with legal values
      (dialect/Schedules.def).
    - kernel_c5: `quern.packing` is a packing that a static weight of the argument's type may have.
    - kernel_c3: `quern.part_of` is a type that differs from the result's in one static axis, which is not smaller.

    Example:
    ```mlir
    quern.kernel @project(%x: tensor<?x64xf32, #quern.dims<s>>,
                          %w: tensor<16x64xf32> {quern.packing = #quern.packing<panels>})
        -> tensor<?x16xf32, #quern.dims<s>> attributes {form = #quern.form<contract>} {
      %0 = quern.matmul %x, %w : tensor<?x64xf32, #quern.dims<s>>, tensor<16x64xf32>
      quern.yield %0 : tensor<?x16xf32, #quern.dims<s>>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       Quern_KernelFormAttr:$form, OptionalAttr<Quern_Schedule>:$schedule,
                       OptionalAttr<StrAttr>:$sym_visibility,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    /// The op that gives the kernel its form: the last anchor of the body with that form.
    ::mlir::Operation *getAnchor();
    /// The form of a kernel that has none.
    static constexpr ::quern::KernelForm formWithoutAnchor = ::quern::KernelForm::Map;
    /// The name of the argument attribute that says how a parameter lies, a `#quern.packing`.
    static constexpr ::llvm::StringLiteral packingName = "quern.packing";
    /// How the parameter that is argument `argument` lies; none where it is dense, or no parameter.
    ::std::optional<Packing> getPacking(unsigned argument);
    /// The name of the result attribute that says what the result is a part of.
    static constexpr ::llvm::StringLiteral partOfName = "quern.part_of";
    /// The tensor in whose memory result `result` lies: the one that it is a part of, or the result itself.
    ::mlir::RankedTensorType getWholeType(unsigned result = 0);
    /// The argument that result `result` is written into; null where it has memory of its own.
    ::mlir::BlockArgument getDestination(unsigned result);
    /// The arguments that a launch has as inputs, in their order: those that no result is written into.
    ::llvm::SmallVector<::mlir::BlockArgument> getInputArguments();
  }];
}

def Quern_CallOp : Quern_Op<"call", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                     DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "runs a kernel on values";
  let description = [{
    Pure, except when an operand is a state: then it may write it.

    Constraints:
    - call_c1: a kernel of that name exists.
    - call_c2: operands and results have its types.
    - call_c3: a parameter lies as the kernel's argument says.

    Example: `%0 = quern.call @project(%x, %w) : (tensor<4x64xf32>, tensor<16x64xf32>) -> tensor<4x16xf32>`
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$operands);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$kernel `(` $operands `)` `:` functional-type($operands, $results) attr-dict";
}

def Quern_StateRefOp : Quern_Op<"state_ref", [DeclareOpInterfaceMethods<SymbolUserOpInterface>, Quern_NamesMemory]> {
  let summary = "the present value of a state";
  let description = [{
    Constraints:
    - state_ref_c1: a state of that name exists.
    - state_ref_c2: the result has its type.

    Example: `%0 = quern.state_ref @cache : tensor<8192x3x64xf16>`
  }];
  let arguments = (ins FlatSymbolRefAttr:$state);
  let results = (outs Quern_AnyTensor:$result);
  let assemblyFormat = "$state `:` type($result) attr-dict";
}

def Quern_ArenaOp : Quern_Op<"arena", [Pure]> {
  let summary = "memory at a fixed offset of the program's arena";
  let description = [{
    `bytes` is the room that the plan gives it: enough for the largest sizes of named dimensions.

    Constraints:
    - arena_c1: offset and bytes are not negative.

    Example: `%0 = quern.arena 64, 4096 : !quern.buffer<tensor<?x16xf32, #quern.dims<s>>>`
  }];
  let hasVerifier = 1;
  let arguments = (ins I64Attr:$offset, I64Attr:$bytes);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$offset `,` $bytes `:` type($result) attr-dict";
}

def Quern_AliasOp : Quern_Op<"alias", [Pure]> {
  let summary = "the same memory seen with another shape";
  let description = [{
    Constraints:
    - alias_c1: the element type stays.

    Example: `%1 = quern.alias %0 : !quern.buffer<tensor<6xf32>> to !quern.buffer<tensor<2x3xf32>>`
  }];
  let arguments = (ins Quern_Buffer:$source);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$source `:` type($source) `to` type($result) attr-dict";
  let hasVerifier = 1;
}

def Quern_PartOp : Quern_Op<"part", [Pure]> {
  let summary = "a part of memory: the indices offset … of one axis, as many as the result has";
  let description = [{
    The result has the strides of the source. Kernels write parts, they do not read them.

    Constraints:
    - part_c1: the result differs from the source in one static axis at most, and lies within it.

    Example: `%1 = quern.part %0 axis 1 offset 4 : !quern.buffer<tensor<2x9xf32>> to !quern.buffer<tensor<2x3xf32>>`
  }];
  let arguments = (ins Quern_Buffer:$source, I64Attr:$axis, I64Attr:$offset);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$source `axis` $axis `offset` $offset `:` type($source) `to` type($result) attr-dict";
  let hasVerifier = 1;
}

def Quern_ParamBufferOp : Quern_Op<"param_buffer", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the packed memory of a parameter";
  let description = [{
    Constraints:
    - param_buffer_c1: a parameter of that name exists.
    - param_buffer_c2: the buffer holds its type.

    Example: `%w = quern.param_buffer @w : !quern.buffer<tensor<16x64xf32>>`
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$parameter `:` type($result) attr-dict";
}

def Quern_StateBufferOp : Quern_Op<"state_buffer", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the memory of a state";
  let description = [{
    Constraints:
    - state_buffer_c1: a state of that name exists.
    - state_buffer_c2: the buffer holds its type.

    Example: `%0 = quern.state_buffer @cache : !quern.buffer<tensor<8192x3x64xf16>>`
  }];
  let arguments = (ins FlatSymbolRefAttr:$state);
  let results = (outs Quern_Buffer:$result);
  let assemblyFormat = "$state `:` type($result) attr-dict";
}

def Quern_LaunchOp
    : Quern_Op<"launch", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<Quern_ProgramStepOpInterface>,
                          DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a kernel on buffers";
  let description = [{
    Inputs in the order of the kernel's arguments, then the buffers of its results. An argument that a result is written
    into is an output only.

    Constraints:
    - launch_c1: a kernel of that name exists.
    - launch_c2: the inputs hold the types of its arguments.
    - launch_c3: the outputs hold the types of its results.
    - launch_c4: a parameter lies as the kernel's argument says.

    Example:
    ```mlir
    quern.launch @project(%x, %w) into (%y) : !quern.buffer<tensor<4x64xf32>>, !quern.buffer<tensor<16x64xf32>>
        to !quern.buffer<tensor<4x16xf32>>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Quern_Buffer>:$inputs, Variadic<Quern_Buffer>:$outputs);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` `into` `(` $outputs `)` attr-dict `:` type($inputs) `to` type($outputs)
  }];
}

def Quern_ProgramOp : Quern_Op<"program", [FunctionOpInterface, IsolatedFromAbove, Symbol]> {
  let summary = "a straight list of launches over planned memory: an entry in kernel form";
  let description = [{
    The arguments are the entry's inputs, then one buffer per result that it fills: as many as `result_names` has, one
    where it is absent. `arena_bytes` is the peak of the planned memory. The other attributes are the entry's. The body
    ends with `quern.end`.

    Constraints:
    - program_c1: every argument is a buffer.
    - program_c2: there is an argument for each result.

    Example:
    ```mlir
    quern.program @forward(%x: !quern.buffer<tensor<4xf32>>, %y: !quern.buffer<tensor<4xf32>>)
        attributes {arg_names = ["x"], result_names = ["y"], arena_bytes = 0 : i64} {
      quern.launch @double(%x) into (%y) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
      quern.end
    }
    ```
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
  let description = "Example: `quern.end`";
  let assemblyFormat = "attr-dict";
}

#endif // QUERN_OPS_KERNEL_TD
