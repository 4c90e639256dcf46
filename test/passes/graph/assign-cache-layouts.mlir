// RUN: quern-opt %s --quern-assign-cache-layouts | FileCheck %s

quern.state cache @keys : tensor<16x1x4xf16>
quern.state cache @values : tensor<16x1x4xf16>
quern.state cache @both : tensor<16x1x4xf16>
quern.state cache @unread : tensor<16x1x4xf16>

// CHECK-LABEL: quern.entry @fill
quern.entry @fill(%x: tensor<2x1x4xf32>, %at: tensor<2x!quern.position>) -> tensor<2x1x4xf32> {
  // Read in another entry.
  // CHECK: quern.cache_append %{{.+}} at %{{.+}} layout <rows> :
  %0 = quern.state_ref @values : tensor<16x1x4xf16>
  %1 = quern.cache_append %0, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  // CHECK: quern.cache_append %{{.+}} at %{{.+}} :
  %2 = quern.state_ref @unread : tensor<16x1x4xf16>
  %3 = quern.cache_append %2, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  quern.return %x : tensor<2x1x4xf32>
}

// CHECK-LABEL: quern.entry @read
quern.entry @read(%x: tensor<2x1x4xf32>, %at: tensor<2x!quern.position>) -> tensor<2x1x4xf32> {
  %0 = quern.state_ref @keys : tensor<16x1x4xf16>
  %1 = quern.state_ref @values : tensor<16x1x4xf16>
  %2 = quern.state_ref @both : tensor<16x1x4xf16>
  // Through two appends.
  // CHECK-COUNT-2: quern.cache_append %{{.+}} at %{{.+}} layout <rows> :
  %3 = quern.cache_append %1, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  %4 = quern.cache_append %3, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  // Keys, and what is both, stay by lanes.
  // CHECK: quern.cache_append %{{.+}} at %{{.+}} :
  %5 = quern.cache_append %0, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  // CHECK: quern.cache_append %{{.+}} at %{{.+}} :
  %6 = quern.cache_append %2, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  // CHECK: quern.attend %{{.+}} scale 1.000000e+00 layout <rows> :
  %7 = quern.attend %x, %5, %4 at %at scale 1.0 : tensor<2x1x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, tensor<2x!quern.position>
  // CHECK: quern.attend %{{.+}} scale 1.000000e+00 :
  %8 = quern.attend %7, %6, %6 at %at scale 1.0 : tensor<2x1x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, tensor<2x!quern.position>
  // CHECK: quern.attend %{{.+}} elements 2 at %{{.+}} scale 1.000000e+00 :
  %9 = quern.attend %7, %6, %6 elements 2 at %at scale 1.0 : tensor<2x1x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, tensor<2x!quern.position>
  %10 = quern.reshape %9 : tensor<2x1x2xf32> to tensor<1x1x4xf32>
  %11 = quern.concat %10, %10 axis 0 : tensor<1x1x4xf32>, tensor<1x1x4xf32>
  %12 = quern.add %8, %11 : tensor<2x1x4xf32>, tensor<2x1x4xf32>
  quern.return %12 : tensor<2x1x4xf32>
}

quern.state cache @row : tensor<16x1x4xf16>
quern.state cache @beside : tensor<16x1x4xf16>
quern.state cache @apart : tensor<16x1x4xf16>

// What something else reads is plain, and so is what an attention reads beside it: here one by another.
// CHECK-LABEL: quern.entry @plain
quern.entry @plain(%x: tensor<2x1x4xf32>, %at: tensor<2x!quern.position>) -> (tensor<2x1x4xf32>, tensor<16x1x4xf32>) {
  %0 = quern.state_ref @row : tensor<16x1x4xf16>
  %1 = quern.state_ref @beside : tensor<16x1x4xf16>
  %2 = quern.state_ref @apart : tensor<16x1x4xf16>
  // CHECK-COUNT-3: quern.cache_append %{{.+}} at %{{.+}} {quern.plain_cache} :
  %3 = quern.cache_append %2, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  %4 = quern.cache_append %1, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  %5 = quern.cache_append %0, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  // CHECK-COUNT-2: quern.attend %{{.+}} scale 1.000000e+00 {quern.plain_cache} :
  %6 = quern.attend %x, %3, %4 at %at scale 1.0 : tensor<2x1x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, tensor<2x!quern.position>
  %7 = quern.attend %6, %4, %5 at %at scale 1.0 : tensor<2x1x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, tensor<2x!quern.position>
  %8 = quern.cast %5 : tensor<16x1x4xf16> to tensor<16x1x4xf32>
  quern.return %7, %8 : tensor<2x1x4xf32>, tensor<16x1x4xf32>
}

// Attention over tensors that are no states.
// CHECK-LABEL: quern.entry @tensors
quern.entry @tensors(%x: tensor<2x1x4xf32>, %k: tensor<16x1x4xf32>, %at: tensor<2x!quern.position>) -> tensor<2x1x4xf32> {
  // CHECK: quern.attend %{{.+}} scale 1.000000e+00 {quern.plain_cache} :
  %0 = quern.attend %x, %k, %k at %at scale 1.0 : tensor<2x1x4xf32>, tensor<16x1x4xf32>, tensor<16x1x4xf32>, tensor<2x!quern.position>
  quern.return %0 : tensor<2x1x4xf32>
}
