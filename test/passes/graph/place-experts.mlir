// RUN: quern-opt %s --split-input-file --quern-place-experts --verify-diagnostics | FileCheck %s

// Expert 2 was chosen most often, then 0 and 3 equally, then 1.
// CHECK: module attributes {quern.routing = {layers.0.experts =
module attributes {quern.routing = {"layers.0.experts" = {counts = array<i64: 3, 1, 5, 3>, rows = 6 : i64},
                                    "layers.1.experts" = {counts = array<i64: 2, 1>, rows = 2 : i64}}} {

quern.parameter @layers.0.experts.0.up.weight : tensor<16x32xf32>
quern.parameter @layers.0.experts.1.up.weight : tensor<16x32xf32>
quern.parameter @layers.0.experts.2.up.weight : tensor<16x32xf32>
quern.parameter @layers.0.experts.3.up.weight : tensor<16x32xf32>
// CHECK: quern.parameter @"layers.0.experts[..].up.weight"
// CHECK-DAG: %[[E0:.*]] = quern.param @layers.0.experts.0.up.weight
// CHECK-DAG: %[[E1:.*]] = quern.param @layers.0.experts.1.up.weight
// CHECK-DAG: %[[E2:.*]] = quern.param @layers.0.experts.2.up.weight
// CHECK-DAG: %[[E3:.*]] = quern.param @layers.0.experts.3.up.weight
// CHECK: quern.concat %[[E2]], %[[E0]], %[[E3]], %[[E1]] axis 0
quern.parameter @"layers.0.experts[..].up.weight" : tensor<64x32xf32> {
  %0 = quern.param @layers.0.experts.0.up.weight : tensor<16x32xf32>
  %1 = quern.param @layers.0.experts.1.up.weight : tensor<16x32xf32>
  %2 = quern.param @layers.0.experts.2.up.weight : tensor<16x32xf32>
  %3 = quern.param @layers.0.experts.3.up.weight : tensor<16x32xf32>
  %4 = quern.concat %0, %1, %2, %3 axis 0 : tensor<16x32xf32>, tensor<16x32xf32>, tensor<16x32xf32>, tensor<16x32xf32>
  quern.yield %4 : tensor<64x32xf32>
}

// These are in that order already.
quern.parameter @layers.1.experts.0.up.weight : tensor<16x32xf32>
quern.parameter @layers.1.experts.1.up.weight : tensor<16x32xf32>
// CHECK: quern.parameter @"layers.1.experts[..].up.weight"
// CHECK: %[[F0:.*]] = quern.param @layers.1.experts.0.up.weight
// CHECK: %[[F1:.*]] = quern.param @layers.1.experts.1.up.weight
// CHECK: quern.concat %[[F0]], %[[F1]] axis 0
quern.parameter @"layers.1.experts[..].up.weight" : tensor<32x32xf32> {
  %0 = quern.param @layers.1.experts.0.up.weight : tensor<16x32xf32>
  %1 = quern.param @layers.1.experts.1.up.weight : tensor<16x32xf32>
  %2 = quern.concat %0, %1 axis 0 : tensor<16x32xf32>, tensor<16x32xf32>
  quern.yield %2 : tensor<32x32xf32>
}

// Slots are sorted by the places of their experts; values and indices of the choice stay.
// CHECK-LABEL: quern.entry @mixture
// CHECK: %[[VALUES:.*]], %[[CHOSEN:.*]] = quern.top_k
// CHECK: %[[P:.*]] = quern.constant dense<[1, 3, 0, 2]> : tensor<4xi32>
// CHECK: %[[I:.*]] = quern.gather %[[P]][%[[CHOSEN]]] : tensor<4xi32>, tensor<?x2xi32, #quern.dims<s>>
// CHECK: quern.group_rows %[[I]] groups 4
// CHECK: quern.combine %{{.*}}, %[[VALUES]]
// CHECK: %{{.*}}, %[[OTHERS:.*]] = quern.top_k
// CHECK: quern.group_rows %[[OTHERS]] groups 2
quern.entry @mixture(%x: tensor<?x32xf32, #quern.dims<s>>, %p: tensor<?x4xf32, #quern.dims<s>>)
    -> (tensor<?x16xf32, #quern.dims<s>>, tensor<?x2x16xf32, #quern.dims<s>>)
    attributes {arg_names = ["x", "p"], result_names = ["y", "z"], bounds = {s = 8 : i64}} {
  %values, %chosen = quern.top_k %p k 2 : tensor<?x4xf32, #quern.dims<s>>
  %order, %begins = quern.group_rows %chosen groups 4 : tensor<?x2xi32, #quern.dims<s>>
  %w = quern.param @"layers.0.experts[..].up.weight" : tensor<64x32xf32>
  %0 = quern.matmul %x, %w groups(%order, %begins)
      : tensor<?x32xf32, #quern.dims<s>>, tensor<64x32xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<5xi32>
  %1 = quern.combine %0, %values : tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>
  %few = quern.slice %p axis 1 offset 0 size 2 : tensor<?x4xf32, #quern.dims<s>>
  %values2, %chosen2 = quern.top_k %few k 2 : tensor<?x2xf32, #quern.dims<s>>
  %order2, %begins2 = quern.group_rows %chosen2 groups 2 : tensor<?x2xi32, #quern.dims<s>>
  %w2 = quern.param @"layers.1.experts[..].up.weight" : tensor<32x32xf32>
  %2 = quern.matmul %x, %w2 groups(%order2, %begins2)
      : tensor<?x32xf32, #quern.dims<s>>, tensor<32x32xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<3xi32>
  quern.return %1, %2 : tensor<?x16xf32, #quern.dims<s>>, tensor<?x2x16xf32, #quern.dims<s>>
}
}

// -----

// What else reads the experts would read others.
module attributes {quern.routing = {experts = {counts = array<i64: 1, 2>, rows = 2 : i64}}} {
quern.parameter @a : tensor<16x32xf32>
quern.parameter @b : tensor<16x32xf32>
quern.parameter @"experts[..].w" : tensor<32x32xf32> {
  %0 = quern.param @a : tensor<16x32xf32>
  %1 = quern.param @b : tensor<16x32xf32>
  %2 = quern.concat %0, %1 axis 0 : tensor<16x32xf32>, tensor<16x32xf32>
  quern.yield %2 : tensor<32x32xf32>
}
quern.entry @e(%x: tensor<4x32xf32>) -> tensor<4x32xf32> {
  %w = quern.param @"experts[..].w" : tensor<32x32xf32>
  // expected-error@below {{reads `experts[..].w`, whose order `quern.routing` changes; expected a product by weights that rows choose}}
  %0 = quern.matmul %x, %w : tensor<4x32xf32>, tensor<32x32xf32>
  quern.return %0 : tensor<4x32xf32>
}
}

// -----

module attributes {quern.routing = {experts = {counts = array<i64: 1, 2, 3>, rows = 3 : i64}}} {
quern.parameter @a : tensor<16x32xf32>
quern.parameter @b : tensor<16x32xf32>
// expected-error@below {{tensor `experts[..].w` is not made of 3 alike, one behind the other, of which `quern.routing` says the use}}
quern.parameter @"experts[..].w" : tensor<32x32xf32> {
  %0 = quern.param @a : tensor<16x32xf32>
  %1 = quern.param @b : tensor<16x32xf32>
  %2 = quern.concat %0, %1 axis 0 : tensor<16x32xf32>, tensor<16x32xf32>
  quern.yield %2 : tensor<32x32xf32>
}
}
