// RUN: quern-opt %s --quern-deduplicate-kernels | FileCheck %s

// Two equal kernels are one, named after form, elements, shape, ops and a digest of the body.
// CHECK-COUNT-1: quern.kernel private @[[NORM:quern_rows_f32_2x4_rms_norm__[0-9a-f]*]](
quern.kernel private @a(%x: tensor<2x4xf32>, %g: tensor<4xf32>) -> tensor<2x4xf32> attributes {form = #quern.form<rows>} {
  %0 = quern.rms_norm %x, %g eps 1.0e-5 : tensor<2x4xf32>, tensor<4xf32>
  quern.yield %0 : tensor<2x4xf32>
}
quern.kernel private @b(%input: tensor<2x4xf32>, %weight: tensor<4xf32>) -> tensor<2x4xf32> attributes {form = #quern.form<rows>} {
  %norm = quern.rms_norm %input, %weight eps 1.0e-5 : tensor<2x4xf32>, tensor<4xf32>
  quern.yield %norm : tensor<2x4xf32>
}
// Another eps is another kernel.
// CHECK: quern.kernel private @[[OTHER:quern_rows_f32_2x4_rms_norm__[0-9a-f]*]](
quern.kernel private @c(%x: tensor<2x4xf32>, %g: tensor<4xf32>) -> tensor<2x4xf32> attributes {form = #quern.form<rows>} {
  %0 = quern.rms_norm %x, %g eps 1.0e-6 : tensor<2x4xf32>, tensor<4xf32>
  quern.yield %0 : tensor<2x4xf32>
}
// So is another layout of an argument, and another shape.
// CHECK: quern.kernel private @[[DENSE:quern_values_f32_8x4_sx8_matmul__[0-9a-f]*]](%{{.*}}, %{{[a-z0-9]*}}: tensor<8x4xf32>)
quern.kernel private @d(%x: tensor<?x4xf32, #quern.dims<s>>, %w: tensor<8x4xf32>) -> tensor<?x8xf32, #quern.dims<s>>
    attributes {form = #quern.form<values>} {
  %0 = quern.matmul %x, %w : tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  quern.yield %0 : tensor<?x8xf32, #quern.dims<s>>
}
// CHECK: quern.kernel private @[[PACKED:quern_contract_f32_8x4_sx8_matmul__[0-9a-f]*]](%{{.*}} {quern.packing = #quern.packing<panels>})
quern.kernel private @e(%x: tensor<?x4xf32, #quern.dims<s>>, %w: tensor<8x4xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x8xf32, #quern.dims<s>>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  quern.yield %0 : tensor<?x8xf32, #quern.dims<s>>
}
// A kernel that nothing calls goes.
// CHECK-NOT: quern.kernel
quern.kernel private @unused(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>} {
  %0 = quern.softmax %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
// CHECK-LABEL: quern.entry @calls(
// CHECK: quern.call @[[NORM]](
// CHECK-NEXT: quern.call @[[NORM]](
// CHECK-NEXT: quern.call @[[OTHER]](
// CHECK-NEXT: quern.call @[[DENSE]](
// CHECK: quern.call @[[PACKED]](
quern.parameter @w : tensor<8x4xf32> packing <panels>
quern.entry @calls(%x: tensor<2x4xf32>, %g: tensor<4xf32>, %y: tensor<?x4xf32, #quern.dims<s>>, %v: tensor<8x4xf32>)
    -> (tensor<2x4xf32>, tensor<?x8xf32, #quern.dims<s>>, tensor<?x8xf32, #quern.dims<s>>) {
  %0 = quern.call @a(%x, %g) : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %1 = quern.call @b(%0, %g) : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %2 = quern.call @c(%1, %g) : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %3 = quern.call @d(%y, %v) : (tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>) -> tensor<?x8xf32, #quern.dims<s>>
  %w = quern.param @w : tensor<8x4xf32>
  %4 = quern.call @e(%y, %w) : (tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>) -> tensor<?x8xf32, #quern.dims<s>>
  quern.return %2, %3, %4 : tensor<2x4xf32>, tensor<?x8xf32, #quern.dims<s>>, tensor<?x8xf32, #quern.dims<s>>
}
