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

// Values on both sides: rows, columns, and one product per head.
// CHECK-LABEL: quern.entry @values
quern.entry @values(%x: tensor<?x64xf32, #quern.dims<s>>, %y: tensor<?x64xf32, #quern.dims<t>>, %q: tensor<?x2x8xf32, #quern.dims<s>>,
                    %k: tensor<2x?x8xf16, #quern.dims<t>>, %v: tensor<2x8x5xf32>) {
  // CHECK: quern.matmul %{{.+}}, %{{.+}} : tensor<?x64xf32, #quern.dims<s>>, tensor<?x64xf32, #quern.dims<t>>
  %0 = quern.matmul %x, %y : tensor<?x64xf32, #quern.dims<s>>, tensor<?x64xf32, #quern.dims<t>>
  // CHECK: quern.matmul %{{.+}}, %{{.+}} transposed : tensor<?x?xf32, #quern.dims<s, t>>, tensor<?x64xf32, #quern.dims<t>>
  %1 = quern.matmul %0, %y transposed : tensor<?x?xf32, #quern.dims<s, t>>, tensor<?x64xf32, #quern.dims<t>>
  // CHECK: quern.matmul %{{.+}}, %{{.+}} : tensor<?x2x8xf32, #quern.dims<s>>, tensor<2x?x8xf16, #quern.dims<t>>
  %2 = quern.matmul %q, %k : tensor<?x2x8xf32, #quern.dims<s>>, tensor<2x?x8xf16, #quern.dims<t>>
  // CHECK: quern.matmul %{{.+}}, %{{.+}} transposed : tensor<?x2x8xf32, #quern.dims<s>>, tensor<2x8x5xf32>
  %3 = quern.matmul %q, %v transposed : tensor<?x2x8xf32, #quern.dims<s>>, tensor<2x8x5xf32>
  quern.return
}
