// RUN: %unit/kernel-text tensor-cores cuda < %s | FileCheck %s
// RUN: %unit/kernel-text tensor-cores opencl < %s | FileCheck %s --check-prefix=NONE
// RUN: %unit/kernel-text device cuda < %s | FileCheck %s --check-prefix=HALIDE

// Kernels that stay Halide's, each for its reason.

// NONE: many: the target has no tensor cores
// HALIDE-COUNT-40: mma.sync
// HALIDE-NOT: mma.sync

// CHECK: many: tensor cores
quern.kernel @many(%x: tensor<?x512xbf16, #quern.dims<s>>, %w: tensor<128x512xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<?x128xf32, #quern.dims<s>>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<?x512xbf16, #quern.dims<s>>, tensor<128x512xbf16>
  quern.yield %0 : tensor<?x128xf32, #quern.dims<s>>
}

// CHECK: few: the rows are few
quern.kernel @few(%x: tensor<8x64xbf16>, %w: tensor<128x64xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<8x128xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<8x64xbf16>, tensor<128x64xbf16>
  quern.yield %0 : tensor<8x128xf32>
}

// CHECK: floats: a left side is not of bf16
quern.kernel @floats(%x: tensor<64x64xf32>, %w: tensor<128x64xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<64x128xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<64x64xf32>, tensor<128x64xbf16>
  quern.yield %0 : tensor<64x128xf32>
}

// CHECK: compressed: a weight does not lie in pairs of bf16
quern.kernel @compressed(%x: tensor<64x64xbf16>, %w: tensor<128x64xbf16> {quern.packing = #quern.packing<panels13>}) -> tensor<64x128xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<64x64xbf16>, tensor<128x64xbf16>
  quern.yield %0 : tensor<64x128xf32>
}

// CHECK: logarithm: `math.log` follows a product
quern.kernel @logarithm(%x: tensor<64x64xbf16>, %w: tensor<128x64xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<64x128xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<64x64xbf16>, tensor<128x64xbf16>
  %1 = quern.log %0 : tensor<64x128xf32>
  quern.yield %1 : tensor<64x128xf32>
}

// CHECK: part: the result has another shape than the products
quern.kernel @part(%x: tensor<64x64xbf16>, %w: tensor<128x64xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<64x16xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<64x64xbf16>, tensor<128x64xbf16>
  %1 = quern.slice %0 axis 1 offset 16 size 16 : tensor<64x128xf32>
  quern.yield %1 : tensor<64x16xf32>
}

// CHECK: precedes: what follows a product reads what precedes it
quern.kernel @precedes(%x: tensor<64x128xf32>, %g: tensor<128xf32>, %w: tensor<128x128xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<64x128xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.rms_norm %x, %g eps 1.0e-05 : tensor<64x128xf32>, tensor<128xf32>
  %1 = quern.cast %0 : tensor<64x128xf32> to tensor<64x128xbf16>
  %2 = quern.matmul %1, %w : tensor<64x128xbf16>, tensor<128x128xbf16>
  %3 = quern.add %2, %0 : tensor<64x128xf32>, tensor<64x128xf32>
  quern.yield %3 : tensor<64x128xf32>
}

// CHECK: batch: the columns of one of a batch do not fill tiles
quern.kernel @batch(%x: tensor<64x2x64xbf16>, %w: tensor<128x64xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<64x2x64xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w batch 2 : tensor<64x2x64xbf16>, tensor<128x64xbf16>
  quern.yield %0 : tensor<64x2x64xf32>
}
