// RUN: quern-opt %s --quern-assign-cache-layouts | FileCheck %s

quern.state @keys : tensor<16x1x4xf16>
quern.state @values : tensor<16x1x4xf16>
quern.state @both : tensor<16x1x4xf16>
quern.state @unread : tensor<16x1x4xf16>

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
  quern.return %8 : tensor<2x1x4xf32>
}
