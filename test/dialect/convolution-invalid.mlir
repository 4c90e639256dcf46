// RUN: quern-opt %s --split-input-file --verify-diagnostics

// conv2d_c1
quern.entry @f(%x: tensor<1x8x9x9xf32>, %w: tensor<16x8x3x3xf32>) {
  // expected-error @+1 {{window [3, 3], strides [0, 1], dilations [1, 1] and pads [0, 0, 0, 0]; expected 2 positive numbers each}}
  %0 = quern.conv2d %x, %w window [3, 3] strides [0, 1] : tensor<1x8x9x9xf32>, tensor<16x8x3x3xf32>
  quern.return
}

// -----

// conv2d_c2
quern.entry @f(%x: tensor<1x8x?x9xf32, #quern.dims<h>>, %w: tensor<16x8x3x3xf32>) {
  // expected-error @+1 {{found an image [1, 8, h, 9], expected rank 4 with static channels, height and width}}
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x?x9xf32, #quern.dims<h>>, tensor<16x8x3x3xf32>
  quern.return
}

// -----

// conv2d_c3
quern.entry @f(%x: tensor<1x8x9x9xf32>, %w: tensor<16x2x3x3xf32>) {
  // expected-error @+1 {{3 groups do not divide 8 channels and 16 outputs}}
  %0 = quern.conv2d %x, %w window [3, 3] groups 3 : tensor<1x8x9x9xf32>, tensor<16x2x3x3xf32>
  quern.return
}

// -----

// conv2d_c4
quern.entry @f(%x: tensor<1x8x9x9xf32>, %w: tensor<16x72xf32>) {
  // expected-error @+1 {{weight has shape [16, 72], expected [16, 8, 3, 3]}}
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x9x9xf32>, tensor<16x72xf32>
  quern.return
}

// -----

// conv2d_c5
quern.entry @f(%x: tensor<1x8x2x9xf32>, %w: tensor<16x8x3x3xf32>) {
  // expected-error @+1 {{a window over 3 places does not fit an image [1, 8, 2, 9] padded by 0 and 0}}
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x2x9xf32>, tensor<16x8x3x3xf32>
  quern.return
}

// -----

// conv2d_c6
quern.entry @f(%x: tensor<1x8x9x9xbf16>, %w: tensor<16x8x3x3xf32>) {
  // expected-error @+1 {{an image of bf16 with 8 channels in 1 groups meets 'tensor<16x8x3x3xf32>'; expected pairs of channels, one group and a weight of bf16}}
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x9x9xbf16>, tensor<16x8x3x3xf32>
  quern.return
}

// -----

// conv2d_c6
quern.entry @f(%x: tensor<1x3x9x9xbf16>, %w: tensor<16x3x3x3xbf16>) {
  // expected-error @+1 {{an image of bf16 with 3 channels in 1 groups meets 'tensor<16x3x3x3xbf16>'; expected pairs of channels, one group and a weight of bf16}}
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x3x9x9xbf16>, tensor<16x3x3x3xbf16>
  quern.return
}

// -----

// max_pool_c1
quern.entry @f(%x: tensor<1x8x9x9xf32>) {
  // expected-error @+1 {{pads an image by 3, expected less than the window, 3}}
  %0 = quern.max_pool %x window [3, 3] pads [0, 0, 3, 0] : tensor<1x8x9x9xf32>
  quern.return
}

// -----

// max_pool_c2
quern.entry @f(%x: tensor<8x9x9xf32>) {
  // expected-error @+1 {{found an image [8, 9, 9], expected rank 4}}
  %0 = quern.max_pool %x window [3, 3] : tensor<8x9x9xf32>
  quern.return
}

// -----

// max_pool_c3
quern.entry @f(%x: tensor<1x8x2x2xf32>) {
  // expected-error @+1 {{a window over 3 places does not fit an image [1, 8, 2, 2] padded by 0 and 0}}
  %0 = quern.max_pool %x window [3, 3] ceil : tensor<1x8x2x2xf32>
  quern.return
}

