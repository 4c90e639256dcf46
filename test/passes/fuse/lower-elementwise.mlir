// RUN: quern-opt %s --quern-lower-elementwise | FileCheck %s
// RUN: quern-opt %s --quern-lower-elementwise --remark-format=emitRemark --remarks-filter-missed=rewrite 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=APART

// Maps merge inside a group; splat literals move into the body; a value used twice is one input.
// CHECK-LABEL: quern.entry @group(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x8xf32>, %[[W:[a-z0-9]*]]: tensor<8x8xf32>, %[[B:[a-z0-9]*]]: tensor<8xf32>
// CHECK: quern.fused
// CHECK-NEXT: %[[P:.*]] = quern.matmul %[[X]], %[[W]]
// CHECK-NEXT: %[[M:.*]] = quern.map(%[[P]], %[[B]], %[[X]]) : tensor<2x8xf32>, tensor<8xf32>, tensor<2x8xf32> -> tensor<2x8xf32> {
// CHECK-NEXT: ^bb0(%[[PE:.*]]: f32, %[[BE:.*]]: f32, %[[XE:.*]]: f32):
// CHECK-DAG: %[[TWO:.*]] = arith.constant 2.0
// CHECK-DAG: %[[SUM:.*]] = arith.addf %[[PE]], %[[BE]]
// CHECK: %[[SCALED:.*]] = arith.mulf %[[SUM]], %[[TWO]]
// CHECK: %[[OUT:.*]] = arith.subf %[[SCALED]], %[[XE]]
// CHECK-NEXT: quern.yield %[[OUT]] : f32
// CHECK-NOT: quern.map
// CHECK: quern.return
quern.entry @group(%x: tensor<2x8xf32>, %w: tensor<8x8xf32>, %b: tensor<8xf32>) -> tensor<2x8xf32> {
  %two = quern.constant dense<2.0> : tensor<8xf32>
  %0 = quern.fused -> tensor<2x8xf32> {
    %1 = quern.matmul %x, %w : tensor<2x8xf32>, tensor<8x8xf32>
    %2 = quern.add %1, %b : tensor<2x8xf32>, tensor<8xf32>
    %3 = quern.mul %2, %two : tensor<2x8xf32>, tensor<8xf32>
    %4 = quern.sub %3, %x : tensor<2x8xf32>, tensor<2x8xf32>
    quern.yield %4 : tensor<2x8xf32>
  }
  quern.return %0 : tensor<2x8xf32>
}

// CHECK-LABEL: quern.entry @square(
// CHECK: quern.map(%{{[a-z0-9]*}}) : tensor<4xf32> -> tensor<4xf32> {
// CHECK-NEXT: ^bb0(%[[A:.*]]: f32):
// CHECK-NEXT: %[[N:.*]] = arith.negf %[[A]]
// CHECK-NEXT: arith.mulf %[[N]], %[[N]]
quern.entry @square(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = quern.neg %x : tensor<4xf32>
  %1 = quern.mul %0, %0 : tensor<4xf32>, tensor<4xf32>
  quern.return %1 : tensor<4xf32>
}

// Casts convert; between narrow floats by way of f32.
// CHECK-LABEL: quern.entry @casts(
// CHECK: quern.map(%{{.*}}) : tensor<4xf16> -> tensor<4xbf16>
// CHECK: %[[F:.*]] = arith.extf %{{.*}} : f16 to f32
// CHECK: arith.truncf %[[F]] : f32 to bf16
// CHECK: quern.map(%{{.*}}) : tensor<4xi32> -> tensor<4xf32>
// CHECK: arith.sitofp
quern.entry @casts(%x: tensor<4xf16>, %i: tensor<4xi32>) -> (tensor<4xbf16>, tensor<4xf32>) {
  %0 = quern.cast %x : tensor<4xf16> to tensor<4xbf16>
  %1 = quern.cast %i : tensor<4xi32> to tensor<4xf32>
  quern.return %0, %1 : tensor<4xbf16>, tensor<4xf32>
}

// Dequantisation has no scalar form: blocks are no scalars.
// APART-DAG: cast | {{.*}}Function=blocks | {{.*}}Reason="elements are no scalars that convert"
// CHECK-LABEL: quern.entry @blocks(
// CHECK: quern.cast
quern.entry @blocks(%x: tensor<2x32x!quern.block<q8_0>>) -> tensor<2x32xf32> {
  %0 = quern.cast %x : tensor<2x32x!quern.block<q8_0>> to tensor<2x32xf32>
  quern.return %0 : tensor<2x32xf32>
}

// A map with another user, or of another shape, stays by itself.
// APART-DAG: map | {{.*}}Function=apart | {{.*}}Reason="no input is a map that feeds only this one, of this one's shape"
// CHECK-LABEL: quern.entry @apart(
// CHECK: %[[A:.*]] = quern.map
// CHECK: %[[B:.*]] = quern.map(%[[A]])
// CHECK: %[[C:.*]] = quern.map(%{{.*}}) : tensor<8xf32>
// CHECK: quern.map(%[[B]], %[[C]])
quern.entry @apart(%x: tensor<2x8xf32>, %y: tensor<8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %0 = quern.exp %x : tensor<2x8xf32>
  %1 = quern.neg %0 : tensor<2x8xf32>
  %2 = quern.exp %y : tensor<8xf32>
  %3 = quern.add %1, %2 : tensor<2x8xf32>, tensor<8xf32>
  quern.return %0, %1, %3 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}

// Initialisers of parameters are evaluated, not compiled.
// CHECK: quern.parameter @table
// CHECK: quern.cos
quern.parameter @table : tensor<4xf32> {
  %0 = quern.iota : tensor<4xf32>
  %1 = quern.cos %0 : tensor<4xf32>
  quern.yield %1 : tensor<4xf32>
}
