// RUN: quern-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: quern.entry @identities(
// CHECK-SAME: %[[X:.+]]: tensor<2x3xf32>)
// CHECK-NEXT: quern.return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
quern.entry @identities(%x: tensor<2x3xf32>)
    -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = quern.cast %x : tensor<2x3xf32> to tensor<2x3xf32>
  %1 = quern.reshape %x : tensor<2x3xf32> to tensor<2x3xf32>
  %2 = quern.slice %x axis 1 offset 0 size 3 : tensor<2x3xf32>
  %3 = quern.concat %x axis 0 : tensor<2x3xf32>
  %4 = quern.transpose %x [0, 1] : tensor<2x3xf32>
  quern.return %0, %1, %2, %3, %4
      : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// Only the last of several shapes counts, and going back to the first is nothing.
// CHECK-LABEL: quern.entry @reshapes(
// CHECK-SAME: %[[X:.+]]: tensor<2x3xf32>)
// CHECK-NEXT: %[[LAST:.+]] = quern.reshape %[[X]] : tensor<2x3xf32> to tensor<3x2xf32>
// CHECK-NEXT: quern.return %[[LAST]], %[[X]]
quern.entry @reshapes(%x: tensor<2x3xf32>) -> (tensor<3x2xf32>, tensor<2x3xf32>) {
  %0 = quern.reshape %x : tensor<2x3xf32> to tensor<6xf32>
  %1 = quern.reshape %0 : tensor<6xf32> to tensor<3x2xf32>
  %2 = quern.reshape %0 : tensor<6xf32> to tensor<2x3xf32>
  quern.return %1, %2 : tensor<3x2xf32>, tensor<2x3xf32>
}

// A cast that rounds, a slice that cuts and a permutation stay.
// CHECK-LABEL: quern.entry @stay(
// CHECK-NEXT: quern.cast
// CHECK-NEXT: quern.slice
// CHECK-NEXT: quern.transpose
quern.entry @stay(%x: tensor<2x2xf32>) -> (tensor<2x2xf16>, tensor<2x1xf32>, tensor<2x2xf32>) {
  %0 = quern.cast %x : tensor<2x2xf32> to tensor<2x2xf16>
  %1 = quern.slice %x axis 1 offset 0 size 1 : tensor<2x2xf32>
  %2 = quern.transpose %x [1, 0] : tensor<2x2xf32>
  quern.return %0, %1, %2 : tensor<2x2xf16>, tensor<2x1xf32>, tensor<2x2xf32>
}

// The only row of a table; not of two, and not several times.
// CHECK-LABEL: quern.entry @rows(
// CHECK-SAME: %[[X:[^:]+]]: tensor<1x3xf32>, %[[Y:[^:]+]]: tensor<2x3xf32>, %[[I:[^:]+]]: tensor<1xi32>, %[[J:[^:]+]]: tensor<2xi32>)
// CHECK-NEXT: %[[ONE:.+]] = quern.gather %[[Y]][%[[I]]]
// CHECK-NEXT: %[[TWICE:.+]] = quern.gather %[[X]][%[[J]]]
// CHECK-NEXT: quern.return %[[X]], %[[ONE]], %[[TWICE]]
quern.entry @rows(%x: tensor<1x3xf32>, %y: tensor<2x3xf32>, %i: tensor<1xi32>, %j: tensor<2xi32>)
    -> (tensor<1x3xf32>, tensor<1x3xf32>, tensor<2x3xf32>) {
  %0 = quern.gather %x[%i] : tensor<1x3xf32>, tensor<1xi32>
  %1 = quern.gather %y[%i] : tensor<2x3xf32>, tensor<1xi32>
  %2 = quern.gather %x[%j] : tensor<1x3xf32>, tensor<2xi32>
  quern.return %0, %1, %2 : tensor<1x3xf32>, tensor<1x3xf32>, tensor<2x3xf32>
}

