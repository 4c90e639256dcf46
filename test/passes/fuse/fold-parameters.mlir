// RUN: quern-opt %s --quern-fold-parameters | FileCheck %s
// RUN: quern-opt %s --quern-fold-parameters --remark-format=emitRemark --remarks-filter=fusion 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

quern.parameter @w : tensor<4xf32>
quern.parameter @big : tensor<1x64xf32>

// The same table twice, in two entries: one parameter.
// CHECK: quern.parameter "private" @folded : tensor<4xf32> {
// CHECK-NEXT: %[[I:.*]] = quern.iota
// CHECK-NEXT: %[[W:.*]] = quern.param @w
// CHECK-NEXT: %[[SUM:.*]] = quern.mul %[[I]], %[[W]]
// CHECK-NEXT: %[[COS:.*]] = quern.cos %[[SUM]]
// CHECK-NEXT: quern.yield %[[COS]]
// CHECK-LABEL: quern.entry @first(
// REMARK: [Passed] cos | {{.*}}Function=first | Reason="parameters and literals alone: computed once, at compile time"
quern.entry @first(%x: tensor<4xf32>) -> tensor<4xf32> {
  %i = quern.iota : tensor<4xf32>
  %w = quern.param @w : tensor<4xf32>
  %m = quern.mul %i, %w : tensor<4xf32>, tensor<4xf32>
  %c = quern.cos %m : tensor<4xf32>
  // CHECK: %[[P:.*]] = quern.param @folded
  // CHECK-NEXT: %[[R:.*]] = quern.mul %{{.*}}, %[[P]]
  // CHECK-NEXT: quern.return %[[R]]
  %0 = quern.mul %x, %c : tensor<4xf32>, tensor<4xf32>
  quern.return %0 : tensor<4xf32>
}
// CHECK-NOT: quern.parameter
// CHECK-LABEL: quern.entry @second(
quern.entry @second(%x: tensor<4xf32>) -> tensor<4xf32> {
  %i = quern.iota : tensor<4xf32>
  %w = quern.param @w : tensor<4xf32>
  %m = quern.mul %i, %w : tensor<4xf32>, tensor<4xf32>
  %c = quern.cos %m : tensor<4xf32>
  // CHECK: quern.param @folded
  %0 = quern.add %x, %c : tensor<4xf32>, tensor<4xf32>
  quern.return %0 : tensor<4xf32>
}

// A bare parameter and a splat literal stay.
// CHECK-LABEL: quern.entry @bare(
quern.entry @bare(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: quern.param @w
  %w = quern.param @w : tensor<4xf32>
  // CHECK: quern.constant dense<2.0
  %two = quern.constant dense<2.0> : tensor<4xf32>
  %0 = quern.mul %x, %w : tensor<4xf32>, tensor<4xf32>
  %1 = quern.mul %0, %two : tensor<4xf32>, tensor<4xf32>
  quern.return %1 : tensor<4xf32>
}

// One elementwise op that blows its sources up is cheaper to compute again.
// CHECK-LABEL: quern.entry @outer(
quern.entry @outer(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %i = quern.iota : tensor<64xf32>
  %column = quern.reshape %i : tensor<64xf32> to tensor<64x1xf32>
  %row = quern.param @big : tensor<1x64xf32>
  // CHECK: quern.mul %{{.*}} : tensor<64x1xf32>, tensor<1x64xf32>
  %t = quern.mul %column, %row : tensor<64x1xf32>, tensor<1x64xf32>
  // CHECK: quern.add
  %0 = quern.add %x, %t : tensor<64x64xf32>, tensor<64x64xf32>
  quern.return %0 : tensor<64x64xf32>
}

// A literal that is no splat becomes a parameter; what is read from a state is not constant.
// CHECK: quern.parameter "private" @folded_0 : tensor<2xf32>
// CHECK-LABEL: quern.entry @literal(
quern.state variable @s : tensor<2xf32>
quern.entry @literal() -> tensor<2xf32> {
  // CHECK: %[[L:.*]] = quern.param @folded_0
  %c = quern.constant dense<[1.0, 2.0]> : tensor<2xf32>
  // CHECK: %[[S:.*]] = quern.state_ref @s
  %s = quern.state_ref @s : tensor<2xf32>
  // CHECK: quern.add %[[S]], %[[L]]
  %0 = quern.add %s, %c : tensor<2xf32>, tensor<2xf32>
  quern.return %0 : tensor<2xf32>
}

// Weights whose rows are inputs, and stacks of weights, become rows; those that are known at run time only stay.
quern.parameter @columns : tensor<3x5xf32>
quern.parameter @stack : tensor<2x3x4xf32>
// CHECK-LABEL: quern.entry @weights(
quern.entry @weights(%x: tensor<6x3xf32>, %y: tensor<6x2x3xf32>, %z: tensor<6x2x4xf32>, %w: tensor<3x5xf32>)
    -> (tensor<6x5xf32>, tensor<6x2x4xf32>, tensor<6x2x3xf32>, tensor<6x5xf32>) {
  // CHECK: %[[A:.*]] = quern.param @{{.*}} : tensor<5x3xf32>
  // CHECK-NEXT: quern.matmul %{{.*}}, %[[A]] : tensor<6x3xf32>, tensor<5x3xf32>
  // CHECK: %[[B:.*]] = quern.param @{{.*}} : tensor<8x3xf32>
  // CHECK-NEXT: quern.matmul %{{.*}}, %[[B]] batch 2 : tensor<6x2x3xf32>, tensor<8x3xf32>
  // CHECK: %[[C:.*]] = quern.param @{{.*}} : tensor<6x4xf32>
  // CHECK-NEXT: quern.matmul %{{.*}}, %[[C]] batch 2 : tensor<6x2x4xf32>, tensor<6x4xf32>
  // CHECK: quern.matmul %{{.*}}, %{{.*}} transposed : tensor<6x3xf32>, tensor<3x5xf32>
  %p = quern.param @columns : tensor<3x5xf32>
  %q = quern.param @stack : tensor<2x3x4xf32>
  %0 = quern.matmul %x, %p transposed : tensor<6x3xf32>, tensor<3x5xf32>
  %1 = quern.matmul %y, %q transposed : tensor<6x2x3xf32>, tensor<2x3x4xf32>
  %2 = quern.matmul %z, %q : tensor<6x2x4xf32>, tensor<2x3x4xf32>
  %3 = quern.matmul %x, %w transposed : tensor<6x3xf32>, tensor<3x5xf32>
  quern.return %0, %1, %2, %3 : tensor<6x5xf32>, tensor<6x2x4xf32>, tensor<6x2x3xf32>, tensor<6x5xf32>
}
