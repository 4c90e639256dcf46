// RUN: quern-opt %s --quern-commute-pools | FileCheck %s
// RUN: quern-opt %s --quern-commute-pools --remark-format=emitRemark --remarks-filter-missed=rewrite 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=APART

quern.parameter @narrow : tensor<16x64x1x1xf32>
quern.parameter @wide : tensor<128x64x1x1xf32>
quern.parameter @window : tensor<16x64x3x3xf32>
quern.parameter @grouped : tensor<16x32x1x1xf32>
quern.parameter @rows : tensor<16x64xf32>
quern.parameter @bias : tensor<16x1x1xf32>

// Fewer channels to average; the bias stays behind both. The padding may count or not.
// CHECK-LABEL: quern.entry @to_narrow(
// CHECK-SAME: %[[X:.*]]: tensor<?x64x9x9xf32, #quern.dims<n>>
// CHECK: %[[W:.*]] = quern.param @narrow
// CHECK: %[[C:.*]] = quern.conv2d %[[X]], %[[W]] window [1, 1] : tensor<?x64x9x9xf32, #quern.dims<n>>
// CHECK: %[[P:.*]] = quern.avg_pool %[[C]] window [3, 3] pads [1, 1, 1, 1] : tensor<?x16x9x9xf32, #quern.dims<n>>
// CHECK: %[[S:.*]] = quern.add %[[P]]
// CHECK: quern.return %[[S]]
quern.entry @to_narrow(%x: tensor<?x64x9x9xf32, #quern.dims<n>>) -> tensor<?x16x9x9xf32, #quern.dims<n>> {
  %w = quern.param @narrow : tensor<16x64x1x1xf32>
  %b = quern.param @bias : tensor<16x1x1xf32>
  %0 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<?x64x9x9xf32, #quern.dims<n>>
  %1 = quern.conv2d %0, %w window [1, 1] : tensor<?x64x9x9xf32, #quern.dims<n>>, tensor<16x64x1x1xf32>
  %2 = quern.add %1, %b : tensor<?x16x9x9xf32, #quern.dims<n>>, tensor<16x1x1xf32>
  quern.return %2 : tensor<?x16x9x9xf32, #quern.dims<n>>
}

// In the layout of kernels, and where the padding counts.
// CHECK-LABEL: quern.entry @last(
// CHECK: quern.conv2d {{.*}} layout <nhwc> : tensor<1x9x9x64xf32>
// CHECK: quern.avg_pool {{.*}} include_pad layout <nhwc> : tensor<1x9x9x16xf32>
quern.entry @last(%x: tensor<1x9x9x64xf32>) -> tensor<1x9x9x16xf32> {
  %w = quern.param @rows : tensor<16x64xf32>
  %0 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] include_pad layout <nhwc> : tensor<1x9x9x64xf32>
  %1 = quern.conv2d %0, %w window [1, 1] layout <nhwc> : tensor<1x9x9x64xf32>, tensor<16x64xf32>
  quern.return %1 : tensor<1x9x9x16xf32>
}

// More channels to average.
// APART-DAG: conv2d | {{.*}}Function=to_wide | {{.*}}Reason="the convolution first would be more work"
// CHECK-LABEL: quern.entry @to_wide(
// CHECK: quern.avg_pool
// CHECK-NEXT: quern.conv2d
quern.entry @to_wide(%x: tensor<1x64x9x9xf32>) -> tensor<1x128x9x9xf32> {
  %w = quern.param @wide : tensor<128x64x1x1xf32>
  %0 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<1x64x9x9xf32>
  %1 = quern.conv2d %0, %w window [1, 1] : tensor<1x64x9x9xf32>, tensor<128x64x1x1xf32>
  quern.return %1 : tensor<1x128x9x9xf32>
}

// The convolution of one place would be one of 81.
// APART-DAG: conv2d | {{.*}}Function=global | {{.*}}Reason="the convolution first would be more work"
// CHECK-LABEL: quern.entry @global(
// CHECK: quern.avg_pool
// CHECK-NEXT: quern.conv2d
quern.entry @global(%x: tensor<1x64x9x9xf32>) -> tensor<1x16x1x1xf32> {
  %w = quern.param @narrow : tensor<16x64x1x1xf32>
  %0 = quern.avg_pool %x window [9, 9] : tensor<1x64x9x9xf32>
  %1 = quern.conv2d %0, %w window [1, 1] : tensor<1x64x1x1xf32>, tensor<16x64x1x1xf32>
  quern.return %1 : tensor<1x16x1x1xf32>
}

