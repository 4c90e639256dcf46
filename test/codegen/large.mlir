// RUN: %unit/kernel-text loops x86-64-v3 < %s | FileCheck %s

// A kernel indexes with 64 bits where a buffer has more elements than 32 count, and only there.

// CHECK-LABEL: small
// CHECK-NOT: int64
// CHECK-LABEL: large
// CHECK: int64
quern.kernel @small(%x: tensor<1x4096xf32>, %order: tensor<1x1xi32>, %begins: tensor<7282xi32>,
                    %w: tensor<116496x4096x!quern.block<q4_0>> {quern.packing = #quern.packing<panels>}) -> tensor<1x1x16xf32>
    attributes {form = #quern.form<experts>} {
  %0 = quern.quantize %x : tensor<1x4096xf32>
  %1 = quern.matmul %0, %w groups(%order, %begins) : tensor<1x4096x!quern.block<q8_1>>, tensor<116496x4096x!quern.block<q4_0>>, tensor<1x1xi32>, tensor<7282xi32>
  quern.yield %1 : tensor<1x1x16xf32>
}

quern.kernel @large(%x: tensor<1x4096xf32>, %order: tensor<1x1xi32>, %begins: tensor<62502xi32>,
                    %w: tensor<1000016x4096x!quern.block<q4_0>> {quern.packing = #quern.packing<panels>}) -> tensor<1x1x16xf32>
    attributes {form = #quern.form<experts>} {
  %0 = quern.quantize %x : tensor<1x4096xf32>
  %1 = quern.matmul %0, %w groups(%order, %begins) : tensor<1x4096x!quern.block<q8_1>>, tensor<1000016x4096x!quern.block<q4_0>>, tensor<1x1xi32>, tensor<62502xi32>
  quern.yield %1 : tensor<1x1x16xf32>
}
