// RUN: quern-opt %s --quern-fuse-epilogues --split-input-file --verify-diagnostics \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=fusion | FileCheck %s
// RUN: quern-opt %s --quern-fuse-epilogues --split-input-file --remark-format=emitRemark --remarks-filter-passed=fusion \
// RUN:   2>&1 >/dev/null | FileCheck %s --check-prefix=FUSED

// Bias, activation and residual follow the matmul into its group.
// CHECK-LABEL: quern.entry @residual(
// CHECK: %[[G:.*]] = quern.fused -> tensor<2x8xf32> {
// CHECK-NEXT: %[[P:.*]] = quern.matmul
// CHECK-NEXT: %[[B:.*]] = quern.add %[[P]]
// CHECK-NEXT: %[[A:.*]] = quern.gelu %[[B]]
// CHECK-NEXT: %[[R:.*]] = quern.add %{{.*}}, %[[A]]
// CHECK-NEXT: quern.yield %[[R]]
// CHECK: quern.return %[[G]]
// FUSED: add | {{.*}}Function=residual | Reason="the operand has this shape and no other user: it stays in registers"
quern.entry @residual(%x: tensor<2x4xf32>, %w: tensor<8x4xf32>, %b: tensor<8xf32>, %r: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = quern.matmul %x, %w : tensor<2x4xf32>, tensor<8x4xf32>
  %1 = quern.add %0, %b : tensor<2x8xf32>, tensor<8xf32>
  %2 = quern.gelu %1 : tensor<2x8xf32>
  %3 = quern.add %r, %2 : tensor<2x8xf32>, tensor<2x8xf32>
  quern.return %3 : tensor<2x8xf32>
}

// -----

// silu(gate) · up: two matmuls of one tensor in one group.
// CHECK-LABEL: quern.entry @swiglu(
// CHECK: quern.fused
// CHECK-DAG: %[[U:.*]] = quern.matmul %{{.*}}, %arg2
// CHECK-DAG: %[[P:.*]] = quern.matmul %{{.*}}, %arg1
// CHECK: %[[S:.*]] = quern.silu %[[P]]
// CHECK-NEXT: %[[M:.*]] = quern.mul %[[S]], %[[U]]
// CHECK-NEXT: quern.yield %[[M]]
// FUSED: mul | {{.*}}Function=swiglu | Reason="two products of one tensor meet here: neither is written"
quern.entry @swiglu(%x: tensor<2x4xf32>, %g: tensor<8x4xf32>, %u: tensor<8x4xf32>) -> tensor<2x8xf32> {
  %0 = quern.matmul %x, %g : tensor<2x4xf32>, tensor<8x4xf32>
  %1 = quern.silu %0 : tensor<2x8xf32>
  %2 = quern.matmul %x, %u : tensor<2x4xf32>, tensor<8x4xf32>
  %3 = quern.mul %1, %2 : tensor<2x8xf32>, tensor<2x8xf32>
  quern.return %3 : tensor<2x8xf32>
}

// -----

// Elementwise ops alone make a group: x · sigmoid(x + 1), where the sum is used twice, but only there.
// CHECK-LABEL: quern.entry @chain(
// CHECK: quern.fused
// CHECK-NEXT: %[[A:.*]] = quern.add
// CHECK-NEXT: %[[S:.*]] = quern.sigmoid %[[A]]
// CHECK-NEXT: %[[M:.*]] = quern.mul %[[A]], %[[S]]
// CHECK-NEXT: quern.yield %[[M]]
quern.entry @chain(%x: tensor<2x8xf32>, %y: tensor<8xf32>) -> tensor<2x8xf32> {
  %0 = quern.add %x, %y : tensor<2x8xf32>, tensor<8xf32>
  %1 = quern.sigmoid %0 : tensor<2x8xf32>
  %2 = quern.mul %0, %1 : tensor<2x8xf32>, tensor<2x8xf32>
  quern.return %2 : tensor<2x8xf32>
}

// -----

