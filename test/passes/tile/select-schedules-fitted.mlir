// What a model that was fitted to measured plans chooses, of a kernel's family and for its target.
// RUN: quern-opt %s --quern-select-schedules=database=%S/Inputs/fitted.json | FileCheck %s

module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni",
                                                vectorRegisters = 32>} {
  // Narrower is faster, says the model, but it has seen no plan of less than two thirds of the width: 2 panels instead of 3.
  // CHECK: quern.kernel @floats
  // CHECK-SAME: vectors = 2 : i64
  quern.kernel @floats(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<576x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<576x576xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }

  // Larger tasks are better by a tenth for each doubling: as many lines as the image has at least.
  // CHECK: quern.kernel @conv
  // CHECK-SAME: lines = 64 : i64
  quern.kernel @conv(%x: tensor<1x35x35x64xf32>, %w: tensor<96x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x35x35x96xf32>
      attributes {form = #quern.form<conv>} {
    %0 = quern.conv2d %x, %w window [3, 3] pads [1, 1, 1, 1] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<96x576xf32>
    quern.yield %0 : tensor<1x35x35x96xf32>
  }

  // One row: nothing promises as much as the margin.
  // CHECK: quern.kernel @row
  // CHECK-SAME: schedule = #quern.schedule<{panels = 4 : i64, prefetch = 0 : i64, rows = 1 : i64, vectors = 4 : i64}>
  quern.kernel @row(%x: tensor<1x576xf32>, %w: tensor<576x576xf16> {quern.packing = #quern.packing<panels>}) -> tensor<1x576xf32> attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<1x576xf32>, tensor<576x576xf16>
    quern.yield %0 : tensor<1x576xf32>
  }

  // A model that knows other features than this compiler says nothing, nor does one for another family.
  // CHECK: quern.kernel @nibbles
  // CHECK-SAME: schedule = #quern.schedule<{panels = 1 : i64, prefetch = 0 : i64, rows = 12 : i64, vectors = 1 : i64}>
  quern.kernel @nibbles(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<576x576x!quern.block<q4_1>> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %q = quern.quantize %x : tensor<?x576xf32, #quern.dims<s>>
    %0 = quern.matmul %q, %w : tensor<?x576x!quern.block<q8_1>, #quern.dims<s>>, tensor<576x576x!quern.block<q4_1>>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }
  // CHECK: quern.kernel @softmax
  // CHECK-SAME: schedule = #quern.schedule<{lanes = 16 : i64}>
  quern.kernel @softmax(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>} {
    %0 = quern.softmax %x : tensor<4xf32>
    quern.yield %0 : tensor<4xf32>
  }

  // What a schedule says stays.
  // CHECK: quern.kernel @given
  // CHECK-SAME: rows = 2 : i64, vectors = 3 : i64
  quern.kernel @given(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<1536x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x1536xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>, schedule = #quern.schedule<{rows = 2 : i64}>} {
    %0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<1536x576xf32>
    quern.yield %0 : tensor<?x1536xf32, #quern.dims<s>>
  }
}
