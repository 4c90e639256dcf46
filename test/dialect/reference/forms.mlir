// One computation in each form: graph, groups, kernels, planned program. All give the same numbers.
//
// RUN: quern-eval %s --entry graph --size s=3 > %t.graph
// RUN: quern-eval %s --entry groups --size s=3 > %t.groups
// RUN: quern-eval %s --entry kernels --size s=3 > %t.kernels
// RUN: quern-eval %s --entry planned --size s=3 > %t.planned
// RUN: FileCheck %s < %t.graph
// RUN: diff %t.graph %t.groups
// RUN: diff %t.graph %t.kernels
// RUN: diff %t.graph %t.planned

// CHECK: y: tensor<3x16xf32>
// CHECK-NOT: nan
// CHECK: cache: tensor<4x1x16xf32>
// CHECK-COUNT-4: {{^[-0-9]}}

quern.parameter @w : tensor<16x64x!quern.block<q4_1>> packing <panels>
quern.parameter @b : tensor<16xf32>
quern.parameter @twice_b : tensor<16xf32> {
  %0 = quern.param @b : tensor<16xf32>
  %1 = quern.add %0, %0 : tensor<16xf32>, tensor<16xf32>
  quern.yield %1 : tensor<16xf32>
}
quern.state cache @cache : tensor<4x1x16xf32>