// A window, strides or padding of the convolution see other places than the pool's.
// APART-DAG: conv2d | {{.*}}Function=to_window | {{.*}}Reason="the convolution does not read single places"
// CHECK-LABEL: quern.entry @to_window(
// CHECK: quern.avg_pool
// CHECK-NEXT: quern.conv2d
// CHECK: quern.avg_pool
// CHECK-NEXT: quern.conv2d
// CHECK: quern.avg_pool
// CHECK-NEXT: quern.conv2d
quern.entry @to_window(%x: tensor<1x64x9x9xf32>) -> (tensor<1x16x7x7xf32>, tensor<1x16x5x5xf32>, tensor<1x16x11x11xf32>) {
  %w = quern.param @window : tensor<16x64x3x3xf32>
  %0 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<1x64x9x9xf32>
  %1 = quern.conv2d %0, %w window [3, 3] : tensor<1x64x9x9xf32>, tensor<16x64x3x3xf32>
  %n = quern.param @narrow : tensor<16x64x1x1xf32>
  %2 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<1x64x9x9xf32>
  %3 = quern.conv2d %2, %n window [1, 1] strides [2, 2] : tensor<1x64x9x9xf32>, tensor<16x64x1x1xf32>
  %4 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<1x64x9x9xf32>
  %5 = quern.conv2d %4, %n window [1, 1] pads [1, 1, 1, 1] : tensor<1x64x9x9xf32>, tensor<16x64x1x1xf32>
  quern.return %1, %3, %5 : tensor<1x16x7x7xf32>, tensor<1x16x5x5xf32>, tensor<1x16x11x11xf32>
}

// APART-DAG: conv2d | {{.*}}Function=to_grouped | {{.*}}Reason="the convolution does not read single places"
// CHECK-LABEL: quern.entry @to_grouped(
// CHECK: quern.avg_pool
// CHECK-NEXT: quern.conv2d
quern.entry @to_grouped(%x: tensor<1x64x9x9xf32>) -> tensor<1x16x9x9xf32> {
  %w = quern.param @grouped : tensor<16x32x1x1xf32>
  %0 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<1x64x9x9xf32>
  %1 = quern.conv2d %0, %w window [1, 1] groups 2 : tensor<1x64x9x9xf32>, tensor<16x32x1x1xf32>
  quern.return %1 : tensor<1x16x9x9xf32>
}

// Something else reads the averages.
// APART-DAG: conv2d | {{.*}}Function=shared | {{.*}}Reason="the pool has other users"
// CHECK-LABEL: quern.entry @shared(
// CHECK: quern.avg_pool
// CHECK-NEXT: quern.conv2d
quern.entry @shared(%x: tensor<1x64x9x9xf32>) -> (tensor<1x64x9x9xf32>, tensor<1x16x9x9xf32>) {
  %w = quern.param @narrow : tensor<16x64x1x1xf32>
  %0 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<1x64x9x9xf32>
  %1 = quern.conv2d %0, %w window [1, 1] : tensor<1x64x9x9xf32>, tensor<16x64x1x1xf32>
  quern.return %0, %1 : tensor<1x64x9x9xf32>, tensor<1x16x9x9xf32>
}

// A largest value is not linear.
// APART-DAG: conv2d | {{.*}}Function=largest | {{.*}}Reason="the input is no average pool"
// CHECK-LABEL: quern.entry @largest(
// CHECK: quern.max_pool
// CHECK-NEXT: quern.conv2d
quern.entry @largest(%x: tensor<1x64x9x9xf32>) -> tensor<1x16x9x9xf32> {
  %w = quern.param @narrow : tensor<16x64x1x1xf32>
  %0 = quern.max_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<1x64x9x9xf32>
  %1 = quern.conv2d %0, %w window [1, 1] : tensor<1x64x9x9xf32>, tensor<16x64x1x1xf32>
  quern.return %1 : tensor<1x16x9x9xf32>
}

// What is a channel to the one is a column to the other.
// APART-DAG: conv2d | {{.*}}Function=layouts | {{.*}}Reason="pool and convolution have different layouts"
// CHECK-LABEL: quern.entry @layouts(
// CHECK: quern.avg_pool
// CHECK-NEXT: quern.conv2d
quern.entry @layouts(%x: tensor<1x64x64x64xf32>) -> tensor<1x64x64x16xf32> {
  %w = quern.param @rows : tensor<16x64xf32>
  %0 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<1x64x64x64xf32>
  %1 = quern.conv2d %0, %w window [1, 1] layout <nhwc> : tensor<1x64x64x64xf32>, tensor<16x64xf32>
  quern.return %1 : tensor<1x64x64x16xf32>
}
