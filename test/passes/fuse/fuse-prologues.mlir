// RUN: quern-opt %s --quern-fuse-prologues --split-input-file --verify-diagnostics \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=fusion | FileCheck %s
// RUN: quern-opt %s --quern-fuse-prologues --split-input-file --remark-format=emitRemark --remarks-filter-passed=fusion \
// RUN:   2>&1 >/dev/null | FileCheck %s --check-prefix=FUSED

// A norm and the quantisation of its result go into the one matmul that needs them.
// CHECK-LABEL: quern.entry @norm(
// CHECK: quern.fused
// CHECK-NEXT: %[[N:.*]] = quern.rms_norm
// CHECK-NEXT: %[[Q:.*]] = quern.quantize %[[N]]
// CHECK-NEXT: %[[P:.*]] = quern.matmul %[[Q]]
// CHECK-NEXT: quern.yield %[[P]]
// FUSED: quantize | {{.*}}Function=norm | Reason="each kernel of products rounds its own left side"
// FUSED: rms_norm | {{.*}}Function=norm | Reason="one kernel alone reads the norm: each task computes it for less than writing it costs"
quern.entry @norm(%x: tensor<2x32xf32>, %g: tensor<32xf32>, %w: tensor<8x32x!quern.block<q8_0>>) -> tensor<2x8xf32> {
  %n = quern.rms_norm %x, %g eps 1.0e-5 : tensor<2x32xf32>, tensor<32xf32>
  %q = quern.quantize %n : tensor<2x32xf32>
  %0 = quern.matmul %q, %w : tensor<2x32x!quern.block<q8_1>>, tensor<8x32x!quern.block<q8_0>>
  quern.return %0 : tensor<2x8xf32>
}

// -----

// Quantisation is cloned into each kernel; a norm that two kernels need stays one of its own.
// CHECK-LABEL: quern.entry @shared(
// CHECK: %[[N:.*]] = quern.rms_norm
// CHECK-NOT: quern.quantize
// CHECK: quern.fused
// CHECK-NEXT: quern.quantize %[[N]]
// CHECK-NEXT: quern.matmul
// CHECK: quern.fused
// CHECK-NEXT: quern.quantize %[[N]]
// CHECK-NEXT: quern.matmul
quern.entry @shared(%x: tensor<2x32xf32>, %g: tensor<32xf32>, %a: tensor<8x32x!quern.block<q8_0>>, %b: tensor<8x32x!quern.block<q4_0>>)
    -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  // expected-remark@below {{the norm feeds more than one kernel}}
  %n = quern.rms_norm %x, %g eps 1.0e-5 : tensor<2x32xf32>, tensor<32xf32>
  %q = quern.quantize %n : tensor<2x32xf32>
  %0 = quern.matmul %q, %a : tensor<2x32x!quern.block<q8_1>>, tensor<8x32x!quern.block<q8_0>>
  %1 = quern.matmul %q, %b : tensor<2x32x!quern.block<q8_1>>, tensor<8x32x!quern.block<q4_0>>
  quern.return %0, %1 : tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// What rounds the left side of products is cloned into each of them, with the norm before it where that has one consumer.
// CHECK-LABEL: quern.entry @rounded(
// CHECK: quern.fused
// CHECK-NEXT: %[[N:.*]] = quern.rms_norm
// CHECK-NEXT: %[[R:.*]] = quern.cast %[[N]]
// CHECK-NEXT: quern.matmul %[[R]]
// CHECK: quern.fused
// CHECK-NEXT: %[[Y:.*]] = quern.cast %{{.*}} : tensor<2x8xf32> to tensor<2x8xbf16>
// CHECK-NEXT: quern.matmul %[[Y]]
// CHECK: quern.fused
// CHECK-NEXT: %[[Z:.*]] = quern.cast %{{.*}} : tensor<2x8xf32> to tensor<2x8xbf16>
// CHECK-NEXT: quern.matmul %[[Z]]
quern.entry @rounded(%x: tensor<2x32xf32>, %g: tensor<32xf32>, %a: tensor<8x32xbf16>, %b: tensor<8x8xbf16>, %c: tensor<4x8xbf16>)
    -> (tensor<2x8xf32>, tensor<2x4xf32>) {
  %n = quern.rms_norm %x, %g eps 1.0e-5 : tensor<2x32xf32>, tensor<32xf32>
  %r = quern.cast %n : tensor<2x32xf32> to tensor<2x32xbf16>
  %0 = quern.matmul %r, %a : tensor<2x32xbf16>, tensor<8x32xbf16>
  %s = quern.cast %0 : tensor<2x8xf32> to tensor<2x8xbf16>
  %1 = quern.matmul %s, %b : tensor<2x8xbf16>, tensor<8x8xbf16>
  %2 = quern.matmul %s, %c : tensor<2x8xbf16>, tensor<4x8xbf16>
  quern.return %1, %2 : tensor<2x8xf32>, tensor<2x4xf32>
}

