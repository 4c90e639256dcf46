// RUN: quern-opt %s --split-input-file --verify-diagnostics

quern.entry @e(%x: tensor<4x8xf32>) -> tensor<4x9xf32> {
  // expected-error@below {{found the 9 largest of [4, 8], expected 1 or more, and no more than the last axis has}}
  %0, %1 = quern.top_k %x k 9 : tensor<4x8xf32>
  quern.return %0 : tensor<4x9xf32>
}

// -----

quern.entry @e(%x: tensor<4x8xf32>) -> tensor<4x0xf32> {
  // expected-error@below {{found the 0 largest of [4, 8], expected 1 or more, and no more than the last axis has}}
  %0, %1 = quern.top_k %x k 0 : tensor<4x8xf32>
  quern.return %0 : tensor<4x0xf32>
}

// -----

quern.entry @e(%c: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error@below {{found choices [4], expected [s, j] with a static j}}
  %0, %1 = quern.group_rows %c groups 8 : tensor<4xi32>
  quern.return %0 : tensor<4xi32>
}

// -----

quern.entry @e(%c: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // expected-error@below {{found 0 groups, expected 1 or more}}
  %0, %1 = quern.group_rows %c groups 0 : tensor<4x2xi32>
  quern.return %0 : tensor<4x2xi32>
}

// -----

quern.entry @e(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error@below {{no room for axis 3 of size 2 in [4, 8]}}
  %0 = quern.broadcast %x axis 3 size 2 : tensor<4x8xf32>
  quern.return %x : tensor<4x8xf32>
}

// -----

quern.entry @e(%x: tensor<4x32x!quern.block<q8_0>>) -> tensor<4x32x!quern.block<q8_0>> {
  // expected-error@below {{cannot take blocks apart}}
  %0 = quern.broadcast %x axis 2 size 2 : tensor<4x32x!quern.block<q8_0>>
  quern.return %x : tensor<4x32x!quern.block<q8_0>>
}

// -----

quern.entry @e(%y: tensor<4x2x8xf32>, %w: tensor<4x3xf32>) -> tensor<4x8xf32> {
  // expected-error@below {{found [4, 2, 8] with weights [4, 3], expected [s, j, ..] and [s, j] with a static j}}
  %0 = quern.combine %y, %w : tensor<4x2x8xf32>, tensor<4x3xf32>
  quern.return %0 : tensor<4x8xf32>
}

// -----

quern.entry @e(%x: tensor<4x64xf32>, %w: tensor<128x64xf32>, %o: tensor<4x2xi32>) -> tensor<4x2x16xf32> {
  // expected-error@below {{found 1 tensors of groups, expected order and begins}}
  %0 = quern.matmul %x, %w groups(%o) : tensor<4x64xf32>, tensor<128x64xf32>, tensor<4x2xi32>
  quern.return %0 : tensor<4x2x16xf32>
}

// -----

quern.entry @e(%x: tensor<4x64xf32>, %w: tensor<128x64xf32>, %o: tensor<4x2xi32>, %b: tensor<1xi32>) -> tensor<4x2x16xf32> {
  // expected-error@below {{found groups [4, 2] and [1], expected [s, j] and [G + 1]}}
  %0 = quern.matmul %x, %w groups(%o, %b) : tensor<4x64xf32>, tensor<128x64xf32>, tensor<4x2xi32>, tensor<1xi32>
  quern.return %0 : tensor<4x2x16xf32>
}

// -----

quern.entry @e(%x: tensor<4x64xf32>, %w: tensor<128x64xf32>, %o: tensor<4x2xi32>, %b: tensor<8xi32>) -> tensor<4x2x16xf32> {
  // expected-error@below {{the weight has shape [128, 64], expected 7 of [n, k]}}
  %0 = quern.matmul %x, %w groups(%o, %b) : tensor<4x64xf32>, tensor<128x64xf32>, tensor<4x2xi32>, tensor<8xi32>
  quern.return %0 : tensor<4x2x16xf32>
}

// -----

quern.entry @e(%x: tensor<5x64xf32>, %w: tensor<128x64xf32>, %o: tensor<4x2xi32>, %b: tensor<9xi32>) -> tensor<4x2x16xf32> {
  // expected-error@below {{found [5, 64] in groups [4, 2] by [128, 64], expected [s, k] or [s, j, k]}}
  %0 = quern.matmul %x, %w groups(%o, %b) : tensor<5x64xf32>, tensor<128x64xf32>, tensor<4x2xi32>, tensor<9xi32>
  quern.return %0 : tensor<4x2x16xf32>
}
