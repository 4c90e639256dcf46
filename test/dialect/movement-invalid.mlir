// RUN: quern-opt %s --split-input-file --verify-diagnostics

// reshape_c1
quern.entry @f(%x: tensor<6xf32>) {
  // expected-error @+1 {{keeps elements and their number: found 'tensor<6xf32>' to 'tensor<2x2xf32>'}}
  %0 = quern.reshape %x : tensor<6xf32> to tensor<2x2xf32>
  quern.return
}

// -----

// reshape_c1
quern.entry @f(%x: tensor<?xf32, #quern.dims<s>>) {
  // expected-error @+1 {{keeps elements and their number}}
  %0 = quern.reshape %x : tensor<?xf32, #quern.dims<s>> to tensor<?xf32, #quern.dims<t>>
  quern.return
}

// -----

// reshape_c2
quern.entry @f(%x: tensor<2x64x!quern.block<q8_0>>) {
  // expected-error @+1 {{keeps the last axis of blocks}}
  %0 = quern.reshape %x : tensor<2x64x!quern.block<q8_0>> to tensor<128x!quern.block<q8_0>>
  quern.return
}

// -----

// transpose_c1
quern.entry @f(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{permutation must hold each axis of 'tensor<2x3xf32>' once}}
  %0 = quern.transpose %x [0, 0] : tensor<2x3xf32>
  quern.return
}

// -----

// transpose_c2
quern.entry @f(%x: tensor<32x32x!quern.block<q8_0>>) {
  // expected-error @+1 {{cannot move the elements of blocks}}
  %0 = quern.transpose %x [1, 0] : tensor<32x32x!quern.block<q8_0>>
  quern.return
}

// -----

// slice_c1
quern.entry @f(%x: tensor<?x3xf32, #quern.dims<s>>) {
  // expected-error @+1 {{axis 0 is not a static axis of 'tensor<?x3xf32, #quern.dims<s>>'}}
  %0 = quern.slice %x axis 0 offset 0 size 1 : tensor<?x3xf32, #quern.dims<s>>
  quern.return
}

// -----

// slice_c2
quern.entry @f(%x: tensor<3xf32>) {
  // expected-error @+1 {{slice 2 + 2 leaves the axis of size 3}}
  %0 = quern.slice %x axis 0 offset 2 size 2 : tensor<3xf32>
  quern.return
}

// -----

// slice_c3
quern.entry @f(%x: tensor<2x64x!quern.block<q8_0>>) {
  // expected-error @+1 {{cannot cut blocks along their own axis}}
  %0 = quern.slice %x axis 1 offset 0 size 32 : tensor<2x64x!quern.block<q8_0>>
  quern.return
}

// -----

// concat_c1
quern.entry @f(%x: tensor<3xf32>) {
  // expected-error @+1 {{axis 1 is not an axis of 'tensor<3xf32>'}}
  %0 = quern.concat %x axis 1 : tensor<3xf32>
  quern.return
}

// -----

// concat_c2
quern.entry @f(%x: tensor<3x2xf32>, %y: tensor<3x4xf32>) {
  // expected-error @+1 {{cannot join 'tensor<3x2xf32>' and 'tensor<3x4xf32>' along axis 0}}
  %0 = quern.concat %x, %y axis 0 : tensor<3x2xf32>, tensor<3x4xf32>
  quern.return
}

// -----

// concat_c3
quern.entry @f(%x: tensor<2x32x!quern.block<q8_0>>) {
  // expected-error @+1 {{cannot join blocks along their own axis}}
  %0 = quern.concat %x, %x axis 1 : tensor<2x32x!quern.block<q8_0>>, tensor<2x32x!quern.block<q8_0>>
  quern.return
}

// -----

// gather_c1
quern.entry @f(%x: tensor<4x2xf32>, %i: tensor<1xi32>) {
  // expected-error @+1 {{found axis 2 behind 0 batch axes of a table [4, 2] with indices [1], expected batch axes of both and an axis of the table behind them that is not empty}}
  %0 = quern.gather %x[%i] axis 2 : tensor<4x2xf32>, tensor<1xi32>
  quern.return
}

// -----

// gather_c1
quern.entry @f(%x: tensor<4x2xf32>, %i: tensor<1xi32>) {
  // expected-error @+1 {{found axis -1 behind 0 batch axes}}
  %0 = quern.gather %x[%i] axis -1 : tensor<4x2xf32>, tensor<1xi32>
  quern.return
}

// -----

// gather_c1
quern.entry @f(%x: tensor<4x2xf32>, %i: tensor<4xi32>) {
  // expected-error @+1 {{found axis 0 behind 1 batch axes}}
  %0 = quern.gather %x[%i] batch 1 : tensor<4x2xf32>, tensor<4xi32>
  quern.return
}

// -----

// gather_c1
quern.entry @f(%x: tensor<4x2xf32>, %i: tensor<i32>) {
  // expected-error @+1 {{found axis 1 behind 1 batch axes of a table [4, 2] with indices []}}
  %0 = quern.gather %x[%i] axis 1 batch 1 : tensor<4x2xf32>, tensor<i32>
  quern.return
}

// -----

// gather_c1
quern.entry @f(%x: tensor<4x0xf32>, %i: tensor<1xi32>) {
  // expected-error @+1 {{an axis of the table behind them that is not empty}}
  %0 = quern.gather %x[%i] axis 1 : tensor<4x0xf32>, tensor<1xi32>
  quern.return
}

// -----

// gather_c2
quern.entry @f(%x: tensor<?x2xf32, #quern.dims<s>>, %i: tensor<?xi32, #quern.dims<t>>) {
  // expected-error @+1 {{found a table [s, 2] and indices [t], expected the same first 1 axes}}
  %0 = quern.gather %x[%i] axis 1 batch 1 : tensor<?x2xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<t>>
  quern.return
}

// -----

// gather_c3
quern.entry @f(%x: tensor<2x32x!quern.block<q8_0>>, %i: tensor<3xi32>) {
  // expected-error @+1 {{cannot take blocks apart along their own axis}}
  %0 = quern.gather %x[%i] axis 1 : tensor<2x32x!quern.block<q8_0>>, tensor<3xi32>
  quern.return
}

// -----

// Of what an element type says nothing there is no table.
quern.entry @f(%x: tensor<2x!quern.position>, %i: tensor<3xi32>) {
  // expected-error @+1 {{operand #0 must be}}
  %0 = quern.gather %x[%i] : tensor<2x!quern.position>, tensor<3xi32>
  quern.return
}

// -----

// assign_c1
quern.state variable @v : tensor<4xf16>
quern.entry @f(%x: tensor<4xf16>) {
  %v = quern.state_ref @v : tensor<4xf16>
  // expected-error @+1 {{writes 'tensor<4xf16>' into 'tensor<4xf16>'}}
  %0 = quern.assign %v, %x : tensor<4xf16>, tensor<4xf16>
  quern.return
}

// -----

// assign_c1
quern.state variable @v : tensor<4xf32>
quern.entry @f(%x: tensor<1xf32>) {
  %v = quern.state_ref @v : tensor<4xf32>
  // expected-error @+1 {{writes 'tensor<1xf32>' into 'tensor<4xf32>'}}
  %0 = quern.assign %v, %x : tensor<4xf32>, tensor<1xf32>
  quern.return
}
