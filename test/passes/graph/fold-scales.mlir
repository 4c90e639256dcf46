// RUN: quern-opt %s --quern-fold-scales | FileCheck %s
// RUN: quern-opt %s --quern-fold-scales --remark-format=emitRemark --remarks-filter-missed=rewrite 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=APART

quern.parameter @w : tensor<16x8x3x3xf32>
quern.parameter @h : tensor<16x8x3x3xf16>
quern.parameter @s : tensor<16x1x1xf32>
quern.parameter @row : tensor<7xf32>

// The factor of an output multiplies its filter.
// CHECK-LABEL: quern.entry @fold(
// CHECK-SAME: %[[X:.*]]: tensor<1x8x9x9xf32>
// CHECK: %[[W:.*]] = quern.param @w
// CHECK: %[[S:.*]] = quern.param @s
// CHECK: %[[R:.*]] = quern.reshape %[[S]] : tensor<16x1x1xf32> to tensor<16x1x1x1xf32>
// CHECK: %[[F:.*]] = quern.mul %[[W]], %[[R]]
// CHECK: %[[Y:.*]] = quern.conv2d %[[X]], %[[F]] window [3, 3]
// CHECK-NEXT: quern.return %[[Y]]
quern.entry @fold(%x: tensor<1x8x9x9xf32>) -> tensor<1x16x7x7xf32> {
  %w = quern.param @w : tensor<16x8x3x3xf32>
  %s = quern.param @s : tensor<16x1x1xf32>
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x9x9xf32>, tensor<16x8x3x3xf32>
  %1 = quern.mul %0, %s : tensor<1x16x7x7xf32>, tensor<16x1x1xf32>
  quern.return %1 : tensor<1x16x7x7xf32>
}

// A factor per column is no factor of filters.
// APART-DAG: mul | {{.*}}Function=column | {{.*}}Reason="the factor is not one value per channel"
// CHECK-LABEL: quern.entry @column(
// CHECK: quern.conv2d
// CHECK-NEXT: quern.mul
quern.entry @column(%x: tensor<1x8x9x9xf32>) -> tensor<1x16x7x7xf32> {
  %w = quern.param @w : tensor<16x8x3x3xf32>
  %s = quern.param @row : tensor<7xf32>
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x9x9xf32>, tensor<16x8x3x3xf32>
  %1 = quern.mul %0, %s : tensor<1x16x7x7xf32>, tensor<7xf32>
  quern.return %1 : tensor<1x16x7x7xf32>
}

// Something else reads the convolution.
// APART-DAG: mul | {{.*}}Function=shared | {{.*}}Reason="the convolution has other users"
// CHECK-LABEL: quern.entry @shared(
// CHECK: quern.conv2d
// CHECK-NEXT: quern.mul
quern.entry @shared(%x: tensor<1x8x9x9xf32>) -> (tensor<1x16x7x7xf32>, tensor<1x16x7x7xf32>) {
  %w = quern.param @w : tensor<16x8x3x3xf32>
  %s = quern.param @s : tensor<16x1x1xf32>
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x9x9xf32>, tensor<16x8x3x3xf32>
  %1 = quern.mul %0, %s : tensor<1x16x7x7xf32>, tensor<16x1x1xf32>
  quern.return %0, %1 : tensor<1x16x7x7xf32>, tensor<1x16x7x7xf32>
}

// The factor is known at run time only.
// APART-DAG: mul | {{.*}}Function=late | {{.*}}Reason="weight or factor are known at run time only"
// CHECK-LABEL: quern.entry @late(
// CHECK: quern.conv2d
// CHECK-NEXT: quern.mul
quern.entry @late(%x: tensor<1x8x9x9xf32>, %s: tensor<16x1x1xf32>) -> tensor<1x16x7x7xf32> {
  %w = quern.param @w : tensor<16x8x3x3xf32>
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x9x9xf32>, tensor<16x8x3x3xf32>
  %1 = quern.mul %0, %s : tensor<1x16x7x7xf32>, tensor<16x1x1xf32>
  quern.return %1 : tensor<1x16x7x7xf32>
}

// A weight of 16 bits would become one of 32.
// APART-DAG: mul | {{.*}}Function=narrow | {{.*}}Reason="the weight is narrower than the factor"
// CHECK-LABEL: quern.entry @narrow(
// CHECK: quern.conv2d
// CHECK-NEXT: quern.mul
quern.entry @narrow(%x: tensor<1x8x9x9xf32>) -> tensor<1x16x7x7xf32> {
  %w = quern.param @h : tensor<16x8x3x3xf16>
  %s = quern.param @s : tensor<16x1x1xf32>
  %0 = quern.conv2d %x, %w window [3, 3] : tensor<1x8x9x9xf32>, tensor<16x8x3x3xf16>
  %1 = quern.mul %s, %0 : tensor<16x1x1xf32>, tensor<1x16x7x7xf32>
  quern.return %1 : tensor<1x16x7x7xf32>
}

// Nothing is convolved.
// APART-DAG: mul | {{.*}}Function=image | {{.*}}Reason="no operand is a convolution"
// CHECK-LABEL: quern.entry @image(
// CHECK: quern.mul
quern.entry @image(%x: tensor<1x16x7x7xf32>) -> tensor<1x16x7x7xf32> {
  %s = quern.param @s : tensor<16x1x1xf32>
  %0 = quern.mul %x, %s : tensor<1x16x7x7xf32>, tensor<16x1x1xf32>
  quern.return %0 : tensor<1x16x7x7xf32>
}
