// RUN: %unit/kernel-text asm icelake < %s | FileCheck %s --check-prefixes=CHECK,VNNI,WIDE
// RUN: %unit/kernel-text asm zen4 < %s | FileCheck %s --check-prefixes=CHECK,VNNI,PAIRS
// RUN: %unit/kernel-text asm sapphirerapids < %s | FileCheck %s --check-prefixes=CHECK,VNNI,WIDE
// RUN: %unit/kernel-text asm x86-64-v4 < %s | FileCheck %s --check-prefixes=CHECK,PLAIN,WIDE
// RUN: %unit/kernel-text asm x86-64-v3 < %s | FileCheck %s --check-prefixes=CHECK,PLAIN,WIDE

// One instruction multiplies u8 by i8 and adds four products, and one adds two products of bf16, where the processor has
// it and is fast at it; sums are fused multiply-adds; and nothing else needs bf16, which not every processor with VNNI has.

// CHECK-LABEL: quants:
// VNNI: vpdpbusd
// PLAIN-NOT: vpdpbusd
// CHECK: vfmadd
// CHECK-NOT: bf16
quern.kernel @quants(%x: tensor<1x64xf32>, %w: tensor<48x64x!quern.block<q8_0>> {quern.packing = #quern.packing<panels>}) -> tensor<1x48xf32>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{panels = 4 : i64}>} {
  %0 = quern.quantize %x : tensor<1x64xf32>
  %1 = quern.matmul %0, %w : tensor<1x64x!quern.block<q8_1>>, tensor<48x64x!quern.block<q8_0>>
  quern.yield %1 : tensor<1x48xf32>
}

// Two products of 4-bit quants are one instruction, and add up in 16 bits without saturation, where four are none.
// CHECK-LABEL: nibbles:
// PLAIN: vpmaddubsw
// PLAIN-NOT: vpaddsw
// PLAIN: vpaddw
// PLAIN-NOT: vpaddsw
// CHECK: vfmadd
quern.kernel @nibbles(%x: tensor<1x64xf32>, %w: tensor<48x64x!quern.block<q4_0>> {quern.packing = #quern.packing<panels>}) -> tensor<1x48xf32>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{panels = 4 : i64}>} {
  %0 = quern.quantize %x : tensor<1x64xf32>
  %1 = quern.matmul %0, %w : tensor<1x64x!quern.block<q8_1>>, tensor<48x64x!quern.block<q4_0>>
  quern.yield %1 : tensor<1x48xf32>
}

// CHECK-LABEL: floats:
// CHECK: vfmadd
// CHECK-NOT: bf16
quern.kernel @floats(%x: tensor<1x64xf32>, %w: tensor<48x64xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<1x48xf32>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{panels = 4 : i64}>} {
  %0 = quern.matmul %x, %w : tensor<1x64xf32>, tensor<48x64xbf16>
  quern.yield %0 : tensor<1x48xf32>
}

// Compressed pairs become whole in the lanes that they are loaded in: no byte moves to another.
// CHECK-LABEL: compressed:
// PAIRS-NOT: {{vperm[ti2]*b|vpunpck|vpshufb}}
// PAIRS: vdpbf16ps
// PAIRS-NOT: {{vperm[ti2]*b|vpunpck|vpshufb|vfmadd}}
// WIDE-NOT: bf16
// WIDE: vfmadd
quern.kernel @compressed(%x: tensor<1x64xf32>, %w: tensor<48x64xbf16> {quern.packing = #quern.packing<panels13>}) -> tensor<1x48xf32>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{panels = 4 : i64}>} {
  %0 = quern.cast %x : tensor<1x64xf32> to tensor<1x64xbf16>
  %1 = quern.matmul %0, %w : tensor<1x64xbf16>, tensor<48x64xbf16>
  quern.yield %1 : tensor<1x48xf32>
}

// CHECK-LABEL: pairs:
// PAIRS: vdpbf16ps
// PAIRS-NOT: vfmadd
// WIDE-NOT: bf16
// WIDE: vfmadd
quern.kernel @pairs(%x: tensor<1x64xf32>, %w: tensor<48x64xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<1x48xf32>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{panels = 4 : i64}>} {
  %0 = quern.cast %x : tensor<1x64xf32> to tensor<1x64xbf16>
  %1 = quern.matmul %0, %w : tensor<1x64xbf16>, tensor<48x64xbf16>
  quern.yield %1 : tensor<1x48xf32>
}
