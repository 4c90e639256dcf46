// RUN: quern-opt %s --split-input-file --verify-diagnostics --quern-widen-caches | FileCheck %s

!at = tensor<2x!quern.position>
!x = tensor<2x4xf32>
!cache = tensor<16x1x4xf16>

// The largest element of u ∘ w with |u| ≤ √4 and w = 32768: 65536, which f16 does not hold. All states of f16 follow.
// CHECK: quern.state cache @keys : tensor<16x1x4xf32>
quern.state cache @keys : !cache
// CHECK: quern.state cache @values : tensor<16x1x4xf32>
quern.state cache @values : !cache
quern.parameter @w : tensor<4xf32> {
  %0 = quern.constant dense<32768.0> : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

// CHECK-LABEL: quern.entry @norm
quern.entry @norm(%x: !x, %at: !at) -> tensor<2x1x4xf32> {
  %w = quern.param @w : tensor<4xf32>
  %0 = quern.rms_norm %x, %w eps 1.0e-5 : !x, tensor<4xf32>
  %1 = quern.reshape %0 : !x to tensor<2x1x4xf32>
  %2 = quern.state_ref @keys : !cache
  // expected-remark @below {{caches hold f32: `keys` may be given 6.55e+04, and f16 holds at most 65504}}
  %3 = quern.cache_append %2, %1 at %at : !cache, tensor<2x1x4xf32>, !at
  %4 = quern.state_ref @values : !cache
  // CHECK: quern.attend {{.*}} : tensor<2x1x4xf32>, tensor<16x1x4xf32>, tensor<16x1x4xf32>
  %5 = quern.attend %1, %3, %4 at %at scale 1.0 : tensor<2x1x4xf32>, !cache, !cache, !at
  quern.return %5 : tensor<2x1x4xf32>
}

// -----

!at = tensor<2x!quern.position>
!x = tensor<2x4xf32>
!cache = tensor<16x1x4xf16>

// A head's rows of a product are about ‖r ∘ w‖ = 2 · 2^-16, below 2^-14.
// CHECK: quern.state cache @faint : tensor<16x1x4xf32>
quern.state cache @faint : !cache
quern.parameter @w : tensor<4xf32> {
  %0 = quern.constant dense<1.0> : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
quern.parameter @v : tensor<4x4xf32> {
  %0 = quern.constant dense<1.52587890625e-05> : tensor<4x4xf32>
  quern.yield %0 : tensor<4x4xf32>
}

quern.entry @product(%x: !x, %at: !at) -> !x {
  %w = quern.param @w : tensor<4xf32>
  %v = quern.param @v : tensor<4x4xf32>
  %0 = quern.rms_norm %x, %w eps 1.0e-5 : !x, tensor<4xf32>
  %1 = quern.matmul %0, %v : !x, tensor<4x4xf32>
  %2 = quern.reshape %1 : !x to tensor<2x1x4xf32>
  %3 = quern.state_ref @faint : !cache
  // expected-remark @below {{caches hold f32: `faint` is given numbers of about 3.05e-05, of which f16 keeps few digits}}
  %4 = quern.cache_append %3, %2 at %at : !cache, tensor<2x1x4xf32>, !at
  quern.return %x : !x
}

// -----

!at = tensor<2x!quern.position>
!x = tensor<2x4xf32>
!cache = tensor<16x1x4xf16>

// The bias of one column alone is too large; what is sliced off does not count.
// CHECK: quern.state cache @biased : tensor<16x1x4xf16>
quern.state cache @biased : !cache
quern.parameter @w : tensor<4xf32> {
  %0 = quern.constant dense<1.0> : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
quern.parameter @v : tensor<8x4xf32> {
  %0 = quern.constant dense<1.0> : tensor<8x4xf32>
  quern.yield %0 : tensor<8x4xf32>
}
quern.parameter @b : tensor<8xf32> {
  %0 = quern.constant dense<[0.0, 0.0, 0.0, 0.0, 7.0e4, 0.0, 0.0, 0.0]> : tensor<8xf32>
  quern.yield %0 : tensor<8xf32>
}

quern.entry @sliced(%x: !x, %at: !at) -> !x {
  %w = quern.param @w : tensor<4xf32>
  %v = quern.param @v : tensor<8x4xf32>
  %b = quern.param @b : tensor<8xf32>
  %0 = quern.rms_norm %x, %w eps 1.0e-5 : !x, tensor<4xf32>
  %1 = quern.matmul %0, %v : !x, tensor<8x4xf32>
  %2 = quern.add %1, %b : tensor<2x8xf32>, tensor<8xf32>
  %3 = quern.slice %2 axis 1 offset 0 size 4 : tensor<2x8xf32>
  %4 = quern.reshape %3 : !x to tensor<2x1x4xf32>
  %5 = quern.state_ref @biased : !cache
  %6 = quern.cache_append %5, %4 at %at : !cache, tensor<2x1x4xf32>, !at
  quern.return %x : !x
}

// -----

!at = tensor<2x!quern.position>
!cache = tensor<16x1x4xf16>

// Of the input nothing is known.
// CHECK: quern.state cache @unknown : tensor<16x1x4xf16>
quern.state cache @unknown : !cache

quern.entry @given(%x: tensor<2x1x4xf32>, %at: !at) -> tensor<2x1x4xf32> {
  %0 = quern.state_ref @unknown : !cache
  %1 = quern.cache_append %0, %x at %at : !cache, tensor<2x1x4xf32>, !at
  quern.return %x : tensor<2x1x4xf32>
}

// -----

!at = tensor<2x!quern.position>
!x = tensor<2x4xf32>
!cache = tensor<16x1x4xf16>

// Something else reads the state, which says what its elements are.
// CHECK: quern.state cache @read : tensor<16x1x4xf16>
quern.state cache @read : !cache
quern.parameter @w : tensor<4xf32> {
  %0 = quern.constant dense<1.0e5> : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

quern.entry @reads(%x: !x, %at: !at) -> tensor<16x1x4xf32> {
  %w = quern.param @w : tensor<4xf32>
  %0 = quern.rms_norm %x, %w eps 1.0e-5 : !x, tensor<4xf32>
  %1 = quern.reshape %0 : !x to tensor<2x1x4xf32>
  %2 = quern.state_ref @read : !cache
  %3 = quern.cache_append %2, %1 at %at : !cache, tensor<2x1x4xf32>, !at
  %4 = quern.cast %3 : !cache to tensor<16x1x4xf32>
  quern.return %4 : tensor<16x1x4xf32>
}
