// RUN: quern-opt %s --quern-quantize-activations | FileCheck %s

quern.parameter @a : tensor<8x64x!quern.block<q4_1>>
quern.parameter @b : tensor<8x64x!quern.block<q8_0>>
quern.parameter @f : tensor<8x64xf16>
quern.parameter @odd : tensor<8x48x!quern.block<q8_0>>

// Two weights of blocks on one tensor: it is quantised once.
// CHECK-LABEL: quern.entry @blocks(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x64xf32>
// CHECK: %[[Q:.*]] = quern.quantize %[[X]]
// CHECK-NOT: quern.quantize
// CHECK: quern.matmul %[[Q]], %{{.*}} : tensor<2x64x!quern.block<q8_1>>, tensor<8x64x!quern.block<q4_1>>
// CHECK: quern.matmul %[[Q]], %{{.*}} : tensor<2x64x!quern.block<q8_1>>, tensor<8x64x!quern.block<q8_0>>
// A weight of floats reads the tensor itself.
// CHECK: quern.matmul %[[X]], %{{.*}} : tensor<2x64xf32>, tensor<8x64xf16>
quern.entry @blocks(%x: tensor<2x64xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %a = quern.param @a : tensor<8x64x!quern.block<q4_1>>
  %0 = quern.matmul %x, %a : tensor<2x64xf32>, tensor<8x64x!quern.block<q4_1>>
  %b = quern.param @b : tensor<8x64x!quern.block<q8_0>>
  %1 = quern.matmul %x, %b : tensor<2x64xf32>, tensor<8x64x!quern.block<q8_0>>
  %f = quern.param @f : tensor<8x64xf16>
  %2 = quern.matmul %x, %f : tensor<2x64xf32>, tensor<8x64xf16>
  quern.return %0, %1, %2 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}

// 48 is no multiple of 32.
// CHECK-LABEL: quern.entry @odd_depth(
// CHECK-NOT: quern.quantize
// CHECK: quern.matmul
quern.entry @odd_depth(%x: tensor<2x48xf32>) -> tensor<2x8xf32> {
  %w = quern.param @odd : tensor<8x48x!quern.block<q8_0>>
  %0 = quern.matmul %x, %w : tensor<2x48xf32>, tensor<8x48x!quern.block<q8_0>>
  quern.return %0 : tensor<2x8xf32>
}

// What is quantised already stays so.
// CHECK-LABEL: quern.entry @quantized(
// CHECK: quern.quantize
// CHECK-NOT: quern.quantize
// CHECK: quern.matmul
quern.entry @quantized(%x: tensor<2x64xf32>) -> tensor<2x8xf32> {
  %q = quern.quantize %x : tensor<2x64xf32>
  %a = quern.param @a : tensor<8x64x!quern.block<q4_1>>
  %0 = quern.matmul %q, %a : tensor<2x64x!quern.block<q8_1>>, tensor<8x64x!quern.block<q4_1>>
  quern.return %0 : tensor<2x8xf32>
}
