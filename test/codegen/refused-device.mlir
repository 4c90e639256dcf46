// RUN: not %unit/kernel-text loops opencl < %s 2>&1 | FileCheck %s

// CHECK: a block has 256 threads, expected at most 128 on `opencl`
quern.kernel @large(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {form = #quern.form<map>, schedule = #quern.schedule<{threads = 256 : i64}>} {
  %0 = quern.neg %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
