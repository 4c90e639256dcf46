// RUN: %unit/kernel-text asm sapphirerapids < %s | FileCheck %s --check-prefixes=CHECK,AHEAD
// RUN: %unit/kernel-text asm zen4 < %s | FileCheck %s --check-prefixes=CHECK,NONE

// A cache is asked for as far ahead as the groups of 16 rows reach that are scored at a time: 8 of 2 KiB.
// AHEAD-COUNT-8: prefetcht0 {{.*}}(%{{[a-z0-9]*}},%{{[a-z0-9]*}},8)
// CHECK-LABEL: attention:
// NONE-NOT: prefetch
quern.kernel @attention(%q: tensor<1x9x64xf32>, %k: tensor<1024x3x64xf16>, %v: tensor<1024x3x64xf16>,
                        %at: tensor<1x!quern.position>) -> tensor<1x9x64xf32>
    attributes {form = #quern.form<attention>} {
  %0 = quern.attend %q, %k, %v at %at scale 1.250000e-01
      : tensor<1x9x64xf32>, tensor<1024x3x64xf16>, tensor<1024x3x64xf16>, tensor<1x!quern.position>
  quern.yield %0 : tensor<1x9x64xf32>
}

// What few rows read in order and once is asked for ahead of time, where the target says so. A block of 544 bytes begins nine lines, one of them before the first product.
// CHECK-LABEL: one:
// AHEAD: vpdpbusd
// AHEAD-COUNT-8: prefetcht0
// NONE-NOT: prefetch
quern.kernel @one(%x: tensor<1x576xf32>, %w: tensor<48x576x!quern.block<q8_0>> {quern.packing = #quern.packing<panels>}) -> tensor<1x48xf32>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{panels = 4 : i64}>} {
  %0 = quern.quantize %x : tensor<1x576xf32>
  %1 = quern.matmul %0, %w : tensor<1x576x!quern.block<q8_1>>, tensor<48x576x!quern.block<q8_0>>
  quern.yield %1 : tensor<1x48xf32>
}

// Many rows read the weights again and again.
// CHECK-LABEL: many:
// CHECK-NOT: prefetch
quern.kernel @many(%x: tensor<64x576xf32>, %w: tensor<48x576x!quern.block<q8_0>> {quern.packing = #quern.packing<panels>}) -> tensor<64x48xf32>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{panels = 4 : i64}>} {
  %0 = quern.quantize %x : tensor<64x576xf32>
  %1 = quern.matmul %0, %w : tensor<64x576x!quern.block<q8_1>>, tensor<48x576x!quern.block<q8_0>>
  quern.yield %1 : tensor<64x48xf32>
}