// The only column of a table of integers; not where it takes the place of more axes, and not of narrower floats.
// CHECK-LABEL: quern.entry @columns(
// CHECK-SAME: %[[X:[^:]+]]: tensor<3x1xi32>, %[[Y:[^:]+]]: tensor<3x1xf16>, %[[I:[^:]+]]: tensor<3x1xi32>, %[[J:[^:]+]]: tensor<3x1x1xi32>)
// CHECK-NEXT: %[[MORE:.+]] = quern.gather %[[X]][%[[J]]] axis 1 batch 1
// CHECK-NEXT: %[[WIDE:.+]] = quern.gather %[[Y]][%[[I]]] axis 1 batch 1
// CHECK-NEXT: quern.return %[[X]], %[[MORE]], %[[WIDE]]
quern.entry @columns(%x: tensor<3x1xi32>, %y: tensor<3x1xf16>, %i: tensor<3x1xi32>, %j: tensor<3x1x1xi32>)
    -> (tensor<3x1xi32>, tensor<3x1x1xi32>, tensor<3x1xf32>) {
  %0 = quern.gather %x[%i] axis 1 batch 1 : tensor<3x1xi32>, tensor<3x1xi32>
  %1 = quern.gather %x[%j] axis 1 batch 1 : tensor<3x1xi32>, tensor<3x1x1xi32>
  %2 = quern.gather %y[%i] axis 1 batch 1 : tensor<3x1xf16>, tensor<3x1xi32>
  quern.return %0, %1, %2 : tensor<3x1xi32>, tensor<3x1x1xi32>, tensor<3x1xf32>
}

quern.state cache @latents : tensor<8x1x6xf16>

// Values that are the first elements of rows; not others, and not where the rows are written on the way.
// CHECK-LABEL: quern.entry @values(
// CHECK: %[[ROWS:.+]] = quern.cache_append
// CHECK: quern.attend %{{.+}}, %[[ROWS]], %[[ROWS]] elements 4 at
// CHECK: quern.attend %{{.+}}, %[[ROWS]], %[[ROWS]] elements 2 at
// CHECK: %[[LAST:.+]] = quern.slice %[[ROWS]] axis 2 offset 2 size 4
// CHECK: quern.attend %{{.+}}, %[[ROWS]], %[[LAST]] at
// CHECK: %[[BEFORE:.+]] = quern.slice %[[ROWS]] axis 2 offset 0 size 3
// CHECK: %[[MORE:.+]] = quern.cache_append %[[ROWS]]
// CHECK: quern.attend %{{.+}}, %[[MORE]], %[[BEFORE]] at
quern.entry @values(%q: tensor<2x2x6xf32>, %x: tensor<2x1x6xf32>, %at: tensor<2x!quern.position>)
    -> (tensor<2x2x4xf32>, tensor<2x2x2xf32>, tensor<2x2x4xf32>, tensor<2x2x3xf32>) {
  %0 = quern.state_ref @latents : tensor<8x1x6xf16>
  %1 = quern.cache_append %0, %x at %at : tensor<8x1x6xf16>, tensor<2x1x6xf32>, tensor<2x!quern.position>
  %2 = quern.slice %1 axis 2 offset 0 size 4 : tensor<8x1x6xf16>
  %3 = quern.attend %q, %1, %2 at %at scale 1.0
      : tensor<2x2x6xf32>, tensor<8x1x6xf16>, tensor<8x1x4xf16>, tensor<2x!quern.position>
  %4 = quern.attend %q, %1, %2 elements 2 at %at scale 1.0
      : tensor<2x2x6xf32>, tensor<8x1x6xf16>, tensor<8x1x4xf16>, tensor<2x!quern.position>
  %5 = quern.slice %1 axis 2 offset 2 size 4 : tensor<8x1x6xf16>
  %6 = quern.attend %q, %1, %5 at %at scale 1.0
      : tensor<2x2x6xf32>, tensor<8x1x6xf16>, tensor<8x1x4xf16>, tensor<2x!quern.position>
  %7 = quern.slice %1 axis 2 offset 0 size 3 : tensor<8x1x6xf16>
  %8 = quern.cache_append %1, %x at %at : tensor<8x1x6xf16>, tensor<2x1x6xf32>, tensor<2x!quern.position>
  %9 = quern.attend %q, %8, %7 at %at scale 1.0
      : tensor<2x2x6xf32>, tensor<8x1x6xf16>, tensor<8x1x3xf16>, tensor<2x!quern.position>
  quern.return %3, %4, %6, %9 : tensor<2x2x4xf32>, tensor<2x2x2xf32>, tensor<2x2x4xf32>, tensor<2x2x3xf32>
}
