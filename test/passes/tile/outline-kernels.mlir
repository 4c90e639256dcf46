// RUN: quern-opt %s --quern-outline-kernels --split-input-file | FileCheck %s
// RUN: quern-opt %s --quern-outline-kernels --split-input-file --mlir-print-debuginfo | FileCheck %s --check-prefix=PLACES

quern.parameter @w : tensor<8x4xf32> packing <panels>
quern.parameter @b : tensor<8xf32>

// A group becomes a kernel of its anchor's form: arguments in the order of their first use, with the packing of weights,
// splat literals inside. A reshape stays in the entry. A call says which ops it is, from where: the anchor first.
// CHECK: quern.kernel private @kernel(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x4xf32>, %[[W:[a-z0-9]*]]: tensor<8x4xf32> {quern.packing = #quern.packing<panels>}, %[[B:[a-z0-9]*]]: tensor<8xf32>) -> tensor<2x8xf32>
// CHECK-SAME: form = #quern.form<contract>
// CHECK-NEXT: %[[C:.*]] = quern.constant
// CHECK-NEXT: %[[P:.*]] = quern.matmul %[[X]], %[[W]]
// CHECK-NEXT: %[[S:.*]] = quern.add %[[P]], %[[B]]
// CHECK-NEXT: %[[M:.*]] = quern.mul %[[S]], %[[C]]
// CHECK-NEXT: quern.yield %[[M]]
// CHECK-LABEL: quern.entry @group(
// CHECK-SAME: %[[A:[a-z0-9]*]]: tensor<2x2x2xf32>
// CHECK: %[[R:.*]] = quern.reshape %[[A]]
// CHECK: %[[WV:.*]] = quern.param @w
// CHECK: %[[BV:.*]] = quern.param @b
// CHECK-NOT: quern.constant
// CHECK: %[[CALL:.*]] = quern.call @kernel(%[[R]], %[[WV]], %[[BV]])
// CHECK-NEXT: quern.return %[[CALL]]
// PLACES: quern.call @kernel({{.*}} loc(#[[CALL:loc[0-9]*]])
// PLACES-DAG: #[[MATMUL:loc[0-9]*]] = loc(fused<"matmul">[
// PLACES-DAG: #[[ADD:loc[0-9]*]] = loc(fused<"add">[
// PLACES-DAG: #[[MUL:loc[0-9]*]] = loc(fused<"mul">[
// PLACES: #[[CALL]] = loc(fused[#[[MATMUL]], #[[ADD]], #[[MUL]]])
quern.entry @group(%a: tensor<2x2x2xf32>) -> tensor<2x8xf32> {
  %x = quern.reshape %a : tensor<2x2x2xf32> to tensor<2x4xf32>
  %w = quern.param @w : tensor<8x4xf32>
  %b = quern.param @b : tensor<8xf32>
  %c = quern.constant dense<2.0> : tensor<8xf32>
  %0 = quern.fused -> tensor<2x8xf32> {
    %1 = quern.matmul %x, %w : tensor<2x4xf32>, tensor<8x4xf32>
    %2 = quern.add %1, %b : tensor<2x8xf32>, tensor<8xf32>
    %3 = quern.mul %2, %c : tensor<2x8xf32>, tensor<8xf32>
    quern.yield %3 : tensor<2x8xf32>
  }
  quern.return %0 : tensor<2x8xf32>
}

// -----

quern.state cache @keys : tensor<16x1x4xf16>

