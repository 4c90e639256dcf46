// RUN: quern-opt %s --quern-lower-precision --split-input-file --verify-diagnostics \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=fusion | FileCheck %s

quern.parameter @w : tensor<16x72xf32>
quern.parameter @v : tensor<8x8xf32>

// Images and weights of convolutions, and weights of matmuls; an image that two of them read is rounded once.
// CHECK-LABEL: quern.entry @products(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<1x9x9x8xf32>, %[[Y:[a-z0-9]*]]: tensor<4x8xf32>
// CHECK-DAG: %[[R:.*]] = quern.cast %[[X]] : tensor<1x9x9x8xf32> to tensor<1x9x9x8xbf16>
// CHECK-DAG: %[[W:.*]] = quern.cast %{{.*}} : tensor<16x72xf32> to tensor<16x72xbf16>
// CHECK: quern.conv2d %[[R]], %[[W]] window [3, 3] layout <nhwc>
// CHECK: quern.conv2d %[[R]], %[[W]] window [3, 3] strides [2, 2] layout <nhwc>
// CHECK: %[[V:.*]] = quern.cast %{{.*}} : tensor<8x8xf32> to tensor<8x8xbf16>
// CHECK: quern.matmul %[[Y]], %[[V]] : tensor<4x8xf32>, tensor<8x8xbf16>
quern.entry @products(%x: tensor<1x9x9x8xf32>, %y: tensor<4x8xf32>) -> (tensor<1x7x7x16xf32>, tensor<1x4x4x16xf32>, tensor<4x8xf32>) {
  %w = quern.param @w : tensor<16x72xf32>
  %0 = quern.conv2d %x, %w window [3, 3] layout <nhwc> : tensor<1x9x9x8xf32>, tensor<16x72xf32>
  %1 = quern.conv2d %x, %w window [3, 3] strides [2, 2] layout <nhwc> : tensor<1x9x9x8xf32>, tensor<16x72xf32>
  %v = quern.param @v : tensor<8x8xf32>
  %2 = quern.matmul %y, %v : tensor<4x8xf32>, tensor<8x8xf32>
  quern.return %0, %1, %2 : tensor<1x7x7x16xf32>, tensor<1x4x4x16xf32>, tensor<4x8xf32>
}

// -----

quern.parameter @w : tensor<16x27xf32>
// CHECK-LABEL: quern.entry @colours(
// CHECK-NOT: quern.cast
quern.entry @colours(%x: tensor<1x9x9x3xf32>) -> tensor<1x7x7x16xf32> {
  %w = quern.param @w : tensor<16x27xf32>
  // expected-remark@below {{the channels of a group come in no pairs, or there are several groups}}
  %0 = quern.conv2d %x, %w window [3, 3] layout <nhwc> : tensor<1x9x9x3xf32>, tensor<16x27xf32>
  quern.return %0 : tensor<1x7x7x16xf32>
}

// -----

quern.parameter @w : tensor<16x36xf32>
// CHECK-LABEL: quern.entry @groups(
// CHECK-NOT: quern.cast
quern.entry @groups(%x: tensor<1x9x9x8xf32>) -> tensor<1x7x7x16xf32> {
  %w = quern.param @w : tensor<16x36xf32>
  // expected-remark@below {{the channels of a group come in no pairs, or there are several groups}}
  %0 = quern.conv2d %x, %w window [3, 3] groups 2 layout <nhwc> : tensor<1x9x9x8xf32>, tensor<16x36xf32>
  quern.return %0 : tensor<1x7x7x16xf32>
}

// -----

// CHECK-LABEL: quern.entry @at_run_time(
// CHECK-NOT: quern.cast
quern.entry @at_run_time(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32> {
  // expected-remark@below {{the weight is known at run time only}}
  %0 = quern.matmul %x, %w : tensor<4x8xf32>, tensor<8x8xf32>
  quern.return %0 : tensor<4x8xf32>
}

// -----

quern.parameter @w : tensor<8x8xf16>
// A weight of f16 that is a table, too, is rounded once for both; another table stays.
quern.parameter @t : tensor<4x8xf16>
// CHECK-LABEL: quern.entry @halves(
// CHECK: %[[W:.*]] = quern.cast %{{.*}} : tensor<8x8xf16> to tensor<8x8xbf16>
// CHECK-NOT: quern.cast
// CHECK: quern.gather %[[W]][%{{.*}}] : tensor<8x8xbf16>
// CHECK: quern.gather %{{.*}} : tensor<4x8xf16>
// CHECK: quern.matmul %{{.*}}, %[[W]] : tensor<2x8xf32>, tensor<8x8xbf16>
quern.entry @halves(%i: tensor<2xi32>) -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  %w = quern.param @w : tensor<8x8xf16>
  %t = quern.param @t : tensor<4x8xf16>
  %0 = quern.gather %w[%i] : tensor<8x8xf16>, tensor<2xi32>
  %1 = quern.gather %t[%i] : tensor<4x8xf16>, tensor<2xi32>
  %2 = quern.matmul %0, %w : tensor<2x8xf32>, tensor<8x8xf16>
  quern.return %1, %2 : tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

quern.parameter @w : tensor<8x64x!quern.block<q8_0>>
// CHECK-LABEL: quern.entry @blocks(
// CHECK-NOT: quern.cast
quern.entry @blocks(%x: tensor<4x64xf32>) -> tensor<4x8xf32> {
  %w = quern.param @w : tensor<8x64x!quern.block<q8_0>>
  // expected-remark@below {{the product is not one of f32 and a weight of f32 or f16}}
  %0 = quern.matmul %x, %w : tensor<4x64xf32>, tensor<8x64x!quern.block<q8_0>>
  quern.return %0 : tensor<4x8xf32>
}
