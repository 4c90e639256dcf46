// RUN: quern-opt %s --quern-specialize-entries | FileCheck %s

// Two symbols: both 1, all but the first 1, general; the most special one first.
// CHECK-LABEL: quern.entry @forward.s1.r1(
// CHECK-SAME: %{{.*}}: tensor<1x4xf32>, %[[WANT:.*]]: tensor<1xi32>) -> tensor<1x4xf32>
// CHECK-SAME: arg_names = ["x", "want"]
// CHECK-NOT: bounds
// CHECK-SAME: variant_of = @forward, when = {r = 1 : i64, s = 1 : i64}
// CHECK: quern.gather %{{.*}}[%[[WANT]]] : tensor<1x4xf32>, tensor<1xi32>

// CHECK-LABEL: quern.entry @forward.r1(
// CHECK-SAME: tensor<?x4xf32, #quern.dims<s>>, %{{.*}}: tensor<1xi32>) -> tensor<1x4xf32>
// CHECK-SAME: bounds = {s = 64 : i64}
// CHECK-SAME: variant_of = @forward, when = {r = 1 : i64}
// CHECK: quern.map
// CHECK-SAME: tensor<?x4xf32, #quern.dims<s>> -> tensor<?x4xf32, #quern.dims<s>>

// CHECK-LABEL: quern.entry @forward(
// CHECK-SAME: bounds = {r = 8 : i64, s = 64 : i64}
// CHECK-NOT: variant_of
quern.entry @forward(%x: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?x4xf32, #quern.dims<r>>
    attributes {arg_names = ["x", "want"], bounds = {s = 64 : i64, r = 8 : i64}} {
  %0 = quern.map (%x) : tensor<?x4xf32, #quern.dims<s>> -> tensor<?x4xf32, #quern.dims<s>> {
  ^bb0(%a: f32):
    %n = arith.negf %a : f32
    quern.yield %n : f32
  }
  %1 = quern.gather %0[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %1 : tensor<?x4xf32, #quern.dims<r>>
}

// One symbol: only the variant where it is 1.
// CHECK-LABEL: quern.entry @one.n1(
// CHECK-SAME: tensor<1xf32>) -> tensor<1xf32>
// CHECK-LABEL: quern.entry @one(
// CHECK-SAME: #quern.dims<n>
quern.entry @one(%x: tensor<?xf32, #quern.dims<n>>) -> tensor<?xf32, #quern.dims<n>> {
  %0 = quern.neg %x : tensor<?xf32, #quern.dims<n>>
  quern.return %0 : tensor<?xf32, #quern.dims<n>>
}

// No symbols: nothing to specialise.
// CHECK-LABEL: quern.entry @fixed(
// CHECK-NOT: quern.entry @fixed
quern.entry @fixed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = quern.neg %x : tensor<4xf32>
  quern.return %0 : tensor<4xf32>
}

// A variant is not specialised again, though it has a symbol left: its general form has that variant too.
// CHECK: quern.entry @general.a1(
// CHECK-NOT: variant_of = @general.a1
// CHECK: quern.entry @general.a1.b1(
// CHECK-SAME: variant_of = @general,
// CHECK: quern.entry @general.b1(
// CHECK: quern.entry @general(
quern.entry @general.a1(%x: tensor<1xf32>, %y: tensor<?xf32, #quern.dims<b>>) -> tensor<?xf32, #quern.dims<b>>
    attributes {variant_of = @general, when = {a = 1 : i64}} {
  quern.return %y : tensor<?xf32, #quern.dims<b>>
}
quern.entry @general(%x: tensor<?xf32, #quern.dims<a>>, %y: tensor<?xf32, #quern.dims<b>>) -> tensor<?xf32, #quern.dims<b>> {
  quern.return %y : tensor<?xf32, #quern.dims<b>>
}

// Rows with positions are tokens of sequences, of which several take a step together.
// CHECK: quern.entry @decode.s1.r1(
// CHECK: quern.entry @decode.s4.r4(
// CHECK-SAME: tensor<4x!quern.position>, %{{.*}}: tensor<4xi32>) -> tensor<4xi32>
// CHECK-NOT: bounds
// CHECK-SAME: variant_of = @decode, when = {r = 4 : i64, s = 4 : i64}
// CHECK: quern.entry @decode.r1(
// CHECK: quern.entry @decode(
quern.entry @decode(%at: tensor<?x!quern.position, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?xi32, #quern.dims<r>>
    attributes {bounds = {s = 64 : i64, r = 8 : i64}} {
  quern.return %want : tensor<?xi32, #quern.dims<r>>
}

// Not so many.
// CHECK: quern.entry @few.s1(
// CHECK-NOT: quern.entry @few.s4
// CHECK: quern.entry @few(
quern.entry @few(%at: tensor<?x!quern.position, #quern.dims<s>>) attributes {bounds = {s = 3 : i64}} {
  quern.return
}
