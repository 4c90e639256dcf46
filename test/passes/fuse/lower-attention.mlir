// RUN: quern-opt %s --quern-lower-attention --split-input-file --verify-diagnostics \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=fusion | FileCheck %s

!at = tensor<2x!quern.position>

// CHECK: quern.state cache @keys : tensor<16x1x4xbf16>
quern.state cache @keys : tensor<16x1x4xf16>
// CHECK: quern.state cache @values : tensor<16x1x4xbf16>
quern.state cache @values : tensor<16x1x4xf16>
// No attention reads it.
// CHECK: quern.state cache @other : tensor<16x1x4xf16>
quern.state cache @other : tensor<16x1x4xf16>
quern.parameter @w : tensor<8x64x!quern.block<q8_0>>

// Entries that do not attend write the same states.
// CHECK-LABEL: quern.entry @fill
quern.entry @fill(%x: tensor<2x1x4xf32>, %at: !at) -> tensor<2x1x4xf32> {
  // CHECK: quern.cache_append {{.*}} : tensor<16x1x4xbf16>, tensor<2x1x4xf32>
  %0 = quern.state_ref @keys : tensor<16x1x4xf16>
  %1 = quern.cache_append %0, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, !at
  // CHECK: quern.cache_append {{.*}} : tensor<16x1x4xf16>, tensor<2x1x4xf32>
  %2 = quern.state_ref @other : tensor<16x1x4xf16>
  %3 = quern.cache_append %2, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, !at
  quern.return %x : tensor<2x1x4xf32>
}

// The query is the product with a weight of blocks, rotated.
// CHECK-LABEL: quern.entry @attend
quern.entry @attend(%x: tensor<2x64xf32>, %k: tensor<2x1x4xf32>, %at: !at, %table: tensor<16x2x2xf32>) -> tensor<2x2x4xf32> {
  %w = quern.param @w : tensor<8x64x!quern.block<q8_0>>
  %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<8x64x!quern.block<q8_0>>
  %1 = quern.reshape %0 : tensor<2x8xf32> to tensor<2x2x4xf32>
  // CHECK: %[[Q:.*]] = quern.rope
  %2 = quern.rope %1 at %at, %table : tensor<2x2x4xf32>, !at, tensor<16x2x2xf32>
  // CHECK-NEXT: %[[R:.*]] = quern.cast %[[Q]] : tensor<2x2x4xf32> to tensor<2x2x4xbf16>
  %3 = quern.state_ref @keys : tensor<16x1x4xf16>
  %4 = quern.cache_append %3, %k at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, !at
  %5 = quern.state_ref @values : tensor<16x1x4xf16>
  // CHECK: quern.attend %[[R]], {{.*}} window 3 : tensor<2x2x4xbf16>, tensor<16x1x4xbf16>, tensor<16x1x4xbf16>
  %6 = quern.attend %2, %4, %5 at %at scale 1.0 window 3 : tensor<2x2x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, !at
  quern.return %6 : tensor<2x2x4xf32>
}

// -----

!at = tensor<2x!quern.position>

// One attention whose query is a product of f32 keeps all in f32: they may share states.
// CHECK: quern.state cache @cache : tensor<16x1x4xf16>
quern.state cache @cache : tensor<16x1x4xf16>
quern.parameter @w : tensor<8x64xbf16>
quern.parameter @f : tensor<8x64xf32>

// CHECK-LABEL: quern.entry @mixed
// CHECK-NOT: quern.cast
quern.entry @mixed(%x: tensor<2x64xf32>, %at: !at) -> (tensor<2x2x4xf32>, tensor<2x2x4xf32>) {
  %c = quern.state_ref @cache : tensor<16x1x4xf16>
  %w = quern.param @w : tensor<8x64xbf16>
  %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<8x64xbf16>
  %1 = quern.reshape %0 : tensor<2x8xf32> to tensor<2x2x4xf32>
  %2 = quern.attend %1, %c, %c at %at scale 1.0 : tensor<2x2x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, !at
  %f = quern.param @f : tensor<8x64xf32>
  %3 = quern.matmul %x, %f : tensor<2x64xf32>, tensor<8x64xf32>
  %4 = quern.reshape %3 : tensor<2x8xf32> to tensor<2x2x4xf32>
  // expected-remark@below {{attention stays in f32: its query is not the product with a rounded weight}}
  %5 = quern.attend %4, %c, %c at %at scale 1.0 : tensor<2x2x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, !at
  quern.return %2, %5 : tensor<2x2x4xf32>, tensor<2x2x4xf32>
}

// -----

!at = tensor<2x!quern.position>

// An odd number of elements, and a cache that the model wants in f32.
// CHECK: quern.state cache @odd : tensor<16x1x3xf16>
quern.state cache @odd : tensor<16x1x3xf16>
quern.parameter @w : tensor<6x64xbf16>

// CHECK-LABEL: quern.entry @odd_heads
// CHECK-NOT: quern.cast
quern.entry @odd_heads(%x: tensor<2x64xf32>, %at: !at) -> tensor<2x2x3xf32> {
  %c = quern.state_ref @odd : tensor<16x1x3xf16>
  %w = quern.param @w : tensor<6x64xbf16>
  %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<6x64xbf16>
  %1 = quern.reshape %0 : tensor<2x6xf32> to tensor<2x2x3xf32>
  // expected-remark@below {{attention stays in f32: the elements of a head come in no pairs}}
  %2 = quern.attend %1, %c, %c at %at scale 1.0 : tensor<2x2x3xf32>, tensor<16x1x3xf16>, tensor<16x1x3xf16>, !at
  quern.return %2 : tensor<2x2x3xf32>
}

// -----

!at = tensor<2x!quern.position>

// CHECK: quern.state cache @wide : tensor<16x1x4xf32>
quern.state cache @wide : tensor<16x1x4xf32>
quern.parameter @w : tensor<8x64xbf16>

// CHECK-LABEL: quern.entry @wide_cache
// CHECK-NOT: quern.cast
quern.entry @wide_cache(%x: tensor<2x64xf32>, %at: !at) -> tensor<2x2x4xf32> {
  %c = quern.state_ref @wide : tensor<16x1x4xf32>
  %w = quern.param @w : tensor<8x64xbf16>
  %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<8x64xbf16>
  %1 = quern.reshape %0 : tensor<2x8xf32> to tensor<2x2x4xf32>
  // expected-remark@below {{attention stays in f32: its caches are no states of 16 bits}}
  %2 = quern.attend %1, %c, %c at %at scale 1.0 : tensor<2x2x4xf32>, tensor<16x1x4xf32>, tensor<16x1x4xf32>, !at
  quern.return %2 : tensor<2x2x4xf32>
}
