// RUN: quern-opt %s --quern-fuse-horizontal --split-input-file --verify-diagnostics \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=fusion | FileCheck %s
// RUN: quern-opt %s --quern-fuse-horizontal --split-input-file --remark-format=emitRemark --remarks-filter-passed=fusion \
// RUN:   2>&1 >/dev/null | FileCheck %s --check-prefix=FUSED

quern.parameter @q : tensor<8x64xf32>
quern.parameter @k : tensor<4x64xf32>
quern.parameter @v : tensor<4x64xf32>

// Three weights on one tensor: one matmul on their rows, and a slice for each.
// CHECK: quern.parameter "private" @"q+k+v" : tensor<16x64xf32> {
// CHECK-NEXT: %[[Q:.*]] = quern.param @q
// CHECK-NEXT: %[[K:.*]] = quern.param @k
// CHECK-NEXT: %[[V:.*]] = quern.param @v
// CHECK-NEXT: %[[ALL:.*]] = quern.concat %[[Q]], %[[K]], %[[V]] axis 0
// CHECK-NEXT: quern.yield %[[ALL]]
// CHECK-LABEL: quern.entry @attention(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x64xf32>
// CHECK: %[[W:.*]] = quern.param @"q+k+v"
// CHECK-NEXT: %[[P:.*]] = quern.matmul %[[X]], %[[W]]
// CHECK-DAG: %[[A:.*]] = quern.slice %[[P]] axis 1 offset 0 size 8
// CHECK-DAG: %[[B:.*]] = quern.slice %[[P]] axis 1 offset 8 size 4
// CHECK-DAG: %[[C:.*]] = quern.slice %[[P]] axis 1 offset 12 size 4
// CHECK: quern.return %[[A]], %[[B]], %[[C]]
// FUSED: matmul | {{.*}}Function=attention | Reason="one product by joined weights reads the tensor once"
quern.entry @attention(%x: tensor<2x64xf32>) -> (tensor<2x8xf32>, tensor<2x4xf32>, tensor<2x4xf32>) {
  %q = quern.param @q : tensor<8x64xf32>
  %0 = quern.matmul %x, %q : tensor<2x64xf32>, tensor<8x64xf32>
  %k = quern.param @k : tensor<4x64xf32>
  %1 = quern.matmul %x, %k : tensor<2x64xf32>, tensor<4x64xf32>
  %v = quern.param @v : tensor<4x64xf32>
  %2 = quern.matmul %x, %v : tensor<2x64xf32>, tensor<4x64xf32>
  quern.return %0, %1, %2 : tensor<2x8xf32>, tensor<2x4xf32>, tensor<2x4xf32>
}

// Another entry uses the same joined parameter.
// CHECK-NOT: quern.parameter
// CHECK-LABEL: quern.entry @again(
// CHECK: quern.param @"q+k+v"
quern.entry @again(%x: tensor<1x64xf32>) -> (tensor<1x8xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
  %q = quern.param @q : tensor<8x64xf32>
  %0 = quern.matmul %x, %q : tensor<1x64xf32>, tensor<8x64xf32>
  %k = quern.param @k : tensor<4x64xf32>
  %1 = quern.matmul %x, %k : tensor<1x64xf32>, tensor<4x64xf32>
  %v = quern.param @v : tensor<4x64xf32>
  %2 = quern.matmul %x, %v : tensor<1x64xf32>, tensor<4x64xf32>
  quern.return %0, %1, %2 : tensor<1x8xf32>, tensor<1x4xf32>, tensor<1x4xf32>
}

// -----

quern.parameter @a : tensor<4x32x!quern.block<q8_0>>
quern.parameter @b : tensor<4x32x!quern.block<q8_0>>
quern.parameter @bias_a : tensor<4xf32>
quern.parameter @bias_b : tensor<4xf32>

