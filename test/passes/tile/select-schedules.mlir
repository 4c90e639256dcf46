// RUN: quern-opt %s --quern-select-schedules | FileCheck %s --check-prefixes=CHECK,MODEL
// RUN: quern-opt %s --quern-select-schedules=database=%S/Inputs/schedules.json | FileCheck %s --check-prefixes=CHECK,DATA
// RUN: quern-opt %s --quern-select-schedules=database=%S/Inputs/schedules.json 2>&1 >/dev/null | FileCheck %s --check-prefix=IGNORED

module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni",
                                                vectorRegisters = 32>} {
  // Floats, many rows: 8 rows of 3 vectors, as many sums as registers hold. 36 panels in 12 tasks: 2 and 4 threads get the
  // same number.
  // CHECK: quern.kernel @floats
  // CHECK-SAME: schedule = #quern.schedule<{panels = 3 : i64, prefetch = 0 : i64, rows = 8 : i64, vectors = 3 : i64}>
  quern.kernel @floats(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<576x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<576x576xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }

  // A convolution: rows of 35 places are five tiles of 7; 6 panels are two groups of 3.
  // CHECK: quern.kernel @conv
  // CHECK-SAME: schedule = #quern.schedule<{lines = 4 : i64, rows = 7 : i64, vectors = 3 : i64}>
  quern.kernel @conv(%x: tensor<1x35x35x64xf32>, %w: tensor<96x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x35x35x96xf32>
      attributes {form = #quern.form<conv>} {
    %0 = quern.conv2d %x, %w window [3, 3] pads [1, 1, 1, 1] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<96x576xf32>
    quern.yield %0 : tensor<1x35x35x96xf32>
  }

  // Rows of 17 places: two tiles of 9, whose sums, weights and one place fill the registers.
  // CHECK: quern.kernel @point
  // CHECK-SAME: rows = 9 : i64, vectors = 3 : i64
  quern.kernel @point(%x: tensor<1x17x17x768xf32>, %w: tensor<192x768xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x17x17x192xf32>
      attributes {form = #quern.form<conv>} {
    %0 = quern.conv2d %x, %w window [1, 1] layout <nhwc> : tensor<1x17x17x768xf32>, tensor<192x768xf32>
    quern.yield %0 : tensor<1x17x17x192xf32>
  }

  // Nine tiles in a row; too few rows of tiles for tasks that transform their own.
  // CHECK: quern.kernel @winograd
  // CHECK-SAME: schedule = #quern.schedule<{lines = 1 : i64, rows = 9 : i64, shared = 1 : i64, vectors = 3 : i64}>
  quern.kernel @winograd(%x: tensor<1x35x35x64xf32>, %w: tensor<96x2304xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x35x35x96xf32>
      attributes {form = #quern.form<winograd>} {
    %0 = quern.winograd %x, %w window [3, 3] tile [4, 4] pads [1, 1, 1, 1] : tensor<1x35x35x64xf32>, tensor<96x2304xf32>
    quern.yield %0 : tensor<1x35x35x96xf32>
  }

  // Rows of two tiles: several rows share a weight.
  // CHECK: quern.kernel @winograd_narrow
  // CHECK-SAME: schedule = #quern.schedule<{lines = 2 : i64, rows = 2 : i64
  quern.kernel @winograd_narrow(%x: tensor<1x8x8x448xf32>, %w: tensor<384x16128xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x8x8x384xf32>
      attributes {form = #quern.form<winograd>} {
    %0 = quern.winograd %x, %w window [3, 3] tile [4, 4] pads [1, 1, 1, 1] : tensor<1x8x8x448xf32>, tensor<384x16128xf32>
    quern.yield %0 : tensor<1x8x8x384xf32>
  }

  // Many rows of tiles, few weights: each task transforms its own tiles.
  // CHECK: quern.kernel @winograd_large
  // CHECK-SAME: schedule = #quern.schedule<{lines = 1 : i64, rows = 13 : i64, shared = 0 : i64, vectors = 2 : i64}>
  quern.kernel @winograd_large(%x: tensor<1x147x147x32xf32>, %w: tensor<64x1152xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x147x147x64xf32>
      attributes {form = #quern.form<winograd>} {
    %0 = quern.winograd %x, %w window [3, 3] tile [4, 4] pads [1, 1, 1, 1] : tensor<1x147x147x32xf32>, tensor<64x1152xf32>
    quern.yield %0 : tensor<1x147x147x64xf32>
  }

  // One row of floats: four sums at a time hide the latency of each.
  // CHECK: quern.kernel @row
  // CHECK-SAME: rows = 1 : i64, vectors = 4 : i64
  quern.kernel @row(%x: tensor<1x576xf32>, %w: tensor<576x576xf16> {quern.packing = #quern.packing<panels>}) -> tensor<1x576xf32> attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<1x576xf32>, tensor<576x576xf16>
    quern.yield %0 : tensor<1x576xf32>
  }

  // One row of compressed floats: one stream, as of quants.
  // CHECK: quern.kernel @compressed
  // CHECK-SAME: rows = 1 : i64, vectors = 1 : i64
  quern.kernel @compressed(%x: tensor<1x576xf32>, %w: tensor<576x576xbf16> {quern.packing = #quern.packing<panels13>}) -> tensor<1x576xf32>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<1x576xf32>, tensor<576x576xbf16>
    quern.yield %0 : tensor<1x576xf32>
  }

  // Four-bit weights are unpacked once per tile: many rows. A prompt has work enough for a task per panel.
  // CHECK: quern.kernel @nibbles
  // CHECK-SAME: schedule = #quern.schedule<{panels = 1 : i64, prefetch = 0 : i64, rows = 12 : i64, vectors = 1 : i64}>
  quern.kernel @nibbles(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<576x576x!quern.block<q4_1>> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %q = quern.quantize %x : tensor<?x576xf32, #quern.dims<s>>
    %0 = quern.matmul %q, %w : tensor<?x576x!quern.block<q8_1>, #quern.dims<s>>, tensor<576x576x!quern.block<q4_1>>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }

  // One row of quants: one stream of weights, and tasks that are worth handing out.
  // CHECK: quern.kernel @stream
  // CHECK-SAME: schedule = #quern.schedule<{panels = 3 : i64, prefetch = 0 : i64, rows = 1 : i64, vectors = 1 : i64}>
  quern.kernel @stream(%x: tensor<1x576xf32>, %w: tensor<576x576x!quern.block<q8_0>> {quern.packing = #quern.packing<panels>}) -> tensor<1x576xf32> attributes {form = #quern.form<contract>} {
    %q = quern.quantize %x : tensor<1x576xf32>
    %0 = quern.matmul %q, %w : tensor<1x576x!quern.block<q8_1>>, tensor<576x576x!quern.block<q8_0>>
    quern.yield %0 : tensor<1x576xf32>
  }

  // A pair of quants is multiplied one after the other: the registers are those of one.
  // CHECK: quern.kernel @pair
  // CHECK-SAME: rows = 12 : i64, vectors = 1 : i64
  quern.kernel @pair(%x: tensor<?x576xf32, #quern.dims<s>>, %g: tensor<1536x576x!quern.block<q4_1>> {quern.packing = #quern.packing<panels>}, %u: tensor<1536x576x!quern.block<q4_1>> {quern.packing = #quern.packing<panels>})
      -> tensor<?x1536xf32, #quern.dims<s>> attributes {form = #quern.form<contract>} {
    %q = quern.quantize %x : tensor<?x576xf32, #quern.dims<s>>
    %0 = quern.matmul %q, %g : tensor<?x576x!quern.block<q8_1>, #quern.dims<s>>, tensor<1536x576x!quern.block<q4_1>>
    %1 = quern.matmul %q, %u : tensor<?x576x!quern.block<q8_1>, #quern.dims<s>>, tensor<1536x576x!quern.block<q4_1>>
    %2 = quern.map (%0, %1) : tensor<?x1536xf32, #quern.dims<s>>, tensor<?x1536xf32, #quern.dims<s>> -> tensor<?x1536xf32, #quern.dims<s>> {
    ^bb0(%a: f32, %b: f32):
      %3 = arith.mulf %a, %b : f32
      quern.yield %3 : f32
    }
    quern.yield %2 : tensor<?x1536xf32, #quern.dims<s>>
  }

  // The database comes before the model, for its target alone.
  // CHECK: quern.kernel @measured
  // MODEL-SAME: rows = 8 : i64, vectors = 3 : i64
  // DATA-SAME: schedule = #quern.schedule<{panels = 8 : i64, prefetch = 0 : i64, rows = 6 : i64, vectors = 2 : i64}>
  quern.kernel @measured(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<1536x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x1536xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<1536x576xf32>
    quern.yield %0 : tensor<?x1536xf32, #quern.dims<s>>
  }

  // What a schedule says stays; the rest is chosen.
  // CHECK: quern.kernel @given
  // CHECK-SAME: schedule = #quern.schedule<{panels = 3 : i64, prefetch = 0 : i64, rows = 2 : i64, vectors = 3 : i64}>
  quern.kernel @given(%x: tensor<?x576xf32, #quern.dims<s>>, %w: tensor<576x576xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>, schedule = #quern.schedule<{rows = 2 : i64}>} {
    %0 = quern.matmul %x, %w : tensor<?x576xf32, #quern.dims<s>>, tensor<576x576xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }

  // Rows of a database for another version of the form, or with values that no kernel may have, are none.
  // CHECK: quern.kernel @outdated
  // CHECK-SAME: schedule = #quern.schedule<{panels = 3 : i64, prefetch = 0 : i64, rows = 8 : i64, vectors = 3 : i64}>
  // IGNORED: :[[@LINE+1]]:3: remark: ignores the schedule of `{{.*}}schedules.json`: it was measured for another version of the form, expected version 1
  quern.kernel @outdated(%x: tensor<?x592xf32, #quern.dims<s>>, %w: tensor<576x592xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x592xf32, #quern.dims<s>>, tensor<576x592xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }
  // CHECK: quern.kernel @illegal
  // CHECK-SAME: schedule = #quern.schedule<{panels = 3 : i64, prefetch = 0 : i64, rows = 8 : i64, vectors = 3 : i64}>
  // IGNORED: :[[@LINE+1]]:3: remark: ignores the schedule of `{{.*}}schedules.json`: schedule parameter `rows` is 99, expected 1, 2
  quern.kernel @illegal(%x: tensor<?x608xf32, #quern.dims<s>>, %w: tensor<576x608xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x608xf32, #quern.dims<s>>, tensor<576x608xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }
  // CHECK: quern.kernel @surplus
  // IGNORED: :[[@LINE+1]]:3: remark: ignores the schedule of `{{.*}}schedules.json`: form `contract` has no schedule parameter `lines`
  quern.kernel @surplus(%x: tensor<?x624xf32, #quern.dims<s>>, %w: tensor<576x624xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x624xf32, #quern.dims<s>>, tensor<576x624xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }
  // CHECK: quern.kernel @partial
  // IGNORED: :[[@LINE+1]]:3: remark: ignores the schedule of `{{.*}}schedules.json`: the plan lacks `panels`
  quern.kernel @partial(%x: tensor<?x640xf32, #quern.dims<s>>, %w: tensor<576x640xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x576xf32, #quern.dims<s>>
      attributes {form = #quern.form<contract>} {
    %0 = quern.matmul %x, %w : tensor<?x640xf32, #quern.dims<s>>, tensor<576x640xf32>
    quern.yield %0 : tensor<?x576xf32, #quern.dims<s>>
  }

  // Attention: 12 rows of heads or groups of rows fill three quarters of the registers.
  // CHECK: quern.kernel @attention
  // CHECK-SAME: schedule = #quern.schedule<{elements = 8 : i64, groups = 8 : i64, heads = 3 : i64, prefetch = 0 : i64, rows = 1 : i64}>
  quern.kernel @attention(%q: tensor<1x9x64xf32>, %k: tensor<1024x3x64xf16>, %v: tensor<1024x3x64xf16>,
                          %at: tensor<1x!quern.position>) -> tensor<1x9x64xf32> attributes {form = #quern.form<attention>} {
    %0 = quern.attend %q, %k, %v at %at scale 1.250000e-01
        : tensor<1x9x64xf32>, tensor<1024x3x64xf16>, tensor<1024x3x64xf16>, tensor<1x!quern.position>
    quern.yield %0 : tensor<1x9x64xf32>
  }

  // More heads than that, of values that lie by lanes: 16 of 128 at a time. By rows, all 40.
  // CHECK: quern.kernel @latents
  // CHECK-SAME: schedule = #quern.schedule<{elements = 1 : i64, groups = 1 : i64, heads = 16 : i64, prefetch = 0 : i64, rows = 1 : i64}>
  quern.kernel @latents(%q: tensor<1x128x96xf32>, %k: tensor<1024x1x96xf16>, %at: tensor<1x!quern.position>)
      -> tensor<1x128x64xf32> attributes {form = #quern.form<attention>} {
    %0 = quern.attend %q, %k, %k elements 64 at %at scale 1.250000e-01
        : tensor<1x128x96xf32>, tensor<1024x1x96xf16>, tensor<1024x1x96xf16>, tensor<1x!quern.position>
    quern.yield %0 : tensor<1x128x64xf32>
  }
  // CHECK: quern.kernel @heads
  // CHECK-SAME: heads = 48 : i64
  quern.kernel @heads(%q: tensor<1x40x64xf32>, %k: tensor<1024x1x64xf16>, %v: tensor<1024x1x64xf16>, %at: tensor<1x!quern.position>)
      -> tensor<1x40x64xf32> attributes {form = #quern.form<attention>} {
    %0 = quern.attend %q, %k, %v at %at scale 1.250000e-01 layout <rows>
        : tensor<1x40x64xf32>, tensor<1024x1x64xf16>, tensor<1024x1x64xf16>, tensor<1x!quern.position>
    quern.yield %0 : tensor<1x40x64xf32>
  }

  // A vector register of elements.
  // CHECK: quern.kernel @softmax
  // CHECK-SAME: schedule = #quern.schedule<{lanes = 16 : i64}>
  quern.kernel @softmax(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>} {
    %0 = quern.softmax %x : tensor<4xf32>
    quern.yield %0 : tensor<4xf32>
  }
}