// Norms, gathers and attention have epilogues too.
// CHECK-LABEL: quern.entry @others(
// CHECK: quern.fused
// CHECK-NEXT: quern.gather
// CHECK-NEXT: quern.mul
// CHECK: quern.fused
// CHECK-NEXT: quern.softmax
// CHECK-NEXT: quern.neg
// CHECK: quern.fused
// CHECK-NEXT: quern.attend
// CHECK-NEXT: quern.mul
quern.entry @others(%t: tensor<9x8xf32>, %i: tensor<2xi32>, %c: tensor<2x8xf32>, %x: tensor<2x8xf32>, %q: tensor<2x1x8xf32>,
                    %k: tensor<16x1x8xf16>, %v: tensor<16x1x8xf16>, %at: tensor<2x!quern.position>)
    -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x1x8xf32>) {
  %0 = quern.gather %t[%i] : tensor<9x8xf32>, tensor<2xi32>
  %1 = quern.mul %0, %c : tensor<2x8xf32>, tensor<2x8xf32>
  %2 = quern.softmax %x : tensor<2x8xf32>
  %3 = quern.neg %2 : tensor<2x8xf32>
  %4 = quern.attend %q, %k, %v at %at scale 1.0 : tensor<2x1x8xf32>, tensor<16x1x8xf16>, tensor<16x1x8xf16>, tensor<2x!quern.position>
  %5 = quern.mul %4, %q : tensor<2x1x8xf32>, tensor<2x1x8xf32>
  quern.return %1, %3, %5 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x1x8xf32>
}

// -----

