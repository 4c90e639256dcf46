// RUN: quern-opt %s --split-input-file --quern-select-schedules | FileCheck %s
// RUN: quern-opt %s --split-input-file --quern-select-schedules=database=%S/Inputs/schedules-device.json 2> %t.remarks | FileCheck %s --check-prefix=MEASURED
// RUN: FileCheck %s --check-prefix=IGNORED < %t.remarks

module attributes {quern.target = #quern.gpu<"cuda", blockThreads = 256, bf16Dot = true, processors = 132, residentThreads = 2048, instructionsPerNs = 29652, bytesPerNs = 4800, launchNs = 2000>} {
  // Many rows: six of them for each block, the left side by launches of its own.
  // CHECK: quern.kernel @floats
  // CHECK-SAME: schedule = #quern.schedule<{narrow = 64 : i64, panels = 1 : i64, rows = 6 : i64, threads = 128 : i64, within = 0 : i64}>
  // MEASURED: quern.kernel @floats
  // MEASURED-SAME: schedule = #quern.schedule<{narrow = 64 : i64, panels = 2 : i64, rows = 4 : i64, threads = 256 : i64, within = 0 : i64}>
  quern.kernel @floats(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<576x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<576x576xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }

  // One row of 1024 panels, two in a block: 256 blocks keep a device busy.
  // CHECK: quern.kernel @few
  // CHECK-SAME: schedule = #quern.schedule<{narrow = 64 : i64, panels = 2 : i64, rows = 1 : i64, threads = 128 : i64, within = 1 : i64}>
  quern.kernel @few(%x: tensor<1x64xf32>, %w: tensor<16384x64xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x16384xf32>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<1x64xf32>, tensor<16384x64xf32>
    quern.yield %0 : tensor<1x16384xf32>
  }

  // Panels that are not full are products of a panel for each block.
  // CHECK: quern.kernel @ragged
  // CHECK-SAME: schedule = #quern.schedule<{narrow = 64 : i64, panels = 1 : i64, rows = 1 : i64, threads = 128 : i64, within = 0 : i64}>
  quern.kernel @ragged(%x: tensor<1x64xf32>, %w: tensor<16385x64xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x16385xf32>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<1x64xf32>, tensor<16385x64xf32>
    quern.yield %0 : tensor<1x16385xf32>
  }

  // What a kernel says of a device stays, and the rest is completed.
  // CHECK: quern.kernel @given
  // CHECK-SAME: schedule = #quern.schedule<{narrow = 64 : i64, panels = 1 : i64, rows = 1 : i64, threads = 64 : i64, within = 1 : i64}>
  quern.kernel @given(%x: tensor<1x64xf32>, %w: tensor<32x64xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x32xf32>
      attributes {form = #quern.form<contract>, schedule = #quern.schedule<{threads = 64 : i64}>} {
    %0 = quern.matmul %x, %w : tensor<1x64xf32>, tensor<32x64xf32>
    quern.yield %0 : tensor<1x32xf32>
  }

  // What it says of a processor does not.
  // CHECK: quern.kernel @processors
  // CHECK-SAME: schedule = #quern.schedule<{threads = 128 : i64}>
  quern.kernel @processors(%x: tensor<4xf32>) -> tensor<4xf32>
      attributes {form = #quern.form<map>, schedule = #quern.schedule<{lanes = 8 : i64}>} {
    %0 = quern.neg %x : tensor<4xf32>
    quern.yield %0 : tensor<4xf32>
  }
}

// -----

// Blocks of 256 threads are too large for this one.
// IGNORED: remark: ignores the schedule of `{{.*}}schedules-device.json`: a block has 256 threads, expected at most 128
module attributes {quern.target = #quern.gpu<"opencl", blockThreads = 128, processors = 132, residentThreads = 2048, instructionsPerNs = 29652, bytesPerNs = 4800, launchNs = 2000>} {
  // CHECK: quern.kernel @floats
  // CHECK-SAME: threads = 128 : i64
  // MEASURED: quern.kernel @floats
  // MEASURED-SAME: threads = 128 : i64
  quern.kernel @floats(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<576x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<576x576xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }
}
