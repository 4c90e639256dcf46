//===- Dialect.td - the quern dialect ---------------------------------------------------------===//

#ifndef QUERN_DIALECT_TD
#define QUERN_DIALECT_TD

include "mlir/IR/OpBase.td"

def Quern_Dialect : Dialect {
  let name = "quern";
  let cppNamespace = "::quern";
  let summary = "what a neural network computes, from the model's words down to kernels";
  let description = [{
    Values are builtin ranked tensors. A dynamic dimension has a name, carried by the encoding:
    `tensor<?x576xf32, #quern.dims<s>>`. Weights keep the element type of the checkpoint, which may be
    a block-quantised one: `tensor<576x576x!quern.block<q4_1>>`. Activations are f32.

    The same ops live at every level. The graph level has `quern.entry` bodies of them; fusion groups them in
    `quern.fused`; outlining moves each group into a `quern.kernel` of a known form with a `#quern.schedule`;
    memory planning leaves programs of `quern.launch` over planned buffers.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttrs();
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif // QUERN_DIALECT_TD