// -----

// So is what rounds the image of convolutions.
// CHECK-LABEL: quern.entry @rounded_image(
// CHECK: quern.fused
// CHECK-NEXT: %[[A:.*]] = quern.cast
// CHECK-NEXT: quern.conv2d %[[A]]
// CHECK: quern.fused
// CHECK-NEXT: %[[B:.*]] = quern.cast
// CHECK-NEXT: quern.conv2d %[[B]]
quern.entry @rounded_image(%x: tensor<1x5x5x2xf32>, %a: tensor<16x2xbf16>, %b: tensor<16x18xbf16>)
    -> (tensor<1x5x5x16xf32>, tensor<1x3x3x16xf32>) {
  %r = quern.cast %x : tensor<1x5x5x2xf32> to tensor<1x5x5x2xbf16>
  %0 = quern.conv2d %r, %a window [1, 1] layout <nhwc> : tensor<1x5x5x2xbf16>, tensor<16x2xbf16>
  %1 = quern.conv2d %r, %b window [3, 3] layout <nhwc> : tensor<1x5x5x2xbf16>, tensor<16x18xbf16>
  quern.return %0, %1 : tensor<1x5x5x16xf32>, tensor<1x3x3x16xf32>
}

// -----

// A rounded tensor that is also a result is computed once, for all.
// CHECK-LABEL: quern.entry @rounded_result(
// CHECK: %[[R:.*]] = quern.cast
// CHECK-NOT: quern.fused
// CHECK: quern.matmul %[[R]]
quern.entry @rounded_result(%x: tensor<2x8xf32>, %w: tensor<4x8xbf16>) -> (tensor<2x8xbf16>, tensor<2x4xf32>) {
  %r = quern.cast %x : tensor<2x8xf32> to tensor<2x8xbf16>
  %0 = quern.matmul %r, %w : tensor<2x8xbf16>, tensor<4x8xbf16>
  quern.return %r, %0 : tensor<2x8xbf16>, tensor<2x4xf32>
}

// -----

// A norm that is added to, in the epilogue of a matmul, is none of its left side.
// CHECK-LABEL: quern.entry @not_left(
// CHECK: quern.rms_norm
// CHECK: quern.fused
// CHECK-NEXT: quern.matmul
quern.entry @not_left(%x: tensor<2x32xf32>, %g: tensor<32xf32>, %y: tensor<2x8xf32>, %w: tensor<32x8xf32>) -> tensor<2x32xf32> {
  // expected-remark@below {{the norm is not the left side of a matmul}}
  %n = quern.rms_norm %x, %g eps 1.0e-5 : tensor<2x32xf32>, tensor<32xf32>
  %0 = quern.fused -> tensor<2x32xf32> {
    %1 = quern.matmul %y, %w : tensor<2x8xf32>, tensor<32x8xf32>
    %2 = quern.add %1, %n : tensor<2x32xf32>, tensor<2x32xf32>
    quern.yield %2 : tensor<2x32xf32>
  }
  quern.return %0 : tensor<2x32xf32>
}

// -----

quern.state cache @rows : tensor<16x1x8xf32>

// The norm of what a state holds, before the append writes it.
// CHECK-LABEL: quern.entry @norm_of_state(
// CHECK: quern.rms_norm
// CHECK-NEXT: quern.cache_append
// CHECK-NEXT: quern.matmul
quern.entry @norm_of_state(%x: tensor<2x1x8xf32>, %g: tensor<8xf32>, %w: tensor<4x8xf32>, %at: tensor<2x!quern.position>)
    -> (tensor<16x1x4xf32>, tensor<16x1x8xf32>) {
  %c = quern.state_ref @rows : tensor<16x1x8xf32>
  // expected-remark@below {{the norm reads a state that is written before the matmul}}
  %n = quern.rms_norm %c, %g eps 1.0e-5 : tensor<16x1x8xf32>, tensor<8xf32>
  %a = quern.cache_append %c, %x at %at : tensor<16x1x8xf32>, tensor<2x1x8xf32>, tensor<2x!quern.position>
  %0 = quern.matmul %n, %w : tensor<16x1x8xf32>, tensor<4x8xf32>
  quern.return %0, %a : tensor<16x1x4xf32>, tensor<16x1x8xf32>
}

// -----

