// RUN: quern-opt %s --split-input-file --verify-diagnostics

// rope_c1
quern.entry @f(%x: tensor<2x1x4xf32>, %at: tensor<3x!quern.position>, %table: tensor<8x2x2xf32>) {
  // expected-error @+1 {{found input [2, 1, 4] at [3], expected [s, h, d] and [s]}}
  %0 = quern.rope %x at %at, %table : tensor<2x1x4xf32>, tensor<3x!quern.position>, tensor<8x2x2xf32>
  quern.return
}

// -----

// rope_c2
quern.entry @f(%x: tensor<2x1x4xf32>, %at: tensor<2x!quern.position>, %table: tensor<8x3x2xf32>) {
  // expected-error @+1 {{table has shape [8, 3, 2], expected [position, r/2, 2] with r ≤ [4]}}
  %0 = quern.rope %x at %at, %table : tensor<2x1x4xf32>, tensor<2x!quern.position>, tensor<8x3x2xf32>
  quern.return
}

// -----

// cache_append_c1
quern.entry @f(%cache: tensor<8x1x4xf16>, %x: tensor<2x2x4xf32>, %at: tensor<2x!quern.position>) {
  // expected-error @+1 {{found cache [8, 1, 4], input [2, 2, 4], at [2], expected [T, h, d], [s, h, d], [s]}}
  %0 = quern.cache_append %cache, %x at %at : tensor<8x1x4xf16>, tensor<2x2x4xf32>, tensor<2x!quern.position>
  quern.return
}

// -----

// attend_c1
quern.entry @f(%q: tensor<2x2x4xf32>, %k: tensor<8x1x6xf16>, %at: tensor<2x!quern.position>) {
  // expected-error @+1 {{found query [2, 2, 4], keys [8, 1, 6], values [8, 1, 6], expected [s, h, d], [T, g, d], [T, g, e]}}
  %0 = quern.attend %q, %k, %k at %at scale 1.0
      : tensor<2x2x4xf32>, tensor<8x1x6xf16>, tensor<8x1x6xf16>, tensor<2x!quern.position>
  quern.return
}

// -----

// attend_c2
quern.entry @f(%q: tensor<2x2x4xf32>, %k: tensor<8x1x4xf16>, %at: tensor<3x!quern.position>) {
  // expected-error @+1 {{found positions [3], expected one per query row}}
  %0 = quern.attend %q, %k, %k at %at scale 1.0
      : tensor<2x2x4xf32>, tensor<8x1x4xf16>, tensor<8x1x4xf16>, tensor<3x!quern.position>
  quern.return
}

// -----

// attend_c3
quern.entry @f(%q: tensor<2x3x4xf32>, %k: tensor<8x2x4xf16>, %at: tensor<2x!quern.position>) {
  // expected-error @+1 {{query heads are not a multiple of the cache's}}
  %0 = quern.attend %q, %k, %k at %at scale 1.0
      : tensor<2x3x4xf32>, tensor<8x2x4xf16>, tensor<8x2x4xf16>, tensor<2x!quern.position>
  quern.return
}

// -----

// attend_c4
quern.entry @f(%q: tensor<2x2x4xbf16>, %k: tensor<8x1x4xf16>, %at: tensor<2x!quern.position>) {
  // expected-error @+1 {{found elements of 'f16', expected a query of f32, or all of bf16}}
  %0 = quern.attend %q, %k, %k at %at scale 1.0
      : tensor<2x2x4xbf16>, tensor<8x1x4xf16>, tensor<8x1x4xf16>, tensor<2x!quern.position>
  quern.return
}

// -----

// attend_c4
quern.entry @f(%q: tensor<2x2x3xbf16>, %k: tensor<8x1x3xbf16>, %at: tensor<2x!quern.position>) {
  // expected-error @+1 {{found query [2, 2, 3] of bf16, expected elements in pairs}}
  %0 = quern.attend %q, %k, %k at %at scale 1.0
      : tensor<2x2x3xbf16>, tensor<8x1x3xbf16>, tensor<8x1x3xbf16>, tensor<2x!quern.position>
  quern.return
}

// -----

// attend_c5
quern.entry @f(%q: tensor<2x2x4xf32>, %k: tensor<8x1x4xf16>, %at: tensor<2x!quern.position>) {
  // expected-error @+1 {{attribute 'window' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1}}
  %0 = quern.attend %q, %k, %k at %at scale 1.0 window 0
      : tensor<2x2x4xf32>, tensor<8x1x4xf16>, tensor<8x1x4xf16>, tensor<2x!quern.position>
  quern.return
}

// -----

// attend_c6
quern.entry @f(%q: tensor<2x2x4xf32>, %k: tensor<8x1x4xf16>, %at: tensor<2x!quern.position>) {
  // expected-error @+1 {{attribute 'elements' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1}}
  %0 = quern.attend %q, %k, %k elements 0 at %at scale 1.0
      : tensor<2x2x4xf32>, tensor<8x1x4xf16>, tensor<8x1x4xf16>, tensor<2x!quern.position>
  quern.return
}

// -----

// attend_c6
quern.entry @f(%q: tensor<2x2x4xf32>, %k: tensor<8x1x4xf16>, %at: tensor<2x!quern.position>) {
  // expected-error @+1 {{found 5 elements of values [8, 1, 4], expected no more than a row holds}}
  %0 = quern.attend %q, %k, %k elements 5 at %at scale 1.0
      : tensor<2x2x4xf32>, tensor<8x1x4xf16>, tensor<8x1x4xf16>, tensor<2x!quern.position>
  quern.return
}
