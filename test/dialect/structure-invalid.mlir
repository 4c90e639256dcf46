// RUN: quern-opt %s --split-input-file --verify-diagnostics

// parameter_c1
// expected-error @+1 {{found type 'tensor<?xf32, #quern.dims<s>>', expected a static shape}}
quern.parameter @w : tensor<?xf32, #quern.dims<s>>

// -----

// parameter_c2
quern.parameter @w : tensor<4xf32>
// expected-error @+1 {{initialiser must yield one 'tensor<2xf32>'}}
quern.parameter @v : tensor<2xf32> {
  %0 = quern.param @w : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

// -----

// parameter_c3
// expected-error @+1 {{type 'tensor<4x4xf16>' cannot lie by #quern.packing<panels13>}}
quern.parameter @w : tensor<4x4xf16> packing <panels13>

// -----

// parameter_c3
// expected-error @+1 {{type 'tensor<4xbf16>' cannot lie by #quern.packing<panels13>}}
quern.parameter @w : tensor<4xbf16> packing <panels13>

// -----

// state_c1
// expected-error @+1 {{found type 'tensor<?x3x64xf16>', expected a static shape}}
quern.state cache @cache : tensor<?x3x64xf16>

// -----

// state_c2
// expected-error @+1 {{found a cache of type 'tensor<3x64xf16>', expected [T, h, d] of floats that starts as zeros}}
quern.state cache @cache : tensor<3x64xf16>

// -----

// state_c2
quern.parameter @w : tensor<8x3x64xf16>
// expected-error @+1 {{found a cache of type 'tensor<8x3x64xf16>' that starts as a parameter, expected [T, h, d] of floats that starts as zeros}}
quern.state cache @cache : tensor<8x3x64xf16> starts @w

// -----

// state_c2
// expected-error @+1 {{found a variable of elements 'i1', expected f32, f16, bf16 or i32}}
quern.state variable @v : tensor<4xi1>

// -----

// state_c3
// expected-error @+1 {{no parameter named `w`}}
quern.state variable @v : tensor<4xf32> starts @w

// -----

// state_c3
quern.parameter @w : tensor<4xf16>
// expected-error @+1 {{starts as 'tensor<4xf16>', expected its own type, 'tensor<4xf32>'}}
quern.state variable @v : tensor<4xf32> starts @w

// -----

// entry_c1
// expected-error @+1 {{found 2 argument names, expected 1}}
quern.entry @f(%x: tensor<4xf32>) -> tensor<4xf32> attributes {arg_names = ["x", "y"]} {
  quern.return %x : tensor<4xf32>
}

// -----

// entry_c2
// expected-error @+1 {{found 0 result names, expected 1}}
quern.entry @f(%x: tensor<4xf32>) -> tensor<4xf32> attributes {result_names = []} {
  quern.return %x : tensor<4xf32>
}

// -----

// entry_c3
// expected-error @+1 {{found size 0 : i64 of dimension `s`, expected a positive integer}}
quern.entry @f(%x: tensor<?xf32, #quern.dims<s>>) attributes {bounds = {s = 0 : i64}} {
  quern.return
}

// -----

// return_c1
quern.entry @f(%x: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{returns ('tensor<4xf32>'), expected the entry's results, ('tensor<2xf32>')}}
  quern.return %x : tensor<4xf32>
}

// -----

// param_c1
quern.entry @f() {
  // expected-error @+1 {{no parameter named `w`}}
  %0 = quern.param @w : tensor<4xf32>
  quern.return
}

// -----

// param_c2
quern.parameter @w : tensor<4xf32>
quern.entry @f() {
  // expected-error @+1 {{found type 'tensor<2xf32>', expected the parameter's, 'tensor<4xf32>'}}
  %0 = quern.param @w : tensor<2xf32>
  quern.return
}

// -----

// The encoding has a name for each dynamic dimension.
// expected-error @+1 {{found 2 dimension names, expected one per dynamic dimension, 1}}
quern.entry @f(%x: tensor<?x4xf32, #quern.dims<s, t>>) {
  quern.return
}

// -----

// expected-error @+2 {{found `q9_9`, expected a block format such as `q8_0`}}
// expected-error @+1 {{failed to parse Quern_Block parameter 'format'}}
quern.parameter @w : tensor<4x32x!quern.block<q9_9>>
