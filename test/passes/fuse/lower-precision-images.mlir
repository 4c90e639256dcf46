// RUN: quern-opt %s --quern-lower-precision="images=false" --verify-diagnostics \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=fusion | FileCheck %s

quern.parameter @w : tensor<16x72xf32>
quern.parameter @v : tensor<8x8xf32>

// Convolutions stay where a target multiplies bf16 no faster than f32; weights of matmuls become smaller for all.
// CHECK-LABEL: quern.entry @products(
// CHECK: quern.conv2d %{{.*}}, %{{.*}} : tensor<1x9x9x8xf32>, tensor<16x72xf32>
// CHECK: %[[V:.*]] = quern.cast %{{.*}} : tensor<8x8xf32> to tensor<8x8xbf16>
// CHECK: quern.matmul %{{.*}}, %[[V]] : tensor<4x8xf32>, tensor<8x8xbf16>
quern.entry @products(%x: tensor<1x9x9x8xf32>, %y: tensor<4x8xf32>) -> (tensor<1x7x7x16xf32>, tensor<4x8xf32>) {
  %w = quern.param @w : tensor<16x72xf32>
  // expected-remark@below {{not every target multiplies bf16 faster than f32}}
  %0 = quern.conv2d %x, %w window [3, 3] layout <nhwc> : tensor<1x9x9x8xf32>, tensor<16x72xf32>
  %v = quern.param @v : tensor<8x8xf32>
  %1 = quern.matmul %y, %v : tensor<4x8xf32>, tensor<8x8xf32>
  quern.return %0, %1 : tensor<1x7x7x16xf32>, tensor<4x8xf32>
}