// The state that an append writes is its first argument. A norm before a matmul does not name the form.
// CHECK: quern.kernel private @[[APPEND:.*]](%[[S:[a-z0-9]*]]: tensor<16x1x4xf16>, %{{.*}}: tensor<2x1x4xf32>, %{{.*}}: tensor<2x!quern.position>) -> tensor<16x1x4xf16>
// CHECK-SAME: form = #quern.form<append>
// CHECK: quern.kernel private @[[ATTEND:.*]](%{{.*}}: tensor<2x1x4xf32>
// CHECK-SAME: form = #quern.form<attention>
// CHECK: quern.kernel private @[[MATMUL:.*]](%{{.*}}: tensor<2x4xf32>
// CHECK-SAME: form = #quern.form<values>
// CHECK-LABEL: quern.entry @states(
// CHECK: %[[K:.*]] = quern.state_ref @keys
// CHECK: %[[NEW:.*]] = quern.call @[[APPEND]](%[[K]], %{{.*}}, %{{.*}})
// CHECK: quern.call @[[ATTEND]](%{{[a-z0-9]*}}, %[[NEW]], %{{[a-z0-9]*}})
// CHECK: quern.call @[[MATMUL]]
quern.entry @states(%x: tensor<2x1x4xf32>, %at: tensor<2x!quern.position>, %w: tensor<8x4xf32>, %g: tensor<4xf32>) -> tensor<2x8xf32> {
  %k = quern.state_ref @keys : tensor<16x1x4xf16>
  %0 = quern.cache_append %k, %x at %at : tensor<16x1x4xf16>, tensor<2x1x4xf32>, tensor<2x!quern.position>
  %1 = quern.attend %x, %0, %0 at %at scale 1.0 : tensor<2x1x4xf32>, tensor<16x1x4xf16>, tensor<16x1x4xf16>, tensor<2x!quern.position>
  %2 = quern.reshape %1 : tensor<2x1x4xf32> to tensor<2x4xf32>
  %3 = quern.fused -> tensor<2x8xf32> {
    %4 = quern.rms_norm %2, %g eps 1.0e-5 : tensor<2x4xf32>, tensor<4xf32>
    %5 = quern.matmul %4, %w : tensor<2x4xf32>, tensor<8x4xf32>
    quern.yield %5 : tensor<2x8xf32>
  }
  quern.return %3 : tensor<2x8xf32>
}

// -----

// What is returned twice, or is an argument, is copied; what a kernel computes for one result is not.
// CHECK-LABEL: quern.entry @results(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<4xf32>
// CHECK: %[[A:.*]] = quern.call @kernel(%[[X]])
// CHECK-DAG: %[[B:.*]] = quern.call @{{.*}}(%[[A]])
// CHECK-DAG: %[[C:.*]] = quern.call @{{.*}}(%[[X]])
// CHECK: quern.return %[[A]], %[[B]], %[[C]]
quern.entry @results(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0 = quern.softmax %x : tensor<4xf32>
  quern.return %0, %0, %x : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A kernel whose result is a part of a concat says of what; the concat stays.
// CHECK-LABEL: quern.kernel private @kernel(
// CHECK-SAME: -> (tensor<2x4xf32> {quern.part_of = tensor<2x8xf32>})
// CHECK-LABEL: quern.entry @parts(
// CHECK: %[[A:.*]] = quern.call @kernel(
// CHECK: %[[M:.*]] = quern.call @
// CHECK: %[[B:.*]] = quern.call @{{.*}}, %[[M]])
// CHECK: %[[C:.*]] = quern.concat %[[A]], %[[B]] axis 1
// CHECK: quern.return %[[C]]
quern.entry @parts(%x: tensor<2x4xf32>) -> tensor<2x8xf32> {
  %a = quern.softmax %x : tensor<2x4xf32>
  %b = quern.reduce <max> %x : tensor<2x4xf32>
  %c = quern.map (%x, %b) : tensor<2x4xf32>, tensor<2x1xf32> -> tensor<2x4xf32> {
  ^bb0(%u: f32, %v: f32):
    %d = arith.subf %u, %v : f32
    quern.yield %d : f32
  }
  %0 = quern.concat %a, %c axis 1 : tensor<2x4xf32>, tensor<2x4xf32>
  quern.return %0 : tensor<2x8xf32>
}

// -----

quern.parameter @w : tensor<8x4xbf16> packing <panels13>

// How a parameter lies is said of the argument.
// CHECK: quern.kernel private @kernel(%{{.*}}: tensor<2x4xf32>, %{{.*}}: tensor<8x4xbf16> {quern.packing = #quern.packing<panels13>})
// CHECK-LABEL: quern.entry @compressed(
quern.entry @compressed(%x: tensor<2x4xf32>) -> tensor<2x8xf32> {
  %w = quern.param @w : tensor<8x4xbf16>
  %0 = quern.matmul %x, %w : tensor<2x4xf32>, tensor<8x4xbf16>
  quern.return %0 : tensor<2x8xf32>
}