// -----

// avg_pool_c1
quern.entry @f(%x: tensor<1x8x9x9xf32>) {
  // expected-error @+1 {{window [3], strides [1, 1], dilations [1, 1] and pads [0, 0, 0, 0]; expected 2 positive numbers each}}
  %0 = quern.avg_pool %x window [3] : tensor<1x8x9x9xf32>
  quern.return
}

// -----

// avg_pool_c2
quern.entry @f(%x: tensor<1x8x9xf32>) {
  // expected-error @+1 {{found an image [1, 8, 9], expected rank 4}}
  %0 = quern.avg_pool %x window [3, 3] : tensor<1x8x9xf32>
  quern.return
}

// -----

// avg_pool_c3
quern.entry @f(%x: tensor<1x8x9x2xf32>) {
  // expected-error @+1 {{a window over 3 places does not fit}}
  %0 = quern.avg_pool %x window [3, 3] : tensor<1x8x9x2xf32>
  quern.return
}

// -----

// winograd_filter_c1
quern.entry @f(%w: tensor<16x56xf32>) {
  // expected-error @+1 {{window [1, 7] and tile [1, 5]; expected 2 positive numbers each, of which the sums for each axis are at most 11}}
  %0 = quern.winograd_filter %w window [1, 7] tile [1, 5] : tensor<16x56xf32>
  quern.return
}

// -----

// winograd_filter_c2
quern.entry @f(%w: tensor<16x70xf32>) {
  // expected-error @+1 {{weight has shape [16, 70], expected [outputs, 9 * channels]}}
  %0 = quern.winograd_filter %w window [3, 3] tile [4, 4] : tensor<16x70xf32>
  quern.return
}

// -----

// winograd_c1
quern.entry @f(%x: tensor<1x9x9x8xf32>, %w: tensor<16x288xf32>) {
  // expected-error @+1 {{window [3, 3] and tile [0, 4]; expected 2 positive numbers each}}
  %0 = quern.winograd %x, %w window [3, 3] tile [0, 4] : tensor<1x9x9x8xf32>, tensor<16x288xf32>
  quern.return
}

// -----

// winograd_c1
quern.entry @f(%x: tensor<1x9x9x8xf32>, %w: tensor<16x288xf32>) {
  // expected-error @+1 {{pads [-1, 0, 0, 0]; expected 2 positive numbers each, and 4 pads that are not negative}}
  %0 = quern.winograd %x, %w window [3, 3] tile [4, 4] pads [-1, 0, 0, 0] : tensor<1x9x9x8xf32>, tensor<16x288xf32>
  quern.return
}

// -----

// winograd_c2
quern.entry @f(%x: tensor<9x9x8xf32>, %w: tensor<16x288xf32>) {
  // expected-error @+1 {{found an image [9, 9, 8], expected rank 4}}
  %0 = quern.winograd %x, %w window [3, 3] tile [4, 4] : tensor<9x9x8xf32>, tensor<16x288xf32>
  quern.return
}

// -----

// winograd_c3
quern.entry @f(%x: tensor<1x9x9x8xf32>, %w: tensor<16x72xf32>) {
  // expected-error @+1 {{weight has shape [16, 72], expected [outputs, 288]}}
  %0 = quern.winograd %x, %w window [3, 3] tile [4, 4] : tensor<1x9x9x8xf32>, tensor<16x72xf32>
  quern.return
}

// -----

// winograd_c4
quern.entry @f(%x: tensor<1x2x9x8xf32>, %w: tensor<16x288xf32>) {
  // expected-error @+1 {{a window over 3 places does not fit an image [1, 2, 9, 8] padded by 0 and 0}}
  %0 = quern.winograd %x, %w window [3, 3] tile [4, 4] : tensor<1x2x9x8xf32>, tensor<16x288xf32>
  quern.return
}
