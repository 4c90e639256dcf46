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
// expected-error @+1 {{holds no op of the form `contract`}}
quern.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<contract>} {
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
quern.state @cache : tensor<8xf32>
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
quern.state @cache : tensor<8xf32>
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
