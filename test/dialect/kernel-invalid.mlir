// RUN: quern-opt %s --split-input-file --verify-diagnostics

// fused_c1
quern.entry @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{body must yield 'tensor<2xf32>'}}
  %0 = quern.fused -> tensor<2xf32> {
    quern.yield %x : tensor<4xf32>
  }
  quern.return
}

// -----

// kernel_c1
// expected-error @+1 {{body must yield the results}}
quern.kernel @k(%x: tensor<4xf32>) -> tensor<2xf32> attributes {form = #quern.form<map>} {
  quern.yield %x : tensor<4xf32>
}

// -----

// kernel_c2
// expected-error @+1 {{holds no op of the form `values`}}
quern.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<values>} {
  quern.yield %x : tensor<4xf32>
}

// -----

// call_c1
quern.entry @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{no kernel named `k`}}
  %0 = quern.call @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  quern.return
}

// -----

// call_c2
quern.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<map>} {
  quern.yield %x : tensor<4xf32>
}
quern.entry @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{found ('tensor<2xf32>') -> ('tensor<2xf32>'), expected the kernel's type}}
  %0 = quern.call @k(%x) : (tensor<2xf32>) -> tensor<2xf32>
  quern.return
}

// -----

// state_ref_c1
quern.entry @f() {
  // expected-error @+1 {{no state named `cache`}}
  %0 = quern.state_ref @cache : tensor<4xf32>
  quern.return
}

// -----

// state_ref_c2
quern.state variable @cache : tensor<8xf32>
quern.entry @f() {
  // expected-error @+1 {{found type 'tensor<4xf32>', expected the state's, 'tensor<8xf32>'}}
  %0 = quern.state_ref @cache : tensor<4xf32>
  quern.return
}

// -----

// program_c1
// expected-error @+1 {{found an argument of type 'tensor<4xf32>', expected buffers}}
quern.program @p(%x: tensor<4xf32>) attributes {arena_bytes = 0 : i64} {
  quern.end
}

// -----

// program_c2
// expected-error @+1 {{found 1 arguments, expected one per result, 2}}
quern.program @p(%x: !quern.buffer<tensor<4xf32>>) attributes {result_names = ["y", "z"], arena_bytes = 0 : i64} {
  quern.end
}

// -----

// arena_c1
quern.program @p(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{found 16 bytes at -4, expected neither to be negative}}
  %0 = quern.arena -4, 16 : !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

// alias_c1
quern.program @p(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{found elements 'i32', expected 'f32'}}
  %0 = quern.alias %y : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xi32>>
  quern.end
}

// -----

// param_buffer_c1
quern.program @p(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{no parameter named `w`}}
  %0 = quern.param_buffer @w : !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

