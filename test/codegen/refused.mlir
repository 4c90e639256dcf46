// RUN: not %unit/kernel-text object x86-64-v3 < %s 2>&1 | FileCheck %s
// RUN: not %unit/kernel-text object pentium < %s 2>&1 | FileCheck %s --check-prefix=TARGET

// Diagnostics come out of the child processes in the order of the kernels, at the op that is to blame.

// TARGET: unknown target `pentium`, expected `host`, `sapphirerapids`, `zen4`, `icelake`, `x86-64-v4`, `x86-64-v3`

quern.kernel @scalar(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<map>} {
  %0 = quern.map (%x) : tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%a: f32):
    // CHECK: :[[@LINE+1]]:10: error: no kernel code for the scalar op `math.cbrt`
    %1 = math.cbrt %a : f32
    quern.yield %1 : f32
  }
  quern.yield %0 : tensor<4xf32>
}

quern.kernel @broken(%x: tensor<1x8x8x16xf32>, %w: tensor<24x256xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x6x6x24xf32>
    attributes {form = #quern.form<winograd>} {
  // CHECK: :[[@LINE+1]]:8: error: a kernel computes 24 channels, expected a multiple of 16
  %0 = quern.winograd %x, %w window [3, 3] tile [2, 2] : tensor<1x8x8x16xf32>, tensor<24x256xf32>
  quern.yield %0 : tensor<1x6x6x24xf32>
}

// CHECK: :[[@LINE+1]]:1: error: a buffer of operand 0 has a dimension of 2 elements, each 3072000000 from the next, expected at most 2147483647
quern.kernel @large(%x: tensor<2x3000000x1024xf32>) -> tensor<2x3000000x1024xf32> attributes {form = #quern.form<map>} {
  %0 = quern.neg %x : tensor<2x3000000x1024xf32>
  quern.yield %0 : tensor<2x3000000x1024xf32>
}
