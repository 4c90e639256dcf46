// RUN: %unit/kernel-text signature x86-64-v3 < %s | FileCheck %s

// Operands count without the state that an append kernel writes, which is its output.

// CHECK-LABEL: contract
// CHECK-NEXT: operand 0 at 0: f32[64:1, s:64]
// Quants, scales, mins: three views of one weight.
// CHECK-NEXT: operand 1 at 64: u8[4:1, 16:4, 4:64, 2:320, 3:640]
// CHECK-NEXT: operand 1 at 0: f16[16:1, 2:160, 3:320]
// CHECK-NEXT: operand 1 at 32: f16[16:1, 2:160, 3:320]
// Whole panels: the result by panels.
// CHECK-NEXT: operand 2 at 0: f32[16:1, 3:16, s:48]
quern.kernel @contract(%x: tensor<?x64xf32, #quern.dims<s>>, %w: tensor<48x64x!quern.block<q4_1>> {quern.packing = #quern.packing<panels>})
    -> tensor<?x48xf32, #quern.dims<s>> attributes {form = #quern.form<contract>} {
  %0 = quern.quantize %x : tensor<?x64xf32, #quern.dims<s>>
  %1 = quern.matmul %0, %w : tensor<?x64x!quern.block<q8_1>, #quern.dims<s>>, tensor<48x64x!quern.block<q4_1>>
  quern.yield %1 : tensor<?x48xf32, #quern.dims<s>>
}

// CHECK-LABEL: ragged
// CHECK-NEXT: operand 0 at 0: f32[7:1, 1:7]
// Pairs of bf16; the last one is half empty.
// CHECK-NEXT: operand 1 at 0: u32[16:1, 4:16, 1:64]
// CHECK-NEXT: operand 2 at 0: f32[5:1, 1:5]
quern.kernel @ragged(%x: tensor<1x7xf32>, %w: tensor<5x7xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<1x5xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<1x7xf32>, tensor<5x7xbf16>
  quern.yield %0 : tensor<1x5xf32>
}

// Compressed pairs: lines of 64 bytes, one of bases and 13 per 32 columns.
// CHECK-LABEL: compressed
// CHECK-NEXT: operand 0 at 0: f32[70:1, 1:70]
// CHECK-NEXT: operand 1 at 0: u8[64:1, 40:64, 2:2560]
// CHECK-NEXT: operand 2 at 0: f32[16:1, 2:16, 1:32]
quern.kernel @compressed(%x: tensor<1x70xf32>, %w: tensor<32x70xbf16> {quern.packing = #quern.packing<panels13>}) -> tensor<1x32xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<1x70xf32>, tensor<32x70xbf16>
  quern.yield %0 : tensor<1x32xf32>
}

// CHECK-LABEL: append
// CHECK-NEXT: operand 0 at 0: f32[8:1, 2:8, s:16]
// CHECK-NEXT: operand 1 at 0: i32[5:1, s:5]
// CHECK-NEXT: visible
// CHECK-NEXT: first
// CHECK-NEXT: pages
// 300 rows are kept as two pages of 256, or more.
// CHECK-NEXT: operand 2 at 0: f16[16:1, 8:16, 16:128, 2:2048, 2+:4096]
quern.kernel @append(%c: tensor<300x2x8xf16>, %x: tensor<?x2x8xf32, #quern.dims<s>>,
                     %at: tensor<?x!quern.position, #quern.dims<s>>) -> tensor<300x2x8xf16>
    attributes {form = #quern.form<append>} {
  %0 = quern.cache_append %c, %x at %at
      : tensor<300x2x8xf16>, tensor<?x2x8xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  quern.yield %0 : tensor<300x2x8xf16>
}

// Values lie row by row.
// CHECK-LABEL: attend
// CHECK-NEXT: operand 0 at 0: f32[8:1, 4:8, 1:32]
// CHECK-NEXT: operand 1 at 0: f16[16:1, 8:16, 16:128, 2:2048, 1+:4096]
// CHECK-NEXT: operand 2 at 0: f16[16:8, 8:1, 16:128, 2:2048, 1+:4096]
quern.kernel @attend(%q: tensor<1x4x8xf32>, %k: tensor<256x2x8xf16>, %v: tensor<256x2x8xf16>, %at: tensor<1x!quern.position>)
    -> tensor<1x4x8xf32> attributes {form = #quern.form<attention>} {
  %0 = quern.attend %q, %k, %v at %at scale 1.0 layout <rows>
      : tensor<1x4x8xf32>, tensor<256x2x8xf16>, tensor<256x2x8xf16>, tensor<1x!quern.position>
  quern.yield %0 : tensor<1x4x8xf32>
}
