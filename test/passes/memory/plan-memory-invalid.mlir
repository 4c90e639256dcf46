// RUN: quern-opt %s --quern-plan-memory=bound=0 --split-input-file --verify-diagnostics

// expected-error@below {{dimension `s` has no bound; write `s <= N` in the model}}
quern.entry @unbounded(%x: tensor<?xf32, #quern.dims<s>>) -> tensor<?xf32, #quern.dims<s>> {
  quern.return %x : tensor<?xf32, #quern.dims<s>>
}

// -----

quern.entry @whole(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@below {{is not outlined; expected only calls, reshapes, concats, parameters and states}}
  %0 = quern.softmax %x : tensor<4xf32>
  quern.return %0 : tensor<4xf32>
}

// -----

quern.kernel @grow(%x: tensor<4xf32>) -> tensor<1099511627776x8388608xf32> attributes {form = #quern.form<map>} {
  %0 = quern.map (%x) : tensor<4xf32> -> tensor<1099511627776x8388608xf32> {
  ^bb0(%a: f32):
    quern.yield %a : f32
  }
  quern.yield %0 : tensor<1099511627776x8388608xf32>
}
quern.kernel @shrink(%x: tensor<1099511627776x8388608xf32>) -> tensor<4xf32> attributes {form = #quern.form<map>} {
  %0 = quern.slice %x axis 1 offset 0 size 1 : tensor<1099511627776x8388608xf32>
  %1 = quern.slice %0 axis 0 offset 0 size 4 : tensor<1099511627776x1xf32>
  %2 = quern.reshape %1 : tensor<4x1xf32> to tensor<4xf32>
  quern.yield %2 : tensor<4xf32>
}
quern.entry @huge(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@below {{too large for memory}}
  %0 = quern.call @grow(%x) : (tensor<4xf32>) -> tensor<1099511627776x8388608xf32>
  %1 = quern.call @shrink(%0) : (tensor<1099511627776x8388608xf32>) -> tensor<4xf32>
  quern.return %1 : tensor<4xf32>
}

// -----

quern.kernel @quantize(%x: tensor<1x32xf32>) -> tensor<1x32x!quern.block<q8_1>> attributes {form = #quern.form<map>} {
  %0 = quern.quantize %x : tensor<1x32xf32>
  quern.yield %0 : tensor<1x32x!quern.block<q8_1>>
}
quern.kernel @multiply(%x: tensor<1x32x!quern.block<q8_1>>, %w: tensor<4x32x!quern.block<q8_0>>) -> tensor<1x4xf32> attributes {form = #quern.form<values>} {
  %0 = quern.matmul %x, %w : tensor<1x32x!quern.block<q8_1>>, tensor<4x32x!quern.block<q8_0>>
  quern.yield %0 : tensor<1x4xf32>
}
quern.parameter @w : tensor<4x32x!quern.block<q8_0>>
quern.entry @blocks(%x: tensor<1x32xf32>) -> tensor<1x4xf32> {
  %w = quern.param @w : tensor<4x32x!quern.block<q8_0>>
  // expected-error@below {{gives elements of type '!quern.block<q8_1>', which no buffer holds}}
  %0 = quern.call @quantize(%x) : (tensor<1x32xf32>) -> tensor<1x32x!quern.block<q8_1>>
  %1 = quern.call @multiply(%0, %w) : (tensor<1x32x!quern.block<q8_1>>, tensor<4x32x!quern.block<q8_0>>) -> tensor<1x4xf32>
  quern.return %1 : tensor<1x4xf32>
}

// -----

quern.state cache @keys : tensor<16x1x4xf32>
quern.kernel @append(%c: tensor<16x1x4xf32>, %x: tensor<2x1x4xf32>, %at: tensor<2x!quern.position>) -> tensor<16x1x4xf32>
    attributes {form = #quern.form<append>} {
  %0 = quern.cache_append %c, %x at %at : tensor<16x1x4xf32>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  quern.yield %0 : tensor<16x1x4xf32>
}
quern.kernel @attend(%q: tensor<2x1x4xf32>, %k: tensor<16x1x4xf32>, %at: tensor<2x!quern.position>) -> tensor<2x1x4xf32>
    attributes {form = #quern.form<attention>} {
  %0 = quern.attend %q, %k, %k at %at scale 1.0 : tensor<2x1x4xf32>, tensor<16x1x4xf32>, tensor<16x1x4xf32>, tensor<2x!quern.position>
  quern.yield %0 : tensor<2x1x4xf32>
}
quern.entry @stale(%x: tensor<2x1x4xf32>, %at: tensor<2x!quern.position>) -> tensor<2x1x4xf32> {
  %k = quern.state_ref @keys : tensor<16x1x4xf32>
  %0 = quern.call @append(%k, %x, %at) : (tensor<16x1x4xf32>, tensor<2x1x4xf32>, tensor<2x!quern.position>) -> tensor<16x1x4xf32>
  // expected-error@below {{reads `keys` as it was before a later op wrote it}}
  %1 = quern.call @attend(%x, %k, %at) : (tensor<2x1x4xf32>, tensor<16x1x4xf32>, tensor<2x!quern.position>) -> tensor<2x1x4xf32>
  quern.return %1 : tensor<2x1x4xf32>
}
