//===- Attrs.td - dimension names, target, schedule, kernel form ------------------------------===//

#ifndef QUERN_ATTRS_TD
#define QUERN_ATTRS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"
include "dialect/AttrInterfaces.td"
include "dialect/Dialect.td"

class Quern_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Quern_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Quern_Dims : Quern_Attr<"Dims", "dims",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "the names of a tensor's dynamic dimensions, in order";
  let description = [{
    Two dimensions with one name are equal at run time.

    Example: `tensor<?x3x?xf32, #quern.dims<s, t>>`
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$names);
  let hasCustomAssemblyFormat = 1;
}

def Quern_CpuTarget : Quern_Attr<"CpuTarget", "cpu", [Quern_TargetAttrInterface]> {
  let summary = "what the compiler knows of a processor";
  let description = [{
    The vector width in bits, caches in bytes, the instruction that multiplies u8 by i8 into i32 (`none`, `vnni`), and
    whether there is one that adds the products of pairs of bf16 to f32, faster than products of f32 are; how many bytes
    ahead a stream of weights is to be asked for, 0 where the machine sees to that.
  }];
  let parameters = (ins StringRefParameter<"">:$name, "int64_t":$vectorBits, "int64_t":$l1Bytes,
                        "int64_t":$l2Bytes, StringRefParameter<"">:$dot, "int64_t":$vectorRegisters,
                        DefaultValuedParameter<"bool", "false">:$bf16Dot,
                        DefaultValuedParameter<"int64_t", "0">:$prefetchBytes);
  let assemblyFormat = [{
    `<` $name `,` struct($vectorBits, $l1Bytes, $l2Bytes, $dot, $vectorRegisters, $bf16Dot, $prefetchBytes) `>`
  }];
  let extraClassDeclaration = "bool isDevice() const { return false; }";
}

def Quern_GpuTarget : Quern_Attr<"GpuTarget", "gpu", [Quern_TargetAttrInterface]> {
  let summary = "what the compiler knows of a device";
  let description = [{
    How many threads a block of a kernel may have, and whether its products of pairs of bf16 are faster than those of
    f32, which tensor cores' are. For estimates: how many processors it has, and threads that each of them holds at a
    time; what all of them execute and read in a nanosecond, instructions of threads and bytes of its memory; the
    nanoseconds of a launch. Where it is the first target of a binary, choices that all share, such as which weights are
    joined, are those of a processor with vectors of 512 bits.

    Example: `#quern.gpu<"opencl", blockThreads = 128, processors = 132, residentThreads = 2048,
    instructionsPerNs = 30000, bytesPerNs = 4800, launchNs = 2000>`
  }];
  let parameters = (ins StringRefParameter<"">:$name, "int64_t":$blockThreads,
                        DefaultValuedParameter<"bool", "false">:$bf16Dot, "int64_t":$processors,
                        "int64_t":$residentThreads, "int64_t":$instructionsPerNs, "int64_t":$bytesPerNs,
                        "int64_t":$launchNs);
  let assemblyFormat = [{
    `<` $name `,` struct($blockThreads, $bf16Dot, $processors, $residentThreads, $instructionsPerNs, $bytesPerNs,
                         $launchNs) `>`
  }];
  let extraClassDeclaration = [{
    bool isDevice() const { return true; }
    int64_t getVectorBits() const { return 512; }
    int64_t getVectorRegisters() const { return 32; }
    int64_t getL1Bytes() const { return 32 << 10; }
    int64_t getL2Bytes() const { return 1 << 20; }
    ::llvm::StringRef getDot() const { return "none"; }
    int64_t getPrefetchBytes() const { return 0; }
  }];
}

def Quern_Schedule : Quern_Attr<"Schedule", "schedule"> {
  let summary = "a kernel's plan: the named integers that its template's schedule takes";
  let description = [{
    Schedules.def says which names a form takes and which values are legal. `quern-select-schedules` completes a
    schedule that does not say all; templates take complete ones.

    Example: `#quern.schedule<{rows = 8 : i64, vectors = 3 : i64}>`
  }];
  let parameters = (ins "::mlir::DictionaryAttr":$parameters);
  let assemblyFormat = "`<` $parameters `>`";
  let extraClassDeclaration = [{
    /// The value of parameter `name`; none where the schedule does not say it.
    ::std::optional<int64_t> getInt(::llvm::StringRef name) const;
  }];
}

