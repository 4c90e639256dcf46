// RUN: quern-opt %s --quern-infer-shapes --split-input-file --verify-diagnostics

// Two unnamed dimensions are two sizes.
quern.entry @two(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32, #quern.dims<"?">> {
  // expected-error@below {{shapes [d0] and [d1] do not broadcast}}
  %0 = quern.add %x, %y : tensor<?xf32>, tensor<?xf32>
  quern.return %0 : tensor<?xf32, #quern.dims<"?">>
}

// -----

quern.entry @map(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32, #quern.dims<"?">> {
  // expected-error@below {{shapes [d0] and [d1] do not broadcast}}
  %0 = quern.map (%x, %y) : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32, #quern.dims<"?">> {
  ^bb0(%a: f32, %b: f32):
    quern.yield %a : f32
  }
  quern.return %0 : tensor<?xf32, #quern.dims<"?">>
}
