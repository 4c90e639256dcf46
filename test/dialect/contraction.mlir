// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: quern.entry @contraction
quern.entry @contraction(%x: tensor<?x64xf32, #quern.dims<s>>, %w: tensor<16x64xbf16>,
                         %q: tensor<16x64x!quern.block<q4_1>>) -> tensor<?x16xf32, #quern.dims<s>> {
  // CHECK: quern.matmul %{{.+}}, %{{.+}} : tensor<?x64xf32, #quern.dims<s>>, tensor<16x64xbf16>
  %0 = quern.matmul %x, %w : tensor<?x64xf32, #quern.dims<s>>, tensor<16x64xbf16>
  // CHECK: %[[ROUNDED:.+]] = quern.cast
  %rounded = quern.cast %x : tensor<?x64xf32, #quern.dims<s>> to tensor<?x64xbf16, #quern.dims<s>>
  // CHECK: quern.matmul %[[ROUNDED]], %{{.+}} : tensor<?x64xbf16, #quern.dims<s>>, tensor<16x64xbf16>
  %3 = quern.matmul %rounded, %w : tensor<?x64xbf16, #quern.dims<s>>, tensor<16x64xbf16>
  // CHECK: %[[QUANTISED:.+]] = quern.quantize %{{.+}} : tensor<?x64xf32, #quern.dims<s>>
  %1 = quern.quantize %x : tensor<?x64xf32, #quern.dims<s>>
  // CHECK: quern.matmul %[[QUANTISED]], %{{.+}} : tensor<?x64x!quern.block<q8_1>, #quern.dims<s>>, tensor<16x64x!quern.block<q4_1>>
  %2 = quern.matmul %1, %q : tensor<?x64x!quern.block<q8_1>, #quern.dims<s>>, tensor<16x64x!quern.block<q4_1>>
  quern.return %2 : tensor<?x16xf32, #quern.dims<s>>
}