def Quern_KernelForm : I32EnumAttr<"KernelForm", "the structured form of a kernel", [
  I32EnumAttrCase<"Map", 0, "map">, I32EnumAttrCase<"Rows", 1, "rows">,
  I32EnumAttrCase<"Contract", 2, "contract">, I32EnumAttrCase<"Attention", 3, "attention">,
  I32EnumAttrCase<"Gather", 4, "gather">, I32EnumAttrCase<"Append", 5, "append">,
  I32EnumAttrCase<"Conv", 6, "conv">, I32EnumAttrCase<"Pool", 7, "pool">,
  I32EnumAttrCase<"Winograd", 8, "winograd">, I32EnumAttrCase<"Experts", 9, "experts">,
  I32EnumAttrCase<"Routing", 10, "routing">, I32EnumAttrCase<"Values", 11, "values">]> {
  let cppNamespace = "::quern";
  let genSpecializedAttr = 0;
}
def Quern_KernelFormAttr : EnumAttr<Quern_Dialect, Quern_KernelForm, "form"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quern_RopeLayout : I32EnumAttr<"RopeLayout", "which elements rotary embedding pairs", [
  I32EnumAttrCase<"Half", 0, "half">, I32EnumAttrCase<"Interleaved", 1, "interleaved">]> {
  let cppNamespace = "::quern";
  let genSpecializedAttr = 0;
}
def Quern_RopeLayoutAttr : EnumAttr<Quern_Dialect, Quern_RopeLayout, "rope_layout"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quern_ImageLayout : I32EnumAttr<"ImageLayout", "the order of an image's axes", [
  I32EnumAttrCase<"NCHW", 0, "nchw">, I32EnumAttrCase<"NHWC", 1, "nhwc">]> {
  let cppNamespace = "::quern";
  let genSpecializedAttr = 0;
}
def Quern_ImageLayoutAttr : EnumAttr<Quern_Dialect, Quern_ImageLayout, "layout"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quern_CacheLayout : I32EnumAttr<"CacheLayout",
  "how 16 rows of a cache lie in memory: element by element, or row by row", [
  I32EnumAttrCase<"Lanes", 0, "lanes">, I32EnumAttrCase<"Rows", 1, "rows">]> {
  let cppNamespace = "::quern";
  let genSpecializedAttr = 0;
}
def Quern_CacheLayoutAttr : EnumAttr<Quern_Dialect, Quern_CacheLayout, "cache_layout"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quern_Packing : I32EnumAttr<"Packing",
  "how a weight lies in a binary: panels of 16 rows, or such panels with bf16 in 13 bits", [
  I32EnumAttrCase<"Panels", 0, "panels">, I32EnumAttrCase<"Panels13", 1, "panels13">]> {
  let cppNamespace = "::quern";
  let genSpecializedAttr = 0;
}
def Quern_PackingAttr : EnumAttr<Quern_Dialect, Quern_Packing, "packing"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quern_StateKind : I32EnumAttr<"StateKind",
  "what a state is: rows of tokens, which positions say, or numbers that every step sees whole", [
  I32EnumAttrCase<"Cache", 0, "cache">, I32EnumAttrCase<"Variable", 1, "variable">]> {
  let cppNamespace = "::quern";
  let genSpecializedAttr = 0;
}
def Quern_StateKindAttr : EnumAttr<Quern_Dialect, Quern_StateKind, "state_kind"> {
  let assemblyFormat = "$value";
}

def Quern_ReduceKind : I32EnumAttr<"ReduceKind", "what a reduction computes", [
  I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 1, "max">,
  I32EnumAttrCase<"Mean", 2, "mean">]> {
  let cppNamespace = "::quern";
  let genSpecializedAttr = 0;
}
def Quern_ReduceKindAttr : EnumAttr<Quern_Dialect, Quern_ReduceKind, "reduce_kind"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quern_Compare : I32EnumAttr<"ComparePredicate", "an ordered comparison", [
  I32EnumAttrCase<"LT", 0, "lt">, I32EnumAttrCase<"LE", 1, "le">, I32EnumAttrCase<"GT", 2, "gt">,
  I32EnumAttrCase<"GE", 3, "ge">, I32EnumAttrCase<"EQ", 4, "eq">, I32EnumAttrCase<"NE", 5, "ne">]> {
  let cppNamespace = "::quern";
  let genSpecializedAttr = 0;
}
def Quern_CompareAttr : EnumAttr<Quern_Dialect, Quern_Compare, "compare"> {
  let assemblyFormat = "`<` $value `>`";
}

#endif // QUERN_ATTRS_TD