quern.entry @graph(%x: tensor<?x64xf32, #quern.dims<s>>, %at: tensor<?x!quern.position, #quern.dims<s>>)
    -> (tensor<?x16xf32, #quern.dims<s>>, tensor<4x1x16xf32>)
    attributes {arg_names = ["x", "at"], result_names = ["y", "cache"], bounds = {s = 4 : i64}} {
  %w = quern.param @w : tensor<16x64x!quern.block<q4_1>>
  %b = quern.param @twice_b : tensor<16xf32>
  %q = quern.quantize %x : tensor<?x64xf32, #quern.dims<s>>
  %0 = quern.matmul %q, %w : tensor<?x64x!quern.block<q8_1>, #quern.dims<s>>, tensor<16x64x!quern.block<q4_1>>
  %1 = quern.add %0, %b : tensor<?x16xf32, #quern.dims<s>>, tensor<16xf32>
  %2 = quern.reshape %1 : tensor<?x16xf32, #quern.dims<s>> to tensor<?x1x16xf32, #quern.dims<s>>
  %3 = quern.state_ref @cache : tensor<4x1x16xf32>
  %4 = quern.cache_append %3, %2 at %at
      : tensor<4x1x16xf32>, tensor<?x1x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  quern.return %1, %4 : tensor<?x16xf32, #quern.dims<s>>, tensor<4x1x16xf32>
}

quern.entry @groups(%x: tensor<?x64xf32, #quern.dims<s>>, %at: tensor<?x!quern.position, #quern.dims<s>>)
    -> (tensor<?x16xf32, #quern.dims<s>>, tensor<4x1x16xf32>)
    attributes {arg_names = ["x", "at"], result_names = ["y", "cache"], bounds = {s = 4 : i64}} {
  %w = quern.param @w : tensor<16x64x!quern.block<q4_1>>
  %b = quern.param @twice_b : tensor<16xf32>
  %1 = quern.fused -> tensor<?x16xf32, #quern.dims<s>> {
    %q = quern.quantize %x : tensor<?x64xf32, #quern.dims<s>>
    %0 = quern.matmul %q, %w : tensor<?x64x!quern.block<q8_1>, #quern.dims<s>>, tensor<16x64x!quern.block<q4_1>>
    %5 = quern.add %0, %b : tensor<?x16xf32, #quern.dims<s>>, tensor<16xf32>
    quern.yield %5 : tensor<?x16xf32, #quern.dims<s>>
  }
  %2 = quern.reshape %1 : tensor<?x16xf32, #quern.dims<s>> to tensor<?x1x16xf32, #quern.dims<s>>
  %3 = quern.state_ref @cache : tensor<4x1x16xf32>
  %4 = quern.cache_append %3, %2 at %at
      : tensor<4x1x16xf32>, tensor<?x1x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  quern.return %1, %4 : tensor<?x16xf32, #quern.dims<s>>, tensor<4x1x16xf32>
}

quern.kernel @contract(%x: tensor<?x64xf32, #quern.dims<s>>, %w: tensor<16x64x!quern.block<q4_1>> {quern.packing = #quern.packing<panels>},
                       %b: tensor<16xf32>) -> tensor<?x16xf32, #quern.dims<s>>
    attributes {form = #quern.form<contract>} {
  %q = quern.quantize %x : tensor<?x64xf32, #quern.dims<s>>
  %0 = quern.matmul %q, %w : tensor<?x64x!quern.block<q8_1>, #quern.dims<s>>, tensor<16x64x!quern.block<q4_1>>
  %1 = quern.map (%0, %b) : tensor<?x16xf32, #quern.dims<s>>, tensor<16xf32> -> tensor<?x16xf32, #quern.dims<s>> {
  ^bb0(%u: f32, %v: f32):
    %2 = arith.addf %u, %v : f32
    quern.yield %2 : f32
  }
  quern.yield %1 : tensor<?x16xf32, #quern.dims<s>>
}
quern.kernel @append(%cache: tensor<4x1x16xf32>, %x: tensor<?x1x16xf32, #quern.dims<s>>,
                     %at: tensor<?x!quern.position, #quern.dims<s>>) -> tensor<4x1x16xf32>
    attributes {form = #quern.form<append>} {
  %0 = quern.cache_append %cache, %x at %at
      : tensor<4x1x16xf32>, tensor<?x1x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  quern.yield %0 : tensor<4x1x16xf32>
}

quern.entry @kernels(%x: tensor<?x64xf32, #quern.dims<s>>, %at: tensor<?x!quern.position, #quern.dims<s>>)
    -> (tensor<?x16xf32, #quern.dims<s>>, tensor<4x1x16xf32>)
    attributes {arg_names = ["x", "at"], result_names = ["y", "cache"], bounds = {s = 4 : i64}} {
  %w = quern.param @w : tensor<16x64x!quern.block<q4_1>>
  %b = quern.param @twice_b : tensor<16xf32>
  %1 = quern.call @contract(%x, %w, %b) : (tensor<?x64xf32, #quern.dims<s>>, tensor<16x64x!quern.block<q4_1>>,
                                           tensor<16xf32>) -> tensor<?x16xf32, #quern.dims<s>>
  %2 = quern.reshape %1 : tensor<?x16xf32, #quern.dims<s>> to tensor<?x1x16xf32, #quern.dims<s>>
  %3 = quern.state_ref @cache : tensor<4x1x16xf32>
  %4 = quern.call @append(%3, %2, %at) : (tensor<4x1x16xf32>, tensor<?x1x16xf32, #quern.dims<s>>,
                                          tensor<?x!quern.position, #quern.dims<s>>) -> tensor<4x1x16xf32>
  quern.return %1, %4 : tensor<?x16xf32, #quern.dims<s>>, tensor<4x1x16xf32>
}

quern.kernel @copy(%x: tensor<?x16xf32, #quern.dims<s>>) -> tensor<?x16xf32, #quern.dims<s>>
    attributes {form = #quern.form<map>} {
  quern.yield %x : tensor<?x16xf32, #quern.dims<s>>
}
quern.kernel @copy_cache(%x: tensor<4x1x16xf32>) -> tensor<4x1x16xf32> attributes {form = #quern.form<map>} {
  quern.yield %x : tensor<4x1x16xf32>
}

quern.program @planned(%x: !quern.buffer<tensor<?x64xf32, #quern.dims<s>>>,
                       %at: !quern.buffer<tensor<?x!quern.position, #quern.dims<s>>>,
                       %y: !quern.buffer<tensor<?x16xf32, #quern.dims<s>>>, %cache: !quern.buffer<tensor<4x1x16xf32>>)
    attributes {arg_names = ["x", "at"], result_names = ["y", "cache"], bounds = {s = 4 : i64},
                arena_bytes = 320 : i64} {
  %w = quern.param_buffer @w : !quern.buffer<tensor<16x64x!quern.block<q4_1>>>
  %b = quern.param_buffer @twice_b : !quern.buffer<tensor<16xf32>>
  %state = quern.state_buffer @cache : !quern.buffer<tensor<4x1x16xf32>>
  %0 = quern.arena 64, 256 : !quern.buffer<tensor<?x16xf32, #quern.dims<s>>>
  quern.launch @contract(%x, %w, %b) into (%0) : !quern.buffer<tensor<?x64xf32, #quern.dims<s>>>,
      !quern.buffer<tensor<16x64x!quern.block<q4_1>>>, !quern.buffer<tensor<16xf32>>
      to !quern.buffer<tensor<?x16xf32, #quern.dims<s>>>
  %1 = quern.alias %0 : !quern.buffer<tensor<?x16xf32, #quern.dims<s>>>
      to !quern.buffer<tensor<?x1x16xf32, #quern.dims<s>>>
  quern.launch @append(%1, %at) into (%state) : !quern.buffer<tensor<?x1x16xf32, #quern.dims<s>>>,
      !quern.buffer<tensor<?x!quern.position, #quern.dims<s>>> to !quern.buffer<tensor<4x1x16xf32>>
  quern.launch @copy(%0) into (%y) : !quern.buffer<tensor<?x16xf32, #quern.dims<s>>>
      to !quern.buffer<tensor<?x16xf32, #quern.dims<s>>>
  quern.launch @copy_cache(%state) into (%cache) : !quern.buffer<tensor<4x1x16xf32>>
      to !quern.buffer<tensor<4x1x16xf32>>
  quern.end
}