// param_buffer_c2
quern.parameter @w : tensor<8xf32>
quern.program @p(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{found type 'tensor<4xf32>', expected the parameter's, 'tensor<8xf32>'}}
  %0 = quern.param_buffer @w : !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

// state_buffer_c1
quern.program @p(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{no state named `cache`}}
  %0 = quern.state_buffer @cache : !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

// state_buffer_c2
quern.state variable @cache : tensor<8xf32>
quern.program @p(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{found type 'tensor<4xf32>', expected the state's, 'tensor<8xf32>'}}
  %0 = quern.state_buffer @cache : !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

// launch_c1
quern.program @p(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{no kernel named `k`}}
  quern.launch @k(%y) into (%y) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

// launch_c2
quern.kernel @k(%x: tensor<2xf32>) -> tensor<2xf32> attributes {form = #quern.form<map>} {
  quern.yield %x : tensor<2xf32>
}
quern.program @p(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{found inputs ('tensor<4xf32>'), expected ('tensor<2xf32>')}}
  quern.launch @k(%y) into (%y) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

// kernel_c3
// expected-error @+1 {{result of type 'tensor<2x4xf32>' is no part of 'tensor<3x8xf32>'}}
quern.kernel @f(%x: tensor<2x4xf32>) -> (tensor<2x4xf32> {quern.part_of = tensor<3x8xf32>}) attributes {form = #quern.form<rows>} {
  %0 = quern.softmax %x : tensor<2x4xf32>
  quern.yield %0 : tensor<2x4xf32>
}

// -----

// part_c1
quern.program @f(%x: !quern.buffer<tensor<2x8xf32>>) attributes {arena_bytes = 0 : i64} {
  // expected-error @+1 {{found 'tensor<2x4xf32>' at index 5 of axis 1, which is no part of 'tensor<2x8xf32>'}}
  %0 = quern.part %x axis 1 offset 5 : !quern.buffer<tensor<2x8xf32>> to !quern.buffer<tensor<2x4xf32>>
  quern.end
}

// -----

// kernel_c5
// expected-error @+1 {{argument of type 'tensor<8x4xf16>' cannot lie by #quern.packing<panels13>}}
quern.kernel @k(%w: tensor<8x4xf16> {quern.packing = #quern.packing<panels13>}) -> tensor<8x4xf16> attributes {form = #quern.form<map>} {
  quern.yield %w : tensor<8x4xf16>
}

// -----

// kernel_c5
// expected-error @+1 {{argument of type 'tensor<8x4xf16>' cannot lie by unit}}
quern.kernel @k(%w: tensor<8x4xf16> {quern.packing}) -> tensor<8x4xf16> attributes {form = #quern.form<map>} {
  quern.yield %w : tensor<8x4xf16>
}

// -----

// call_c3
quern.parameter @w : tensor<8x4xbf16> packing <panels13>
quern.kernel @k(%x: tensor<1x4xf32>, %w: tensor<8x4xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<1x8xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<1x4xf32>, tensor<8x4xbf16>
  quern.yield %0 : tensor<1x8xf32>
}
quern.entry @f(%x: tensor<1x4xf32>) -> tensor<1x8xf32> {
  %w = quern.param @w : tensor<8x4xbf16>
  // expected-error @+1 {{found parameter `w` panels13, expected it as the kernel reads it, panels}}
  %0 = quern.call @k(%x, %w) : (tensor<1x4xf32>, tensor<8x4xbf16>) -> tensor<1x8xf32>
  quern.return %0 : tensor<1x8xf32>
}

// -----

// launch_c4
quern.parameter @w : tensor<8x4xf32>
quern.kernel @k(%x: tensor<1x4xf32>, %w: tensor<8x4xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x8xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<1x4xf32>, tensor<8x4xf32>
  quern.yield %0 : tensor<1x8xf32>
}
quern.program @f(%x: !quern.buffer<tensor<1x4xf32>>, %y: !quern.buffer<tensor<1x8xf32>>) attributes {arena_bytes = 0 : i64} {
  %w = quern.param_buffer @w : <tensor<8x4xf32>>
  // expected-error @+1 {{found parameter `w` dense, expected it as the kernel reads it, panels}}
  quern.launch @k(%x, %w) into (%y) : !quern.buffer<tensor<1x4xf32>>, !quern.buffer<tensor<8x4xf32>> to !quern.buffer<tensor<1x8xf32>>
  quern.end
}

// -----

// kernel_c6
// expected-error@below {{schedule parameter `rows` is 16, expected 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}}
quern.kernel @tile(%x: tensor<4x8xf32>, %w: tensor<16x8xf32> {quern.packing = #quern.packing<panels>}) -> tensor<4x16xf32>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{rows = 16 : i64}>} {
  %0 = quern.matmul %x, %w : tensor<4x8xf32>, tensor<16x8xf32>
  quern.yield %0 : tensor<4x16xf32>
}

// -----

// expected-error@below {{form `map` has no schedule parameter `rows`}}
quern.kernel @surplus(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {form = #quern.form<map>, schedule = #quern.schedule<{rows = 1 : i64}>} {
  %0 = quern.neg %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

// -----

// expected-error@below {{schedule parameter `threads` is 96 on a device, expected 32, 64, 128, 256}}
quern.kernel @threads(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {form = #quern.form<map>, schedule = #quern.schedule<{threads = 96 : i64}>} {
  %0 = quern.neg %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

// -----

// expected-error@below {{form `map` has no schedule parameter `lanes` on a device}}
quern.kernel @both(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {form = #quern.form<map>, schedule = #quern.schedule<{lanes = 8 : i64, threads = 64 : i64}>} {
  %0 = quern.neg %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

// -----

// expected-error@below {{schedule parameter `lanes` is 8 : i32, expected an integer of 64 bits}}
quern.kernel @width(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {form = #quern.form<map>, schedule = #quern.schedule<{lanes = 8 : i32}>} {
  %0 = quern.neg %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
