//===- Base.td - what every op family builds on -----------------------------------------------===//

#ifndef QUERN_OPS_BASE_TD
#define QUERN_OPS_BASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialect/Dialect.td"
include "dialect/Types.td"
include "dialect/Attrs.td"
include "dialect/Interfaces.td"

class Quern_Op<string opMnemonic, list<Trait> traits = []> : Op<Quern_Dialect, opMnemonic, traits>;

/// An op whose result type follows from its operands and attributes; the builder needs no type.
class Quern_InferredOp<string opMnemonic, list<Trait> traits = []>
    : Quern_Op<opMnemonic, !listconcat(traits,
        [Pure, InferTypeOpAdaptor])>;

/// The traits of an op that the reference evaluator computes by a loop of its own.
defvar Quern_Evaluated = DeclareOpInterfaceMethods<Quern_ReferenceOpInterface>;

/// The traits of an op that says the shape of a result whose type its builder takes.
defvar Quern_InfersShape = DeclareOpInterfaceMethods<Quern_ShapeOpInterface>;

/// The traits of an op that indexes.
defvar Quern_Indexing = DeclareOpInterfaceMethods<Quern_IndexingOpInterface>;

/// The traits of an op that may stand in a kernel.
defvar Quern_InKernels = DeclareOpInterfaceMethods<Quern_KernelOpInterface>;
/// The answers of one that reads its operands as a whole, and whose operations are few beside that.
defvar Quern_ReadsAll = [{
  ::std::optional<::quern::WorkTerm> $cppClass::getElementsRead(::mlir::OpOperand &) { return ::std::nullopt; }
  ::llvm::SmallVector<::quern::WorkTerm> $cppClass::getOperations() { return {}; }
}];

/// Names memory, sees it with another shape, or is its parts: an entry keeps it, and no kernel is made of it.
def Quern_NamesMemory : NativeOpTrait<"NamesMemory"> {
  let cppNamespace = "::quern";
}

/// The traits of an op that gives a kernel its form.
defvar Quern_Anchor = [DeclareOpInterfaceMethods<Quern_KernelAnchorOpInterface>, Quern_InKernels];

def Quern_AnyTensor : AnyTypeOf<[AnyRankedTensor]>;
def Quern_F32Tensor : RankedTensorOf<[F32]>;
def Quern_I32Tensor : RankedTensorOf<[I32]>;
def Quern_BoolTensor : RankedTensorOf<[I1]>;
def Quern_FloatTensor : RankedTensorOf<[F32, F16, BF16]>;
/// A weight as stored: floats or quantised blocks.
def Quern_WeightTensor : RankedTensorOf<[F32, F16, BF16, Quern_Block]>;
/// What a contraction reads on its left: f32, or activations rounded to bf16 or quantised to q8_1.
def Quern_ActivationTensor : RankedTensorOf<[F32, BF16, Quern_Block]>;
/// What a convolution reads: f32, or images rounded to bf16.
def Quern_ConvolvedTensor : RankedTensorOf<[F32, BF16]>;
/// What is chosen of by indices: a weight as stored, or numbers of any kind.
def Quern_TableTensor : RankedTensorOf<[F32, F16, BF16, I32, I1, Quern_Block]>;
def Quern_PositionTensor : RankedTensorOf<[Quern_Position]>;

#endif // QUERN_OPS_BASE_TD
