// RUN: quern-opt %s --quern-flatten-products | FileCheck %s
// RUN: quern-opt %s --quern-flatten-products --remark-format=emitRemark --remarks-filter-missed=rewrite 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=APART

quern.parameter @w : tensor<8x4xf32>
quern.parameter @per_head : tensor<24x4xf32>

// All sizes are static: one product.
// CHECK-LABEL: quern.entry @static(
// CHECK: %[[ROWS:.*]] = quern.reshape %arg0 : tensor<2x3x4xf32> to tensor<6x4xf32>
// CHECK: %[[PRODUCT:.*]] = quern.matmul %[[ROWS]], %{{.*}} : tensor<6x4xf32>, tensor<8x4xf32>
// CHECK: %[[RESULT:.*]] = quern.reshape %[[PRODUCT]] : tensor<6x8xf32> to tensor<2x3x8xf32>
// CHECK: quern.return %[[RESULT]]
quern.entry @static(%x: tensor<2x3x4xf32>) -> tensor<2x3x8xf32> {
  %w = quern.param @w : tensor<8x4xf32>
  %0 = quern.matmul %x, %w : tensor<2x3x4xf32>, tensor<8x4xf32>
  quern.return %0 : tensor<2x3x8xf32>
}

// One axis besides is 1: the same rows.
// CHECK-LABEL: quern.entry @narrow(
// CHECK: quern.reshape %arg0 : tensor<?x1x4xf32, #quern.dims<s>> to tensor<?x4xf32, #quern.dims<s>>
// CHECK: quern.matmul {{.*}} : tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>
quern.entry @narrow(%x: tensor<?x1x4xf32, #quern.dims<s>>) -> tensor<?x1x8xf32, #quern.dims<s>> {
  %w = quern.param @w : tensor<8x4xf32>
  %0 = quern.matmul %x, %w : tensor<?x1x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  quern.return %0 : tensor<?x1x8xf32, #quern.dims<s>>
}

// A product for each index of the static axis.
// CHECK-LABEL: quern.entry @split(
// CHECK: %[[FIRST:.*]] = quern.slice %arg0 axis 1 offset 0 size 1
// CHECK: %[[FIRST_ROWS:.*]] = quern.reshape %[[FIRST]] : tensor<?x1x4xf32, #quern.dims<s>> to tensor<?x4xf32, #quern.dims<s>>
// CHECK: %[[FIRST_PRODUCT:.*]] = quern.matmul %[[FIRST_ROWS]]
// CHECK: %[[A:.*]] = quern.reshape %[[FIRST_PRODUCT]] : tensor<?x8xf32, #quern.dims<s>> to tensor<?x1x8xf32, #quern.dims<s>>
// CHECK: quern.slice %arg0 axis 1 offset 1 size 1
// CHECK: quern.matmul
// CHECK: %[[B:.*]] = quern.reshape
// CHECK: %[[ALL:.*]] = quern.concat %[[A]], %[[B]] axis 1
// CHECK: quern.return %[[ALL]]
quern.entry @split(%x: tensor<?x2x4xf32, #quern.dims<s>>) -> tensor<?x2x8xf32, #quern.dims<s>> {
  %w = quern.param @w : tensor<8x4xf32>
  %0 = quern.matmul %x, %w : tensor<?x2x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  quern.return %0 : tensor<?x2x8xf32, #quern.dims<s>>
}

// Of four axes each static one in its turn.
// CHECK-LABEL: quern.entry @four(
// CHECK-COUNT-6: quern.matmul {{.*}} : tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>
// CHECK-NOT: quern.matmul
// CHECK: quern.return
quern.entry @four(%x: tensor<2x?x3x4xf32, #quern.dims<s>>) -> tensor<2x?x3x8xf32, #quern.dims<s>> {
  %w = quern.param @w : tensor<8x4xf32>
  %0 = quern.matmul %x, %w : tensor<2x?x3x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  quern.return %0 : tensor<2x?x3x8xf32, #quern.dims<s>>
}

// APART-DAG: Function=rows {{.*}}Reason="the left side has rows alone"
// CHECK-LABEL: quern.entry @rows(
// CHECK-NOT: quern.reshape
// CHECK: quern.return
quern.entry @rows(%x: tensor<2x4xf32>) -> tensor<2x8xf32> {
  %w = quern.param @w : tensor<8x4xf32>
  %0 = quern.matmul %x, %w : tensor<2x4xf32>, tensor<8x4xf32>
  quern.return %0 : tensor<2x8xf32>
}

// APART-DAG: Function=batch {{.*}}Reason="rows have weights of their own"
// CHECK-LABEL: quern.entry @batch(
// CHECK-NOT: quern.reshape
// CHECK: quern.return
quern.entry @batch(%x: tensor<2x3x4xf32>) -> tensor<2x3x8xf32> {
  %w = quern.param @per_head : tensor<24x4xf32>
  %0 = quern.matmul %x, %w batch 3 : tensor<2x3x4xf32>, tensor<24x4xf32>
  quern.return %0 : tensor<2x3x8xf32>
}

// APART-DAG: Function=value {{.*}}Reason="the weight is no parameter"
// CHECK-LABEL: quern.entry @value(
// CHECK-NOT: quern.reshape
// CHECK: quern.return
quern.entry @value(%x: tensor<2x3x4xf32>, %w: tensor<8x4xf32>) -> tensor<2x3x8xf32> {
  %0 = quern.matmul %x, %w : tensor<2x3x4xf32>, tensor<8x4xf32>
  quern.return %0 : tensor<2x3x8xf32>
}

// APART-DAG: Function=open {{.*}}Reason="more than one size is known at run time only"
// CHECK-LABEL: quern.entry @open(
// CHECK-NOT: quern.reshape
// CHECK: quern.return
quern.entry @open(%x: tensor<?x?x4xf32, #quern.dims<s, t>>) -> tensor<?x?x8xf32, #quern.dims<s, t>> {
  %w = quern.param @w : tensor<8x4xf32>
  %0 = quern.matmul %x, %w : tensor<?x?x4xf32, #quern.dims<s, t>>, tensor<8x4xf32>
  quern.return %0 : tensor<?x?x8xf32, #quern.dims<s, t>>
}

// APART-DAG: Function=wide {{.*}}Reason="it would be too many products"
// CHECK-LABEL: quern.entry @wide(
// CHECK-NOT: quern.reshape
// CHECK: quern.return
quern.entry @wide(%x: tensor<?x17x4xf32, #quern.dims<s>>) -> tensor<?x17x8xf32, #quern.dims<s>> {
  %w = quern.param @w : tensor<8x4xf32>
  %0 = quern.matmul %x, %w : tensor<?x17x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  quern.return %0 : tensor<?x17x8xf32, #quern.dims<s>>
}