// Keys and values that are no cache, but computed: in the kernel they would be so again for each query.
// CHECK-LABEL: quern.entry @rotated_keys(
// CHECK: %[[K:.*]] = quern.rope
// CHECK-NOT: quern.fused
// CHECK: quern.attend %{{.*}}, %[[K]], %[[K]]
quern.entry @rotated_keys(%q: tensor<2x2x4xf32>, %x: tensor<16x2x4xf32>, %at: tensor<2x!quern.position>, %all: tensor<16x!quern.position>,
                          %t: tensor<16x2x2xf32>) -> tensor<2x2x4xf32> {
  // expected-remark@below {{the rotated tensor is what attention reads again for each query}}
  %k = quern.rope %x at %all, %t : tensor<16x2x4xf32>, tensor<16x!quern.position>, tensor<16x2x2xf32>
  %0 = quern.attend %q, %k, %k at %at scale 0.5 : tensor<2x2x4xf32>, tensor<16x2x4xf32>, tensor<16x2x4xf32>, tensor<2x!quern.position>
  quern.return %0 : tensor<2x2x4xf32>
}

// -----

quern.state cache @keys : tensor<16x2x4xf16>

// slice, split and rope go into the append and the attention that they feed.
// CHECK-LABEL: quern.entry @rope(
// CHECK: quern.state_ref
// CHECK: %[[K:.*]] = quern.fused
// CHECK-NEXT: %[[S:.*]] = quern.slice %{{.*}} axis 1 offset 8 size 8
// CHECK-NEXT: %[[H:.*]] = quern.reshape %[[S]]
// CHECK-NEXT: %[[R:.*]] = quern.rope %[[H]]
// CHECK-NEXT: quern.cache_append %{{.*}}, %[[R]]
// CHECK: quern.fused
// CHECK-NEXT: quern.slice %{{.*}} axis 1 offset 0 size 8
// CHECK-NEXT: quern.reshape
// CHECK-NEXT: %[[Q:.*]] = quern.rope
// CHECK-NEXT: quern.attend %[[Q]], %[[K]], %[[K]]
// FUSED: reshape | {{.*}}Function=rope | Reason="to split the last axis is to index otherwise"
// FUSED: slice | {{.*}}Function=rope | Reason="a slice is an offset of what a kernel reads"
// FUSED: rope | {{.*}}Function=rope | Reason="one kernel alone reads the rotated tensor"
quern.entry @rope(%x: tensor<3x16xf32>, %at: tensor<3x!quern.position>, %t: tensor<16x2x2xf32>) -> tensor<3x2x4xf32> {
  %0 = quern.slice %x axis 1 offset 0 size 8 : tensor<3x16xf32>
  %1 = quern.slice %x axis 1 offset 8 size 8 : tensor<3x16xf32>
  %2 = quern.reshape %0 : tensor<3x8xf32> to tensor<3x2x4xf32>
  %3 = quern.reshape %1 : tensor<3x8xf32> to tensor<3x2x4xf32>
  %4 = quern.rope %2 at %at, %t : tensor<3x2x4xf32>, tensor<3x!quern.position>, tensor<16x2x2xf32>
  %5 = quern.rope %3 at %at, %t : tensor<3x2x4xf32>, tensor<3x!quern.position>, tensor<16x2x2xf32>
  %c = quern.state_ref @keys : tensor<16x2x4xf16>
  %6 = quern.cache_append %c, %5 at %at : tensor<16x2x4xf16>, tensor<3x2x4xf32>, tensor<3x!quern.position>
  %7 = quern.attend %4, %6, %6 at %at scale 0.5 : tensor<3x2x4xf32>, tensor<16x2x4xf16>, tensor<16x2x4xf16>, tensor<3x!quern.position>
  quern.return %7 : tensor<3x2x4xf32>
}

// -----

// A rotated tensor that is returned as well has to be written; one that feeds neither append nor attention stays.
// CHECK-LABEL: quern.entry @rope_stays(
// CHECK-NOT: quern.fused
// CHECK: quern.return
quern.entry @rope_stays(%x: tensor<3x2x4xf32>, %at: tensor<3x!quern.position>, %t: tensor<16x2x2xf32>, %k: tensor<16x2x4xf16>)
    -> (tensor<3x2x4xf32>, tensor<3x2x4xf32>, tensor<3x2x4xf32>) {
  // expected-remark@below {{the rotated tensor feeds more than one kernel}}
  %0 = quern.rope %x at %at, %t : tensor<3x2x4xf32>, tensor<3x!quern.position>, tensor<16x2x2xf32>
  %1 = quern.attend %0, %k, %k at %at scale 0.5 : tensor<3x2x4xf32>, tensor<16x2x4xf16>, tensor<16x2x4xf16>, tensor<3x!quern.position>
  // expected-remark@below {{the rotated tensor feeds neither an append nor an attention}}
  %2 = quern.rope %1 at %at, %t : tensor<3x2x4xf32>, tensor<3x!quern.position>, tensor<16x2x2xf32>
  %3 = quern.softmax %2 : tensor<3x2x4xf32>
  quern.return %0, %1, %3 : tensor<3x2x4xf32>, tensor<3x2x4xf32>, tensor<3x2x4xf32>
}

