// RUN: quern-opt %s --quern-select-schedules | FileCheck %s
// RUN: quern-opt %s --quern-select-schedules=database=%S/Inputs/schedules.json | FileCheck %s

module attributes {quern.target = #quern.gpu<"cuda", blockThreads = 128>} {
  // A device has no knobs, and no rows of what was measured.
  // CHECK: quern.kernel @floats
  // CHECK-SAME: schedule = #quern.schedule<{}>
  quern.kernel @floats(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<576x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<576x576xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }
}
