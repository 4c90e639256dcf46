// RUN: quern-eval %s --entry movement --in x=1,2,3,4,5,6 --in i=2,0 --size s=2 | FileCheck %s --check-prefix=MOVEMENT
// RUN: quern-eval %s --entry gather --in x=0,1,2,3,4,5,6,7,8,9,10,11 --in i=2,0,1,1 --in j=1 | FileCheck %s --check-prefix=GATHER
// RUN: quern-eval %s --entry rows --in x=1,2,3,4 --in w=1,2 | FileCheck %s --check-prefix=ROWS
// RUN: quern-eval %s --entry matmul --in x=1,2,3,4 --in w=1,0,0,1,1,1 --size s=2 | FileCheck %s --check-prefix=MATMUL
// RUN: quern-eval %s --entry pairs --in x=4096,0,-4096,1,3 --in w=4096,0,4096,1,1 | FileCheck %s --check-prefix=PAIRS
// RUN: quern-eval %s --entry rope --in x=1,2,3,4,1,2,3,4 --in at=0,0,0,1,1,0 | FileCheck %s --check-prefix=ROPE
// RUN: quern-eval %s --entry attention --in x=1,2,3,4 --in at=0,0,0,1,1,0 | FileCheck %s --check-prefix=ATTENTION
// RUN: quern-eval %s --entry attention --in x=1,2,3,4 --in at=1,2,0,0,0,0 --steps 2 | FileCheck %s --check-prefix=TWICE
// RUN: quern-eval %s --entry attention --in x=1,2,3,4 --in at=0,0,0,0,2,2 | FileCheck %s --check-prefix=SEQUENCES
// RUN: quern-eval %s --entry window --in x=1,2,3,6,5,16,7,8 --in at=0,1,1,1,2,1,2,3,1,0,0,0 | FileCheck %s --check-prefix=SLIDING
// RUN: quern-eval %s --entry latents --in x=1,2,3,6,5,16,7,8 --in at=0,1,1,1,2,1,2,3,1,0,0,0 | FileCheck %s --check-prefix=LATENTS

