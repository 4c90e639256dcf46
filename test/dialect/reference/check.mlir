// QUERN_CHECK_REFERENCE lets `quern-opt` evaluate each entry before and after each pass. Here a pass rounds activations to 8 bits,
// which a smooth function shows little of and one that turns quickly shows in full.
//
// RUN: split-file %s %t
// RUN: env QUERN_CHECK_REFERENCE=1 quern-opt %t/smooth.mlir --quern-quantize-activations | FileCheck %s --check-prefix=SMOOTH
// RUN: env QUERN_CHECK_REFERENCE=1 not quern-opt %t/rough.mlir --quern-quantize-activations 2>&1 | FileCheck %s --check-prefix=ROUGH
// RUN: env QUERN_CHECK_REFERENCE=0 quern-opt %t/rough.mlir --quern-quantize-activations | FileCheck %s --check-prefix=SMOOTH

// SMOOTH: quern.quantize
// ROUGH: error: entry `f` differs after QuantizeActivationsPass; found a difference of {{.+}}, expected at most 5.0{{.*}}e-02 of the largest value

//--- smooth.mlir
quern.parameter @w : tensor<16x64x!quern.block<q8_0>>
quern.entry @f(%x: tensor<?x64xf32, #quern.dims<s>>) -> tensor<?x16xf32, #quern.dims<s>> attributes {arg_names = ["x"]} {
  %w = quern.param @w : tensor<16x64x!quern.block<q8_0>>
  %0 = quern.matmul %x, %w : tensor<?x64xf32, #quern.dims<s>>, tensor<16x64x!quern.block<q8_0>>
  quern.return %0 : tensor<?x16xf32, #quern.dims<s>>
}

//--- rough.mlir
quern.parameter @w : tensor<16x64x!quern.block<q8_0>>
quern.entry @f(%x: tensor<?x64xf32, #quern.dims<s>>) -> tensor<?x16xf32, #quern.dims<s>> attributes {arg_names = ["x"]} {
  %w = quern.param @w : tensor<16x64x!quern.block<q8_0>>
  %0 = quern.matmul %x, %w : tensor<?x64xf32, #quern.dims<s>>, tensor<16x64x!quern.block<q8_0>>
  %scale = quern.constant dense<1000.0> : tensor<f32>
  %1 = quern.mul %0, %scale : tensor<?x16xf32, #quern.dims<s>>, tensor<f32>
  %2 = quern.sin %1 : tensor<?x16xf32, #quern.dims<s>>
  quern.return %2 : tensor<?x16xf32, #quern.dims<s>>
}
