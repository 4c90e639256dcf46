// RUN: quern-opt %s --quern-plan-memory | FileCheck %s
// RUN: quern-opt %s --quern-plan-memory=bound=16 | FileCheck %s --check-prefix=BOUND

quern.parameter @w : tensor<8x4xf32>
quern.state cache @keys : tensor<16x1x4xf16>

quern.kernel @widen(%x: tensor<?x4xf32, #quern.dims<s>>, %w: tensor<8x4xf32>) -> tensor<?x8xf32, #quern.dims<s>>
    attributes {form = #quern.form<values>} {
  %0 = quern.matmul %x, %w : tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  quern.yield %0 : tensor<?x8xf32, #quern.dims<s>>
}
quern.kernel @same(%x: tensor<?x8xf32, #quern.dims<s>>) -> tensor<?x8xf32, #quern.dims<s>> attributes {form = #quern.form<rows>} {
  %0 = quern.softmax %x : tensor<?x8xf32, #quern.dims<s>>
  quern.yield %0 : tensor<?x8xf32, #quern.dims<s>>
}
quern.kernel @append(%c: tensor<16x1x4xf16>, %x: tensor<?x1x4xf32, #quern.dims<s>>, %at: tensor<?x!quern.position, #quern.dims<s>>)
    -> tensor<16x1x4xf16> attributes {form = #quern.form<append>} {
  %0 = quern.cache_append %c, %x at %at : tensor<16x1x4xf16>, tensor<?x1x4xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  quern.yield %0 : tensor<16x1x4xf16>
}
quern.kernel @attend(%q: tensor<?x1x4xf32, #quern.dims<s>>, %k: tensor<16x1x4xf16>, %at: tensor<?x!quern.position, #quern.dims<s>>)
    -> tensor<?x1x4xf32, #quern.dims<s>> attributes {form = #quern.form<attention>} {
  %0 = quern.attend %q, %k, %k at %at scale 1.0 : tensor<?x1x4xf32, #quern.dims<s>>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, tensor<?x!quern.position, #quern.dims<s>>
  quern.yield %0 : tensor<?x1x4xf32, #quern.dims<s>>
}

// A chain of three: the third buffer lies where the first was, and the last is the result itself.
// CHECK-LABEL: quern.program @chain(
// CHECK-SAME: %[[X:[a-z0-9]*]]: !quern.buffer<tensor<?x4xf32, #quern.dims<s>>>, %[[Y:[a-z0-9]*]]: !quern.buffer<tensor<?x8xf32, #quern.dims<s>>>)
// CHECK-SAME: arena_bytes = 256 : i64, arg_names = ["x"], bounds = {s = 3 : i64}, result_names = ["y"]
// CHECK: %[[W:.*]] = quern.param_buffer @w
// CHECK: %[[A:.*]] = quern.arena 0, 96
// CHECK-NEXT: quern.launch @widen(%[[X]], %[[W]]) into(%[[A]])
// CHECK-NEXT: %[[B:.*]] = quern.arena 128, 96
// CHECK-NEXT: quern.launch @same(%[[A]]) into(%[[B]])
// CHECK-NEXT: %[[C:.*]] = quern.arena 0, 96
// CHECK-NEXT: quern.launch @same(%[[B]]) into(%[[C]])
// CHECK-NEXT: quern.launch @same(%[[C]]) into(%[[Y]])
// CHECK-NEXT: quern.end
quern.entry @chain(%x: tensor<?x4xf32, #quern.dims<s>>) -> tensor<?x8xf32, #quern.dims<s>>
    attributes {arg_names = ["x"], result_names = ["y"], bounds = {s = 3 : i64}} {
  %w = quern.param @w : tensor<8x4xf32>
  %0 = quern.call @widen(%x, %w) : (tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>) -> tensor<?x8xf32, #quern.dims<s>>
  %1 = quern.call @same(%0) : (tensor<?x8xf32, #quern.dims<s>>) -> tensor<?x8xf32, #quern.dims<s>>
  %2 = quern.call @same(%1) : (tensor<?x8xf32, #quern.dims<s>>) -> tensor<?x8xf32, #quern.dims<s>>
  %3 = quern.call @same(%2) : (tensor<?x8xf32, #quern.dims<s>>) -> tensor<?x8xf32, #quern.dims<s>>
  quern.return %3 : tensor<?x8xf32, #quern.dims<s>>
}

// States are memory of their own; reshapes see the same memory; a reshaped result is written as the kernel's shape. A
// dimension without a bound gets the default.
// CHECK-LABEL: quern.program @states(
// CHECK-SAME: %[[X:[a-z0-9]*]]: !quern.buffer<tensor<?x4xf32, #quern.dims<s>>>, %[[AT:[a-z0-9]*]]: {{[^,]*}}, #quern.dims<s>>>, %[[Y:[a-z0-9]*]]:
// CHECK-SAME: arena_bytes = 0 : i64, bounds = {s = 512 : i64}
// BOUND-LABEL: quern.program @states(
// BOUND-SAME: bounds = {s = 16 : i64}
// CHECK-NEXT: %[[R:.*]] = quern.alias %[[Y]] : <tensor<?x4xf32, #quern.dims<s>>> to <tensor<?x1x4xf32, #quern.dims<s>>>
// CHECK-NEXT: %[[V:.*]] = quern.alias %[[X]]
// CHECK-NEXT: %[[K:.*]] = quern.state_buffer @keys
// CHECK-NEXT: quern.launch @append(%[[V]], %[[AT]]) into(%[[K]])
// CHECK-NEXT: quern.launch @attend(%[[V]], %[[K]], %[[AT]]) into(%[[R]])
quern.entry @states(%x: tensor<?x4xf32, #quern.dims<s>>, %at: tensor<?x!quern.position, #quern.dims<s>>) -> tensor<?x4xf32, #quern.dims<s>> {
  %0 = quern.reshape %x : tensor<?x4xf32, #quern.dims<s>> to tensor<?x1x4xf32, #quern.dims<s>>
  %k = quern.state_ref @keys : tensor<16x1x4xf16>
  %1 = quern.call @append(%k, %0, %at) : (tensor<16x1x4xf16>, tensor<?x1x4xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>) -> tensor<16x1x4xf16>
  %2 = quern.call @attend(%0, %1, %at) : (tensor<?x1x4xf32, #quern.dims<s>>, tensor<16x1x4xf16>, tensor<?x!quern.position, #quern.dims<s>>) -> tensor<?x1x4xf32, #quern.dims<s>>
  %3 = quern.reshape %2 : tensor<?x1x4xf32, #quern.dims<s>> to tensor<?x4xf32, #quern.dims<s>>
  quern.return %3 : tensor<?x4xf32, #quern.dims<s>>
}

// The parts of a concat lie in the memory of the whole, which lives from the first part's launch on.
quern.kernel @left(%x: tensor<2x4xf32>) -> (tensor<2x4xf32> {quern.part_of = tensor<2x8xf32>})
    attributes {form = #quern.form<rows>} {
  %0 = quern.softmax %x : tensor<2x4xf32>
  quern.yield %0 : tensor<2x4xf32>
}
quern.kernel @whole(%x: tensor<2x8xf32>) -> tensor<2x8xf32> attributes {form = #quern.form<rows>} {
  %0 = quern.softmax %x : tensor<2x8xf32>
  quern.yield %0 : tensor<2x8xf32>
}
// CHECK-LABEL: quern.program @parts(
// CHECK-SAME: %[[X:[a-z0-9]*]]: !quern.buffer<tensor<2x4xf32>>, %[[Y:[a-z0-9]*]]: !quern.buffer<tensor<2x8xf32>>)
// CHECK: %[[A:.*]] = quern.arena 0, 64
// CHECK-NEXT: %[[P:.*]] = quern.part %[[A]] axis 1 offset 0
// CHECK-NEXT: quern.launch @left(%[[X]]) into(%[[P]])
// CHECK-NEXT: %[[Q:.*]] = quern.part %[[A]] axis 1 offset 4
// CHECK-NEXT: quern.launch @left(%[[X]]) into(%[[Q]])
// CHECK-NEXT: quern.launch @whole(%[[A]]) into(%[[Y]])
quern.entry @parts(%x: tensor<2x4xf32>) -> tensor<2x8xf32> attributes {arg_names = ["x"], result_names = ["y"]} {
  %a = quern.call @left(%x) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %b = quern.call @left(%x) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %c = quern.concat %a, %b axis 1 : tensor<2x4xf32>, tensor<2x4xf32>
  %0 = quern.call @whole(%c) : (tensor<2x8xf32>) -> tensor<2x8xf32>
  quern.return %0 : tensor<2x8xf32>
}
