// RUN: quern-opt %s --split-input-file --verify-diagnostics

// matmul_c1
quern.entry @f(%x: tensor<2x64xf32>, %w: tensor<16x32xf32>) {
  // expected-error @+1 {{last axis of [2, 64] does not meet the weight [16, 32], expected [n, k]}}
  %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<16x32xf32>
  quern.return
}

// -----

// matmul_c2
quern.entry @f(%x: tensor<2x64x!quern.block<q8_0>>, %w: tensor<16x64x!quern.block<q8_0>>) {
  // expected-error @+1 {{lhs has element type '!quern.block<q8_0>', expected f32, bf16 or !quern.block<q8_1>}}
  %0 = quern.matmul %x, %w : tensor<2x64x!quern.block<q8_0>>, tensor<16x64x!quern.block<q8_0>>
  quern.return
}

// -----

// matmul_c3
quern.entry @f(%x: tensor<2x64x!quern.block<q8_1>>, %w: tensor<16x64xf16>) {
  // expected-error @+1 {{quantised activations need a weight of blocks, found 'tensor<16x64xf16>'}}
  %0 = quern.matmul %x, %w : tensor<2x64x!quern.block<q8_1>>, tensor<16x64xf16>
  quern.return
}

// -----

// matmul_c4
quern.entry @f(%x: tensor<2x64xbf16>, %w: tensor<16x64xf32>) {
  // expected-error @+1 {{activations of bf16 need a weight of bf16, found 'tensor<16x64xf32>'}}
  %0 = quern.matmul %x, %w : tensor<2x64xbf16>, tensor<16x64xf32>
  quern.return
}

// -----

// quantize_c1
quern.entry @f(%x: tensor<2x48xf32>) {
  // expected-error @+1 {{last axis of [2, 48] is not a static multiple of 32}}
  %0 = quern.quantize %x : tensor<2x48xf32>
  quern.return
}

// -----

// matmul_c1
quern.entry @f(%x: tensor<2x3x8xf32>, %w: tensor<4x5x8xf32>) {
  // expected-error @+1 {{found [2, 3, 8] by [4, 5, 8], expected [.., k] by [n, k] or [.., b, k] by [b, n, k], and no groups or batch}}
  %0 = quern.matmul %x, %w : tensor<2x3x8xf32>, tensor<4x5x8xf32>
  quern.return
}

// -----

// matmul_c1
quern.entry @f(%x: tensor<2x8xf32>, %w: tensor<4x8xf32>) {
  // expected-error @+1 {{found [2, 8] by [4, 8] transposed, expected [.., k] by [n, k] or [.., b, k] by [b, n, k], and no groups or batch}}
  %0 = quern.matmul %x, %w transposed : tensor<2x8xf32>, tensor<4x8xf32>
  quern.return
}

// -----

// matmul_c7
quern.entry @f(%x: tensor<2x64xf32>, %w: tensor<64x32x!quern.block<q8_0>>) {
  // expected-error @+1 {{expected f32 by numbers where the weight is no rows [n, k]}}
  %0 = quern.matmul %x, %w transposed : tensor<2x64xf32>, tensor<64x32x!quern.block<q8_0>>
  quern.return
}