// -----

// The part of a concat is written in place by a kernel of its own, while another kernel takes the slice in.
// CHECK-LABEL: quern.entry @part(
// CHECK: %[[PART:.*]] = quern.slice
// CHECK-NEXT: quern.fused
// CHECK-NEXT: quern.slice
// CHECK-NEXT: quern.conv2d
// CHECK: quern.concat %[[PART]], %{{.*}} axis 3
quern.entry @part(%x: tensor<1x4x4x24xf32>, %w: tensor<16x8xf32>) -> tensor<1x4x4x24xf32> {
  %0 = quern.slice %x axis 3 offset 8 size 8 : tensor<1x4x4x24xf32>
  %1 = quern.conv2d %0, %w window [1, 1] layout <nhwc> : tensor<1x4x4x8xf32>, tensor<16x8xf32>
  %2 = quern.concat %0, %1 axis 3 : tensor<1x4x4x8xf32>, tensor<1x4x4x16xf32>
  quern.return %2 : tensor<1x4x4x24xf32>
}

// Reshapes of whole buffers stay outside, where they cost nothing; of a slice, only a split of the last axis goes in.
// CHECK-LABEL: quern.entry @reshapes(
// CHECK: %[[WHOLE:.*]] = quern.reshape %arg0 : tensor<4x8xf32> to tensor<4x2x4xf32>
// CHECK: %[[PART:.*]] = quern.slice
// CHECK: %[[MERGED:.*]] = quern.reshape %[[PART]]
// CHECK-NOT: quern.fused
// CHECK: quern.softmax %[[WHOLE]]
// CHECK: quern.softmax %[[MERGED]]
quern.entry @reshapes(%x: tensor<4x8xf32>) -> (tensor<4x2x4xf32>, tensor<16xf32>) {
  %0 = quern.reshape %x : tensor<4x8xf32> to tensor<4x2x4xf32>
  %1 = quern.slice %x axis 1 offset 0 size 4 : tensor<4x8xf32>
  // expected-remark@below {{the reshape of a slice does not only split the last axis}}
  %2 = quern.reshape %1 : tensor<4x4xf32> to tensor<16xf32>
  %3 = quern.softmax %0 : tensor<4x2x4xf32>
  %4 = quern.softmax %2 : tensor<16xf32>
  quern.return %3, %4 : tensor<4x2x4xf32>, tensor<16xf32>
}

// -----

// A convolution reads its image in any order of axes.
// CHECK-LABEL: quern.entry @transposed(
// CHECK-SAME: %[[X:.*]]: tensor<1x3x8x8xf32>
// CHECK: quern.fused
// CHECK-NEXT: %[[T:.*]] = quern.transpose %[[X]]
// CHECK-NEXT: quern.conv2d %[[T]]
// FUSED: transpose | {{.*}}Function=transposed | Reason="a convolution reads its image in any order"
quern.entry @transposed(%x: tensor<1x3x8x8xf32>, %w: tensor<16x27xf32>) -> tensor<1x6x6x16xf32> {
  %t = quern.transpose %x [0, 2, 3, 1] : tensor<1x3x8x8xf32>
  %0 = quern.conv2d %t, %w window [3, 3] layout <nhwc> : tensor<1x8x8x3xf32>, tensor<16x27xf32>
  quern.return %0 : tensor<1x6x6x16xf32>
}

// -----

// A pool reads vectors of channels.
// CHECK-LABEL: quern.entry @pooled(
// CHECK-NEXT: quern.transpose
// CHECK-NEXT: quern.max_pool
quern.entry @pooled(%x: tensor<1x3x8x8xf32>) -> tensor<1x6x6x3xf32> {
  // expected-remark @+1 {{the transposed tensor is not only the image of convolutions}}
  %t = quern.transpose %x [0, 2, 3, 1] : tensor<1x3x8x8xf32>
  %0 = quern.max_pool %t window [3, 3] layout <nhwc> : tensor<1x8x8x3xf32>
  quern.return %0 : tensor<1x6x6x3xf32>
}