// The product is returned as well, so it has to be written.
// CHECK-LABEL: quern.entry @other_users(
// CHECK-NOT: quern.fused
// CHECK: quern.return
quern.entry @other_users(%x: tensor<2x4xf32>, %w: tensor<8x4xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  %0 = quern.matmul %x, %w : tensor<2x4xf32>, tensor<8x4xf32>
  // expected-remark@below {{the operand has other users}}
  %1 = quern.relu %0 : tensor<2x8xf32>
  quern.return %0, %1 : tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// One value per row would be computed once per element.
// CHECK-LABEL: quern.entry @broadcast(
// CHECK-NOT: quern.fused
// CHECK: quern.return
quern.entry @broadcast(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = quern.reduce <max> %x : tensor<2x8xf32>
  // expected-remark@below {{the operand is broadcast}}
  %1 = quern.sub %x, %0 : tensor<2x8xf32>, tensor<2x1xf32>
  quern.return %1 : tensor<2x8xf32>
}

// -----

// Matmuls of two tensors: the first takes the sum in, the second stays its operand.
// CHECK-LABEL: quern.entry @two_tensors(
// CHECK: %[[O:.*]] = quern.matmul %arg1, %arg2
// CHECK: quern.fused
// CHECK-NEXT: %[[P:.*]] = quern.matmul %arg0, %arg2
// CHECK-NEXT: quern.add %[[P]], %[[O]]
quern.entry @two_tensors(%x: tensor<2x4xf32>, %y: tensor<2x4xf32>, %w: tensor<8x4xf32>) -> tensor<2x8xf32> {
  %0 = quern.matmul %x, %w : tensor<2x4xf32>, tensor<8x4xf32>
  %1 = quern.matmul %y, %w : tensor<2x4xf32>, tensor<8x4xf32>
  // expected-remark@below {{a kernel has one anchor, or two matmuls of one tensor by weights of one type}}
  %2 = quern.add %0, %1 : tensor<2x8xf32>, tensor<2x8xf32>
  quern.return %2 : tensor<2x8xf32>
}

// -----

// Weights of two types are no pair.
// CHECK-LABEL: quern.entry @two_types(
// CHECK: quern.matmul %{{.*}} : tensor<2x4xf32>, tensor<8x4xf16>
// CHECK: quern.fused
// CHECK-NEXT: quern.matmul %{{.*}} : tensor<2x4xf32>, tensor<8x4xf32>
// CHECK-NEXT: quern.mul
quern.entry @two_types(%x: tensor<2x4xf32>, %g: tensor<8x4xf32>, %u: tensor<8x4xf16>) -> tensor<2x8xf32> {
  %0 = quern.matmul %x, %g : tensor<2x4xf32>, tensor<8x4xf32>
  %1 = quern.matmul %x, %u : tensor<2x4xf32>, tensor<8x4xf16>
  // expected-remark@below {{a kernel has one anchor, or two matmuls of one tensor by weights of one type}}
  %2 = quern.mul %0, %1 : tensor<2x8xf32>, tensor<2x8xf32>
  quern.return %2 : tensor<2x8xf32>
}

// -----

quern.state cache @keys : tensor<16x1x8xf32>

// The attention reads the state before the append writes it.
// CHECK-LABEL: quern.entry @state(
// CHECK: quern.attend
// CHECK: quern.cache_append
// CHECK: quern.neg
// CHECK-NOT: quern.fused
quern.entry @state(%q: tensor<2x1x8xf32>, %at: tensor<2x!quern.position>) -> (tensor<2x1x8xf32>, tensor<16x1x8xf32>) {
  %k = quern.state_ref @keys : tensor<16x1x8xf32>
  %0 = quern.attend %q, %k, %k at %at scale 1.0 : tensor<2x1x8xf32>, tensor<16x1x8xf32>, tensor<16x1x8xf32>, tensor<2x!quern.position>
  %1 = quern.cache_append %k, %q at %at : tensor<16x1x8xf32>, tensor<2x1x8xf32>, tensor<2x!quern.position>
  // expected-remark@below {{the operand reads a state that is written before this op}}
  %2 = quern.neg %0 : tensor<2x1x8xf32>
  quern.return %2, %1 : tensor<2x1x8xf32>, tensor<16x1x8xf32>
}

// -----

// The products of chosen weights are added up in their kernel, and what follows joins it.
// CHECK-LABEL: quern.entry @combined(
// CHECK: quern.fused -> tensor<4x16xf32>
// CHECK-NEXT: %[[Y:.*]] = quern.matmul
// CHECK-NEXT: %[[C:.*]] = quern.combine %[[Y]]
// CHECK-NEXT: %[[R:.*]] = quern.add %{{.*}}, %[[C]]
// CHECK-NEXT: quern.yield %[[R]]
// FUSED: combine | {{.*}}Function=combined | Reason="a task has all products of its outputs: what they add up to is written, not they"
quern.entry @combined(%x: tensor<4x8xf32>, %w: tensor<64x8xf32>, %p: tensor<4x2xf32>, %o: tensor<4x2xi32>, %b: tensor<5xi32>,
                      %r: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %0 = quern.matmul %x, %w groups(%o, %b) : tensor<4x8xf32>, tensor<64x8xf32>, tensor<4x2xi32>, tensor<5xi32>
  %1 = quern.combine %0, %p : tensor<4x2x16xf32>, tensor<4x2xf32>
  %2 = quern.add %r, %1 : tensor<4x16xf32>, tensor<4x16xf32>
  quern.return %2 : tensor<4x16xf32>
}

// -----

// What is combined may be anything; only products by groups take it in.
// CHECK-LABEL: quern.entry @given(
// CHECK-NOT: quern.fused
quern.entry @given(%y: tensor<4x2x16xf32>, %p: tensor<4x2xf32>) -> tensor<4x16xf32> {
  // expected-remark@below {{what is combined are no products by groups}}
  %0 = quern.combine %y, %p : tensor<4x2x16xf32>, tensor<4x2xf32>
  quern.return %0 : tensor<4x16xf32>
}

// -----

// Products that another op reads, too, are written.
// CHECK-LABEL: quern.entry @shared(
// CHECK-NOT: quern.fused
quern.entry @shared(%x: tensor<4x8xf32>, %w: tensor<64x8xf32>, %p: tensor<4x2xf32>, %o: tensor<4x2xi32>, %b: tensor<5xi32>)
    -> (tensor<4x16xf32>, tensor<4x2x16xf32>) {
  %0 = quern.matmul %x, %w groups(%o, %b) : tensor<4x8xf32>, tensor<64x8xf32>, tensor<4x2xi32>, tensor<5xi32>
  // expected-remark@below {{the operand has other users}}
  %1 = quern.combine %0, %p : tensor<4x2x16xf32>, tensor<4x2xf32>
  quern.return %1, %0 : tensor<4x16xf32>, tensor<4x2x16xf32>
}