// MOVEMENT: 0: tensor<3x2xf32>
// MOVEMENT-NEXT: 1 4
// MOVEMENT-NEXT: 2 5
// MOVEMENT-NEXT: 3 6
// MOVEMENT-NEXT: 1: tensor<2x2xf32>
// MOVEMENT-NEXT: 2 3
// MOVEMENT-NEXT: 5 6
// MOVEMENT-NEXT: 2: tensor<2x4xf32>
// MOVEMENT-NEXT: 1 2 3 0
// MOVEMENT-NEXT: 4 5 6 1
// MOVEMENT-NEXT: 3: tensor<2x2xf32>
// MOVEMENT-NEXT: 3 6
// MOVEMENT-NEXT: 1 4
quern.entry @movement(%x: tensor<2x3xf32>, %i: tensor<?xi32, #quern.dims<s>>)
    -> (tensor<3x2xf32>, tensor<2x2xf32>, tensor<2x4xf32>, tensor<?x2xf32, #quern.dims<s>>)
    attributes {arg_names = ["x", "i"]} {
  %0 = quern.transpose %x [1, 0] : tensor<2x3xf32>
  %1 = quern.slice %x axis 1 offset 1 size 2 : tensor<2x3xf32>
  %2 = quern.iota : tensor<2xf32>
  %3 = quern.reshape %2 : tensor<2xf32> to tensor<2x1xf32>
  %4 = quern.concat %x, %3 axis 1 : tensor<2x3xf32>, tensor<2x1xf32>
  %5 = quern.gather %0[%i] : tensor<3x2xf32>, tensor<?xi32, #quern.dims<s>>
  quern.return %0, %1, %4, %5 : tensor<3x2xf32>, tensor<2x2xf32>, tensor<2x4xf32>, tensor<?x2xf32, #quern.dims<s>>
}

// x[b, p, e] = 6·b + 3·p + e. Along the last axis for each b, and for each b and p; along the middle one; one place of
// the first; rows of two axes; integers; numbers of bf16.
// GATHER: 0: tensor<2x2x2xf32>
// GATHER-NEXT: 2 0
// GATHER-NEXT: 5 3
// GATHER-NEXT: 7 7
// GATHER-NEXT: 10 10
// GATHER-NEXT: 1: tensor<2x2xf32>
// GATHER-NEXT: 2 3
// GATHER-NEXT: 7 10
// GATHER-NEXT: 2: tensor<2x1x3xf32>
// GATHER-NEXT: 3 4 5
// GATHER-NEXT: 9 10 11
// GATHER-NEXT: 3: tensor<2x3xf32>
// GATHER-NEXT: 6 7 8
// GATHER-NEXT: 9 10 11
// GATHER-NEXT: 4: tensor<2x2x2xi32>
// GATHER-NEXT: 1 1
// GATHER-NEXT: 2 0
// GATHER-NEXT: 2 0
// GATHER-NEXT: 2 0
// GATHER-NEXT: 5: tensor<2x2x2xf32>
// GATHER-NEXT: 2 0
quern.entry @gather(%x: tensor<2x2x3xf32>, %i: tensor<2x2xi32>, %j: tensor<1xi32>)
    -> (tensor<2x2x2xf32>, tensor<2x2xf32>, tensor<2x1x3xf32>, tensor<2x3xf32>, tensor<2x2x2xi32>, tensor<2x2x2xf32>)
    attributes {arg_names = ["x", "i", "j"]} {
  %0 = quern.gather %x[%i] axis 2 batch 1 : tensor<2x2x3xf32>, tensor<2x2xi32>
  %1 = quern.gather %x[%i] axis 2 batch 2 : tensor<2x2x3xf32>, tensor<2x2xi32>
  %2 = quern.gather %x[%j] axis 1 : tensor<2x2x3xf32>, tensor<1xi32>
  %scalar = quern.reshape %j : tensor<1xi32> to tensor<i32>
  %3 = quern.gather %x[%scalar] : tensor<2x2x3xf32>, tensor<i32>
  %swapped = quern.constant dense<[[1, 0], [0, 0]]> : tensor<2x2xi32>
  %4 = quern.gather %i[%swapped] : tensor<2x2xi32>, tensor<2x2xi32>
  %narrow = quern.cast %x : tensor<2x2x3xf32> to tensor<2x2x3xbf16>
  %5 = quern.gather %narrow[%i] axis 2 batch 1 : tensor<2x2x3xbf16>, tensor<2x2xi32>
  quern.return %0, %1, %2, %3, %4, %5 : tensor<2x2x2xf32>, tensor<2x2xf32>, tensor<2x1x3xf32>, tensor<2x3xf32>, tensor<2x2x2xi32>, tensor<2x2x2xf32>
}

// ROWS: 0: tensor<2x1xf32>
// ROWS-NEXT: 3
// ROWS-NEXT: 7
// ROWS-NEXT: 1: tensor<2x1xf32>
// ROWS-NEXT: 1.5
// ROWS-NEXT: 3.5
// ROWS-NEXT: 2: tensor<2x1xf32>
// ROWS-NEXT: 2
// ROWS-NEXT: 4
// ROWS-NEXT: 3: tensor<2x2xf32>
// 1 / sqrt((1 + 4)/2 + 0.5), 2 · 2 / sqrt(3)
// ROWS-NEXT: 0.57735 2.3094
// ROWS-NEXT: 0.83205 2.2188
// ROWS-NEXT: 4: tensor<2x2xf32>
// ROWS-NEXT: 0.26894 0.73106
// ROWS-NEXT: 0.26894 0.73106
quern.entry @rows(%x: tensor<2x2xf32>, %w: tensor<2xf32>)
    -> (tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x2xf32>, tensor<2x2xf32>)
    attributes {arg_names = ["x", "w"]} {
  %0 = quern.reduce <sum> %x : tensor<2x2xf32>
  %1 = quern.reduce <mean> %x : tensor<2x2xf32>
  %2 = quern.reduce <max> %x : tensor<2x2xf32>
  %3 = quern.rms_norm %x, %w eps 0.5 : tensor<2x2xf32>, tensor<2xf32>
  %4 = quern.softmax %x : tensor<2x2xf32>
  quern.return %0, %1, %2, %3, %4 : tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

// MATMUL: 0: tensor<2x3xf32>
// MATMUL-NEXT: 1 2 3
// MATMUL-NEXT: 3 4 7
quern.entry @matmul(%x: tensor<?x2xf32, #quern.dims<s>>, %w: tensor<3x2xf32>) -> tensor<?x3xf32, #quern.dims<s>>
    attributes {arg_names = ["x", "w"]} {
  %0 = quern.matmul %x, %w : tensor<?x2xf32, #quern.dims<s>>, tensor<3x2xf32>
  quern.return %0 : tensor<?x3xf32, #quern.dims<s>>
}

// Added in ascending order: 2^24 + 0 - 2^24 + 1 + 3 = 4. The second of a pair first: 0 + 2^24 + 1, which rounds to 2^24,
// - 2^24 + 3 = 3.
// PAIRS: 0: tensor<1x1xf32>
// PAIRS-NEXT: 4
// PAIRS-NEXT: 1: tensor<1x1xf32>
// PAIRS-NEXT: 3
quern.entry @pairs(%x: tensor<1x5xf32>, %w: tensor<1x5xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>) attributes {arg_names = ["x", "w"]} {
  %0 = quern.cast %x : tensor<1x5xf32> to tensor<1x5xbf16>
  %1 = quern.cast %w : tensor<1x5xf32> to tensor<1x5xbf16>
  %2 = quern.matmul %x, %1 : tensor<1x5xf32>, tensor<1x5xbf16>
  %3 = quern.matmul %0, %1 : tensor<1x5xbf16>, tensor<1x5xbf16>
  quern.return %2, %3 : tensor<1x1xf32>, tensor<1x1xf32>
}

// At position 1 the table turns by 90 degrees: (u, v) becomes (-v, u).
// ROPE: 0: tensor<2x1x4xf32>
// ROPE-NEXT: 1 2 3 4
// ROPE-NEXT: -3 -4 1 2
// ROPE-NEXT: 1: tensor<2x1x4xf32>
// ROPE-NEXT: 1 2 3 4
// ROPE-NEXT: -2 1 -4 3
quern.entry @rope(%x: tensor<2x1x4xf32>, %at: tensor<2x!quern.position>) -> (tensor<2x1x4xf32>, tensor<2x1x4xf32>)
    attributes {arg_names = ["x", "at"]} {
  %table = quern.constant dense<[[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]]> : tensor<2x2x2xf32>
  %0 = quern.rope %x at %at, %table
      : tensor<2x1x4xf32>, tensor<2x!quern.position>, tensor<2x2x2xf32>
  %1 = quern.rope %x at %at, %table layout <interleaved>
      : tensor<2x1x4xf32>, tensor<2x!quern.position>, tensor<2x2x2xf32>
  quern.return %0, %1 : tensor<2x1x4xf32>, tensor<2x1x4xf32>
}

// Token 0 sees row 0 alone; token 1 sees rows 0 and 1 with scores 3·1 + 4·2 and 3·3 + 4·4, halved.
// ATTENTION: 0: tensor<2x1x2xf32>
// ATTENTION-NEXT: 1 2
// ATTENTION-NEXT: 2.9982 3.9982
// ATTENTION: 1: tensor<4x1x2xf16>
// ATTENTION-NEXT: 1 2
// ATTENTION-NEXT: 3 4
// ATTENTION-NEXT: 0 0
// ATTENTION-NEXT: 0 0

// Token 0 writes row 2, token 1 row 0; the state lives on.
// TWICE: 1: tensor<4x1x2xf16>
// TWICE-NEXT: 3 4
// TWICE-NEXT: 0 0
// TWICE-NEXT: 1 2
// TWICE-NEXT: 0 0

// Two sequences: each token sees its own row alone.
// SEQUENCES: 0: tensor<2x1x2xf32>
// SEQUENCES-NEXT: 1 2
// SEQUENCES-NEXT: 3 4
quern.state cache @cache : tensor<4x1x2xf16>
quern.entry @attention(%x: tensor<2x1x2xf32>, %at: tensor<2x!quern.position>) -> (tensor<2x1x2xf32>, tensor<4x1x2xf16>)
    attributes {arg_names = ["x", "at"]} {
  %0 = quern.state_ref @cache : tensor<4x1x2xf16>
  %1 = quern.cache_append %0, %x at %at : tensor<4x1x2xf16>, tensor<2x1x2xf32>, tensor<2x!quern.position>
  %2 = quern.attend %x, %1, %1 at %at scale 0.5
      : tensor<2x1x2xf32>, tensor<4x1x2xf16>, tensor<4x1x2xf16>, tensor<2x!quern.position>
  quern.return %2, %1 : tensor<2x1x2xf32>, tensor<4x1x2xf16>
}

// Every score is 0: each token gives the mean of its own row and the one before, from the first of its sequence on.
// SLIDING: 0: tensor<4x1x2xf32>
// SLIDING-NEXT: 3 6
// SLIDING-NEXT: 4 11
// SLIDING-NEXT: 6 12
// SLIDING-NEXT: 1 2
// A window of one row is the token's own.
// SLIDING-NEXT: 1: tensor<4x1x2xf32>
// SLIDING-NEXT: 3 6
// SLIDING-NEXT: 5 16
// SLIDING-NEXT: 7 8
// SLIDING-NEXT: 1 2
quern.entry @window(%x: tensor<4x1x2xf32>, %at: tensor<4x!quern.position>) -> (tensor<4x1x2xf32>, tensor<4x1x2xf32>)
    attributes {arg_names = ["x", "at"]} {
  %q = quern.constant dense<0.0> : tensor<4x1x2xf32>
  %0 = quern.attend %q, %x, %x at %at scale 1.0 window 2
      : tensor<4x1x2xf32>, tensor<4x1x2xf32>, tensor<4x1x2xf32>, tensor<4x!quern.position>
  %1 = quern.attend %q, %x, %x at %at scale 1.0 window 1
      : tensor<4x1x2xf32>, tensor<4x1x2xf32>, tensor<4x1x2xf32>, tensor<4x!quern.position>
  quern.return %0, %1 : tensor<4x1x2xf32>, tensor<4x1x2xf32>
}

// The first elements of the rows of @window alone.
// LATENTS: 0: tensor<4x1x1xf32>
// LATENTS-NEXT: 3
// LATENTS-NEXT: 4
// LATENTS-NEXT: 6
// LATENTS-NEXT: 1
quern.entry @latents(%x: tensor<4x1x2xf32>, %at: tensor<4x!quern.position>) -> tensor<4x1x1xf32>
    attributes {arg_names = ["x", "at"]} {
  %q = quern.constant dense<0.0> : tensor<4x1x2xf32>
  %0 = quern.attend %q, %x, %x elements 1 at %at scale 1.0 window 2
      : tensor<4x1x2xf32>, tensor<4x1x2xf32>, tensor<4x1x2xf32>, tensor<4x!quern.position>
  quern.return %0 : tensor<4x1x1xf32>
}
