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
