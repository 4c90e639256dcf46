// RUN: quern-opt %s --split-input-file --verify-diagnostics

// reduce_c1
quern.entry @f(%x: tensor<f32>) {
  // expected-error @+1 {{needs at least one axis}}
  %0 = quern.reduce <sum> %x : tensor<f32>
  quern.return
}

// -----

// rms_norm_c1
quern.entry @f(%x: tensor<2x4xf32>, %w: tensor<3xf32>) {
  // expected-error @+1 {{weight has shape [3], expected the last axis of [2, 4]}}
  %0 = quern.rms_norm %x, %w eps 1.0e-5 : tensor<2x4xf32>, tensor<3xf32>
  quern.return
}

// -----

// rms_norm_c2
quern.entry @f(%x: tensor<2x4xf32>, %w: tensor<4xf32>) {
  // expected-error @+1 {{eps is negative}}
  %0 = quern.rms_norm %x, %w eps -1.0 : tensor<2x4xf32>, tensor<4xf32>
  quern.return
}

// -----

// softmax_c1
quern.entry @f(%x: tensor<f32>) {
  // expected-error @+1 {{needs at least one axis}}
  %0 = quern.softmax %x : tensor<f32>
  quern.return
}