// Where each has a bias, the biases are joined too; one quantised tensor is one tensor.
// CHECK-LABEL: quern.entry @biases(
// CHECK: %[[Q:.*]] = quern.quantize
// CHECK: %[[W:.*]] = quern.param @"a+b"
// CHECK-NEXT: %[[P:.*]] = quern.matmul %[[Q]], %[[W]]
// CHECK-NEXT: %[[BIAS:.*]] = quern.param @"bias_a+bias_b"
// CHECK-NEXT: %[[SUM:.*]] = quern.add %[[P]], %[[BIAS]]
// CHECK-DAG: quern.slice %[[SUM]] axis 1 offset 0 size 4
// CHECK-DAG: quern.slice %[[SUM]] axis 1 offset 4 size 4
// CHECK-NOT: quern.add
// CHECK: quern.return
quern.entry @biases(%x: tensor<2x32xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %x8 = quern.quantize %x : tensor<2x32xf32>
  %a = quern.param @a : tensor<4x32x!quern.block<q8_0>>
  %0 = quern.matmul %x8, %a : tensor<2x32x!quern.block<q8_1>>, tensor<4x32x!quern.block<q8_0>>
  %bias_a = quern.param @bias_a : tensor<4xf32>
  %1 = quern.add %0, %bias_a : tensor<2x4xf32>, tensor<4xf32>
  %b = quern.param @b : tensor<4x32x!quern.block<q8_0>>
  %2 = quern.matmul %x8, %b : tensor<2x32x!quern.block<q8_1>>, tensor<4x32x!quern.block<q8_0>>
  %bias_b = quern.param @bias_b : tensor<4xf32>
  %3 = quern.add %2, %bias_b : tensor<2x4xf32>, tensor<4xf32>
  quern.return %1, %3 : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

quern.parameter @a : tensor<4x32xf32>
quern.parameter @b : tensor<4x32xf32>
quern.parameter @bias_a : tensor<4xf32>

// One bias of two stays behind its slice.
// CHECK-LABEL: quern.entry @one_bias(
// CHECK: %[[P:.*]] = quern.matmul
// CHECK: %[[A:.*]] = quern.slice %[[P]] axis 1 offset 0
// CHECK: quern.add %[[A]]
quern.entry @one_bias(%x: tensor<2x32xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %a = quern.param @a : tensor<4x32xf32>
  %0 = quern.matmul %x, %a : tensor<2x32xf32>, tensor<4x32xf32>
  %bias_a = quern.param @bias_a : tensor<4xf32>
  %1 = quern.add %0, %bias_a : tensor<2x4xf32>, tensor<4xf32>
  %b = quern.param @b : tensor<4x32xf32>
  %2 = quern.matmul %x, %b : tensor<2x32xf32>, tensor<4x32xf32>
  quern.return %1, %2 : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

quern.parameter @gate : tensor<8x32xf32>
quern.parameter @up : tensor<8x32xf32>

// silu(gate) · up meet in the product: left to the epilogues.
// CHECK-LABEL: quern.entry @swiglu(
// CHECK-NOT: quern.slice
// CHECK: quern.return
quern.entry @swiglu(%x: tensor<2x32xf32>) -> tensor<2x8xf32> {
  %g = quern.param @gate : tensor<8x32xf32>
  // expected-remark@below {{the results meet in an elementwise op, where they become one kernel without joining}}
  %0 = quern.matmul %x, %g : tensor<2x32xf32>, tensor<8x32xf32>
  %1 = quern.silu %0 : tensor<2x8xf32>
  %u = quern.param @up : tensor<8x32xf32>
  // expected-remark@below {{the results meet in an elementwise op, where they become one kernel without joining}}
  %2 = quern.matmul %x, %u : tensor<2x32xf32>, tensor<8x32xf32>
  %3 = quern.mul %1, %2 : tensor<2x8xf32>, tensor<2x8xf32>
  quern.return %3 : tensor<2x8xf32>
}

// -----

quern.parameter @a : tensor<4x32xf32>
quern.parameter @b : tensor<4x32xf16>
quern.parameter @c : tensor<4x32xf16>

// Other element types are joined with their own kind only, wherever the odd one stands.
// CHECK-LABEL: quern.entry @types(
// CHECK: quern.matmul %{{.*}} : tensor<2x32xf32>, tensor<4x32xf32>
// CHECK: quern.matmul %{{.*}} : tensor<2x32xf32>, tensor<8x32xf16>
// CHECK-NOT: quern.matmul
quern.entry @types(%x: tensor<2x32xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) {
  %a = quern.param @a : tensor<4x32xf32>
  // expected-remark@below {{the other weights on this tensor have other element types}}
  %0 = quern.matmul %x, %a : tensor<2x32xf32>, tensor<4x32xf32>
  %b = quern.param @b : tensor<4x32xf16>
  // expected-remark@below {{the other weights on this tensor have other element types}}
  %1 = quern.matmul %x, %b : tensor<2x32xf32>, tensor<4x32xf16>
  %c = quern.param @c : tensor<4x32xf16>
  %2 = quern.matmul %x, %c : tensor<2x32xf32>, tensor<4x32xf16>
  quern.return %0, %1, %2 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

quern.parameter @tied : tensor<4x32xf32>
quern.parameter @b : tensor<4x32xf32>

// A tied weight would be stored twice.
// CHECK-LABEL: quern.entry @tied_weight(
// CHECK-NOT: quern.slice
// CHECK: quern.return
quern.entry @tied_weight(%x: tensor<2x32xf32>, %i: tensor<1xi32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<1x32xf32>) {
  %a = quern.param @tied : tensor<4x32xf32>
  %row = quern.gather %a[%i] : tensor<4x32xf32>, tensor<1xi32>
  // expected-remark@below {{the weight has other uses, so joining it would store it twice}}
  %0 = quern.matmul %x, %a : tensor<2x32xf32>, tensor<4x32xf32>
  %b = quern.param @b : tensor<4x32xf32>
  %1 = quern.matmul %x, %b : tensor<2x32xf32>, tensor<4x32xf32>
  quern.return %0, %1, %row : tensor<2x4xf32>, tensor<2x4xf32>, tensor<1x32xf32>
}

// -----

quern.parameter @b : tensor<4x32xf32>

// A weight that is computed is no parameter to join.
// CHECK-LABEL: quern.entry @computed(
// CHECK-NOT: quern.slice
// CHECK: quern.return
quern.entry @computed(%x: tensor<2x32xf32>, %a: tensor<4x32xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  // expected-remark@below {{the weight is no parameter}}
  %0 = quern.matmul %x, %a : tensor<2x32xf32>, tensor<4x32xf32>
  %b = quern.param @b : tensor<4x32xf32>
  %1 = quern.matmul %x, %b : tensor<2x32xf32>, tensor<4x32xf32>
  quern.return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

quern.parameter @a : tensor<4x32xf32>
quern.parameter @b : tensor<4x32xf32>

// Two tensors are two matmuls.
// CHECK-LABEL: quern.entry @two_tensors(
// CHECK-NOT: quern.slice
// CHECK: quern.return
quern.entry @two_tensors(%x: tensor<2x32xf32>, %y: tensor<2x32xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %a = quern.param @a : tensor<4x32xf32>
  %0 = quern.matmul %x, %a : tensor<2x32xf32>, tensor<4x32xf32>
  %b = quern.param @b : tensor<4x32xf32>
  %1 = quern.matmul %y, %b : tensor<2x32xf32>, tensor<4x32xf32>
  quern.return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni", vectorRegisters = 32>} {

quern.parameter @a : tensor<128x256xf32>
quern.parameter @b : tensor<64x256xf32>
quern.parameter @bias_a : tensor<128xf32>
quern.parameter @bias_b : tensor<64xf32>
quern.parameter @next_a : tensor<16x1152xf32>
quern.parameter @next_b : tensor<16x576xf32>

// Convolutions of one image, their biases and activations: their readers take slices.
// CHECK: quern.parameter "private" @"a+b" : tensor<192x256xf32>
// CHECK: quern.parameter "private" @"bias_a+bias_b" : tensor<192xf32>
// CHECK-LABEL: quern.entry @convolutions(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<1x17x17x256xf32>
// CHECK: %[[W:.*]] = quern.param @"a+b"
// CHECK-NEXT: %[[C:.*]] = quern.conv2d %[[X]], %[[W]] window [1, 1] layout <nhwc>
// CHECK-NEXT: %[[BIAS:.*]] = quern.param @"bias_a+bias_b"
// CHECK-NEXT: %[[S:.*]] = quern.add %[[C]], %[[BIAS]]
// CHECK-NEXT: %[[R:.*]] = quern.relu %[[S]] : tensor<1x17x17x192xf32>
// CHECK-DAG: %[[A:.*]] = quern.slice %[[R]] axis 3 offset 0 size 128
// CHECK-DAG: %[[B:.*]] = quern.slice %[[R]] axis 3 offset 128 size 64
// CHECK-NOT: quern.relu
// CHECK-DAG: quern.conv2d %[[A]], %{{.*}} window [3, 3]
// CHECK-DAG: quern.conv2d %[[B]], %{{.*}} window [3, 3]
// CHECK: quern.return
quern.entry @convolutions(%x: tensor<1x17x17x256xf32>) -> (tensor<1x15x15x16xf32>, tensor<1x15x15x16xf32>) {
  %a = quern.param @a : tensor<128x256xf32>
  %0 = quern.conv2d %x, %a window [1, 1] layout <nhwc> : tensor<1x17x17x256xf32>, tensor<128x256xf32>
  %bias_a = quern.param @bias_a : tensor<128xf32>
  %1 = quern.add %0, %bias_a : tensor<1x17x17x128xf32>, tensor<128xf32>
  %2 = quern.relu %1 : tensor<1x17x17x128xf32>
  %b = quern.param @b : tensor<64x256xf32>
  %3 = quern.conv2d %x, %b window [1, 1] layout <nhwc> : tensor<1x17x17x256xf32>, tensor<64x256xf32>
  %bias_b = quern.param @bias_b : tensor<64xf32>
  %4 = quern.add %3, %bias_b : tensor<1x17x17x64xf32>, tensor<64xf32>
  %5 = quern.relu %4 : tensor<1x17x17x64xf32>
  %next_a = quern.param @next_a : tensor<16x1152xf32>
  %6 = quern.conv2d %2, %next_a window [3, 3] layout <nhwc> : tensor<1x17x17x128xf32>, tensor<16x1152xf32>
  %next_b = quern.param @next_b : tensor<16x576xf32>
  %7 = quern.conv2d %5, %next_b window [3, 3] layout <nhwc> : tensor<1x17x17x64xf32>, tensor<16x576xf32>
  quern.return %6, %7 : tensor<1x15x15x16xf32>, tensor<1x15x15x16xf32>
}

}

// -----

module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni", vectorRegisters = 32>} {

quern.parameter @a : tensor<48x256xf32>
quern.parameter @b : tensor<64x256xf32>
quern.parameter @next_a : tensor<16x432xf32>
quern.parameter @next_b : tensor<16x576xf32>

// Tiles of 3 and of 4 panels fit 48 and 64 channels; none fits 112.
// CHECK-LABEL: quern.entry @tiles(
// CHECK-NOT: quern.slice
// CHECK: quern.return
quern.entry @tiles(%x: tensor<1x35x35x256xf32>) -> (tensor<1x33x33x16xf32>, tensor<1x33x33x16xf32>) {
  %a = quern.param @a : tensor<48x256xf32>
  // expected-remark@below {{one product would not take less time}}
  %0 = quern.conv2d %x, %a window [1, 1] layout <nhwc> : tensor<1x35x35x256xf32>, tensor<48x256xf32>
  %b = quern.param @b : tensor<64x256xf32>
  %1 = quern.conv2d %x, %b window [1, 1] layout <nhwc> : tensor<1x35x35x256xf32>, tensor<64x256xf32>
  %next_a = quern.param @next_a : tensor<16x432xf32>
  %2 = quern.conv2d %0, %next_a window [3, 3] layout <nhwc> : tensor<1x35x35x48xf32>, tensor<16x432xf32>
  %next_b = quern.param @next_b : tensor<16x576xf32>
  %3 = quern.conv2d %1, %next_b window [3, 3] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<16x576xf32>
  quern.return %2, %3 : tensor<1x33x33x16xf32>, tensor<1x33x33x16xf32>
}

}

// -----

module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni", vectorRegisters = 32>} {

quern.parameter @a : tensor<128x256xf32>
quern.parameter @b : tensor<64x256xf32>
quern.parameter @c : tensor<64x2304xf32>
quern.parameter @bias : tensor<128xf32>
quern.parameter @next_a : tensor<16x1152xf32>
quern.parameter @next_b : tensor<16x576xf32>

// A bias or an activation of one of them, or another window, stands between.
// CHECK-LABEL: quern.entry @different(
// CHECK-NOT: quern.slice
// CHECK: quern.return
quern.entry @different(%x: tensor<1x17x17x256xf32>) -> (tensor<1x15x15x16xf32>, tensor<1x15x15x16xf32>, tensor<1x13x13x16xf32>) {
  %a = quern.param @a : tensor<128x256xf32>
  // expected-remark@below {{the other convolutions of this tensor have other elements, windows, biases or activations}}
  %0 = quern.conv2d %x, %a window [1, 1] layout <nhwc> : tensor<1x17x17x256xf32>, tensor<128x256xf32>
  %bias = quern.param @bias : tensor<128xf32>
  %1 = quern.add %0, %bias : tensor<1x17x17x128xf32>, tensor<128xf32>
  %b = quern.param @b : tensor<64x256xf32>
  // expected-remark@below {{the other convolutions of this tensor have other elements, windows, biases or activations}}
  %2 = quern.conv2d %x, %b window [1, 1] layout <nhwc> : tensor<1x17x17x256xf32>, tensor<64x256xf32>
  %c = quern.param @c : tensor<64x2304xf32>
  // expected-remark@below {{the other convolutions of this tensor have other elements, windows, biases or activations}}
  %3 = quern.conv2d %x, %c window [3, 3] layout <nhwc> : tensor<1x17x17x256xf32>, tensor<64x2304xf32>
  %next_a = quern.param @next_a : tensor<16x1152xf32>
  %4 = quern.conv2d %1, %next_a window [3, 3] layout <nhwc> : tensor<1x17x17x128xf32>, tensor<16x1152xf32>
  %next_b = quern.param @next_b : tensor<16x576xf32>
  %5 = quern.conv2d %2, %next_b window [3, 3] layout <nhwc> : tensor<1x17x17x64xf32>, tensor<16x576xf32>
  %6 = quern.conv2d %3, %next_b window [3, 3] layout <nhwc> : tensor<1x15x15x64xf32>, tensor<16x576xf32>
  quern.return %4, %5, %6 : tensor<1x15x15x16xf32>, tensor<1x15x15x16xf32>, tensor<1x13x13x16xf32>
}

}

// -----

module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni", vectorRegisters = 32>} {

quern.parameter @a : tensor<128x256xf32>
quern.parameter @b : tensor<128x256xf32>
quern.parameter @c : tensor<64x128xf32>
quern.parameter @next : tensor<16x1152xf32>

// A concat would copy a slice that its part writes in place; so would a result. Groups are not rows of one product.
// CHECK-LABEL: quern.entry @readers(
// CHECK-NOT: quern.slice
// CHECK: quern.return
quern.entry @readers(%x: tensor<1x17x17x256xf32>) -> (tensor<1x15x15x16xf32>, tensor<1x17x17x192xf32>) {
  %a = quern.param @a : tensor<128x256xf32>
  %0 = quern.conv2d %x, %a window [1, 1] layout <nhwc> : tensor<1x17x17x256xf32>, tensor<128x256xf32>
  %b = quern.param @b : tensor<128x256xf32>
  // expected-remark@below {{not only convolutions and pools read the result; others would lose a fusion or copy their part}}
  %1 = quern.conv2d %x, %b window [1, 1] layout <nhwc> : tensor<1x17x17x256xf32>, tensor<128x256xf32>
  %c = quern.param @c : tensor<64x128xf32>
  // expected-remark@below {{the convolution has groups, or its channels are not last}}
  %2 = quern.conv2d %x, %c window [1, 1] groups 2 layout <nhwc> : tensor<1x17x17x256xf32>, tensor<64x128xf32>
  %next = quern.param @next : tensor<16x1152xf32>
  %3 = quern.conv2d %0, %next window [3, 3] layout <nhwc> : tensor<1x17x17x128xf32>, tensor<16x1152xf32>
  %4 = quern.concat %1, %2 axis 3 : tensor<1x17x17x128xf32>, tensor<1x17x17x64xf32>
  quern.return %3, %4 : tensor<1x15x15x16xf32>, tensor<1x17x17x192xf32>
}

}

// -----

module attributes {quern.target = #quern.cpu<"x86-64-v3", vectorBits = 256, l1Bytes = 32768, l2Bytes = 262144, dot = "none", vectorRegisters = 16, prefetchBytes = 1024>} {

quern.parameter @a : tensor<48x256xf32>
quern.parameter @b : tensor<64x256xf32>
quern.parameter @next_a : tensor<16x432xf32>
quern.parameter @next_b : tensor<16x576xf32>

// A processor of narrower vectors has other tiles.
// CHECK-LABEL: quern.entry @narrow(
// CHECK-COUNT-2: quern.slice
// CHECK: quern.return
quern.entry @narrow(%x: tensor<1x35x35x256xf32>) -> (tensor<1x33x33x16xf32>, tensor<1x33x33x16xf32>) {
  %a = quern.param @a : tensor<48x256xf32>
  %0 = quern.conv2d %x, %a window [1, 1] layout <nhwc> : tensor<1x35x35x256xf32>, tensor<48x256xf32>
  %b = quern.param @b : tensor<64x256xf32>
  %1 = quern.conv2d %x, %b window [1, 1] layout <nhwc> : tensor<1x35x35x256xf32>, tensor<64x256xf32>
  %next_a = quern.param @next_a : tensor<16x432xf32>
  %2 = quern.conv2d %0, %next_a window [3, 3] layout <nhwc> : tensor<1x35x35x48xf32>, tensor<16x432xf32>
  %next_b = quern.param @next_b : tensor<16x576xf32>
  %3 = quern.conv2d %1, %next_b window [3, 3] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<16x576xf32>
  quern.return %2, %3 : tensor<1x33x33x16xf32>, tensor<1x33x33x16xf32>
}

}

// -----

module attributes {quern.target = #quern.cpu<"x86-64-v3", vectorBits = 256, l1Bytes = 32768, l2Bytes = 262144, dot = "none", vectorRegisters = 16, prefetchBytes = 1024>, quern.weights_target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni", vectorRegisters = 32>} {

quern.parameter @a : tensor<48x256xf32>
quern.parameter @b : tensor<64x256xf32>
quern.parameter @next_a : tensor<16x432xf32>
quern.parameter @next_b : tensor<16x576xf32>

// Its binary has another target, too, which decides for both: they share the weights.
// CHECK-LABEL: quern.entry @shared(
// CHECK-NOT: quern.slice
// CHECK: quern.return
quern.entry @shared(%x: tensor<1x35x35x256xf32>) -> (tensor<1x33x33x16xf32>, tensor<1x33x33x16xf32>) {
  %a = quern.param @a : tensor<48x256xf32>
  // expected-remark@below {{one product would not take less time}}
  %0 = quern.conv2d %x, %a window [1, 1] layout <nhwc> : tensor<1x35x35x256xf32>, tensor<48x256xf32>
  %b = quern.param @b : tensor<64x256xf32>
  %1 = quern.conv2d %x, %b window [1, 1] layout <nhwc> : tensor<1x35x35x256xf32>, tensor<64x256xf32>
  %next_a = quern.param @next_a : tensor<16x432xf32>
  %2 = quern.conv2d %0, %next_a window [3, 3] layout <nhwc> : tensor<1x35x35x48xf32>, tensor<16x432xf32>
  %next_b = quern.param @next_b : tensor<16x576xf32>
  %3 = quern.conv2d %1, %next_b window [3, 3] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<16x576xf32>
  quern.return %2, %3 : tensor<1x33x33x16xf32>, tensor<1x33x33x16xf32>
}

}
