//===- AttrInterfaces.td - what passes ask of an attribute ------------------------------------===//

#ifndef QUERN_ATTRINTERFACES_TD
#define QUERN_ATTRINTERFACES_TD

include "mlir/IR/OpBase.td"

def Quern_TargetAttrInterface : AttrInterface<"TargetAttr"> {
  let cppNamespace = "::quern";
  let description = [{
    A machine that kernels are compiled for, as the passes see it. What one kind of machine has no word for it answers
    as if it had none: a device has no prefetches to ask for.
  }];
  let methods = [
    InterfaceMethod<"As `--target` takes it.", "::llvm::StringRef", "getName">,
    InterfaceMethod<[{Whether it is a device with a memory of its own, whose schedules have knobs of their own.}],
      "bool", "isDevice">,
    InterfaceMethod<"The width of a vector register.", "int64_t", "getVectorBits">,
    InterfaceMethod<"How many there are.", "int64_t", "getVectorRegisters">,
    InterfaceMethod<"Bytes of the first data cache of a core.", "int64_t", "getL1Bytes">,
    InterfaceMethod<"Bytes of the second.", "int64_t", "getL2Bytes">,
    InterfaceMethod<"The instruction that multiplies u8 by i8 into i32: `none` or `vnni`.",
      "::llvm::StringRef", "getDot">,
    InterfaceMethod<"Whether products of pairs of bf16 are faster than those of f32.", "bool", "getBf16Dot">,
    InterfaceMethod<"How many bytes ahead a stream of weights is to be asked for; 0: the machine sees to that.",
      "int64_t", "getPrefetchBytes">];
}

#endif // QUERN_ATTRINTERFACES_TD
