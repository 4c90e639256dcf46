// RUN: quern-opt %s --split-input-file --verify-diagnostics

// add_c1
quern.entry @f(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{shapes [4] and [3] do not broadcast}}
  %0 = quern.add %x, %y : tensor<4xf32>, tensor<3xf32>
  quern.return
}

// -----

// sub_c1
quern.entry @f(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{shapes [4] and [3] do not broadcast}}
  %0 = quern.sub %x, %y : tensor<4xf32>, tensor<3xf32>
  quern.return
}

// -----

// mul_c1
quern.entry @f(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{shapes [4] and [3] do not broadcast}}
  %0 = quern.mul %x, %y : tensor<4xf32>, tensor<3xf32>
  quern.return
}

// -----

// div_c1
quern.entry @f(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{shapes [4] and [3] do not broadcast}}
  %0 = quern.div %x, %y : tensor<4xf32>, tensor<3xf32>
  quern.return
}

// -----

// pow_c1
quern.entry @f(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{shapes [4] and [3] do not broadcast}}
  %0 = quern.pow %x, %y : tensor<4xf32>, tensor<3xf32>
  quern.return
}

// -----

// max_c1
quern.entry @f(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{shapes [4] and [3] do not broadcast}}
  %0 = quern.max %x, %y : tensor<4xf32>, tensor<3xf32>
  quern.return
}

// -----

// min_c1
quern.entry @f(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{shapes [4] and [3] do not broadcast}}
  %0 = quern.min %x, %y : tensor<4xf32>, tensor<3xf32>
  quern.return
}

// -----

// Dimensions of different names do not broadcast.
quern.entry @f(%x: tensor<?xf32, #quern.dims<s>>, %y: tensor<?xf32, #quern.dims<t>>) {
  // expected-error @+1 {{shapes [s] and [t] do not broadcast}}
  %0 = quern.add %x, %y : tensor<?xf32, #quern.dims<s>>, tensor<?xf32, #quern.dims<t>>
  quern.return
}

// -----

// cast_c1
quern.entry @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{keeps the shape: found 'tensor<4xf32>' to 'tensor<2xf16>'}}
  %0 = quern.cast %x : tensor<4xf32> to tensor<2xf16>
  quern.return
}

// -----

// cast_c2
quern.entry @f(%x: tensor<1x32xf32>) {
  // expected-error @+1 {{found elements 'f32' to '!quern.block<q8_0>', expected numbers or blocks to numbers}}
  %0 = quern.cast %x : tensor<1x32xf32> to tensor<1x32x!quern.block<q8_0>>
  quern.return
}

// -----

// map_c1
quern.entry @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{body has 2 arguments, expected one per input, 1}}
  %0 = quern.map (%x) : tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%a: f32, %b: f32):
    quern.yield %a : f32
  }
  quern.return
}

// -----

// map_c1
quern.entry @f(%x: tensor<4xi32>) {
  // expected-error @+1 {{body has an argument of type 'f32', expected 'i32'}}
  %0 = quern.map (%x) : tensor<4xi32> -> tensor<4xf32> {
  ^bb0(%a: f32):
    quern.yield %a : f32
  }
  quern.return
}

// -----

// map_c2
quern.entry @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{body must yield one 'f16'}}
  %0 = quern.map (%x) : tensor<4xf32> -> tensor<4xf16> {
  ^bb0(%a: f32):
    quern.yield %a : f32
  }
  quern.return
}
