// RUN: quern-opt %s --quern-select-winograd | FileCheck %s
// RUN: quern-opt %s --quern-select-winograd --remark-format=emitRemark --remarks-filter-missed=fusion 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=APART
// RUN: quern-opt %s --quern-select-winograd=bf16 | FileCheck %s --check-prefix=BF16

quern.parameter @w3 : tensor<96x576xf32>
quern.parameter @w5 : tensor<64x1200xf32>
quern.parameter @w7 : tensor<192x1344xf32>
quern.parameter @point : tensor<192x768xf32>
quern.parameter @half : tensor<96x576xf16>
quern.parameter @grouped : tensor<96x288xf32>
quern.parameter @odd : tensor<24x144xf32>
quern.parameter @colours : tensor<32x27xf32>

// The larger the tile, the fewer products: seven tiles of 5 cover 35 places. The batch does not matter.
// CHECK-LABEL: quern.entry @square(
// BF16-LABEL: quern.entry @square(
// BF16: quern.winograd %{{.*}} window [3, 3] tile [5, 5]
// CHECK: %[[W:.*]] = quern.param @w3
// CHECK: %[[F:.*]] = quern.winograd_filter %[[W]] window [3, 3] tile [5, 5]
// CHECK: quern.winograd %{{.*}}, %[[F]] window [3, 3] tile [5, 5] pads [1, 1, 1, 1]
quern.entry @square(%x: tensor<?x35x35x64xf32, #quern.dims<n>>) -> tensor<?x35x35x96xf32, #quern.dims<n>> {
  %w = quern.param @w3 : tensor<96x576xf32>
  %0 = quern.conv2d %x, %w window [3, 3] pads [1, 1, 1, 1] layout <nhwc> : tensor<?x35x35x64xf32, #quern.dims<n>>, tensor<96x576xf32>
  quern.return %0 : tensor<?x35x35x96xf32, #quern.dims<n>>
}

// Eight points for each axis are the most in two dimensions.
// CHECK-LABEL: quern.entry @large(
// CHECK: quern.winograd %{{.*}} window [5, 5] tile [4, 4]
quern.entry @large(%x: tensor<1x35x35x48xf32>) -> tensor<1x35x35x64xf32> {
  %w = quern.param @w5 : tensor<64x1200xf32>
  %0 = quern.conv2d %x, %w window [5, 5] pads [2, 2, 2, 2] layout <nhwc> : tensor<1x35x35x48xf32>, tensor<64x1200xf32>
  quern.return %0 : tensor<1x35x35x64xf32>
}

// One dimension saves fewer products: bf16 makes them all faster than these.
// BF16-LABEL: quern.entry @lines(
// BF16-NOT: quern.winograd
// BF16-LABEL: quern.entry @refused(
// CHECK-LABEL: quern.entry @lines(
// CHECK: quern.winograd %{{.*}} window [1, 7] tile [1, 4]
// CHECK: quern.winograd %{{.*}} window [7, 1] tile [4, 1]
quern.entry @lines(%x: tensor<1x17x17x192xf32>) -> tensor<1x17x17x192xf32> {
  %w = quern.param @w7 : tensor<192x1344xf32>
  %0 = quern.conv2d %x, %w window [1, 7] pads [0, 0, 3, 3] layout <nhwc> : tensor<1x17x17x192xf32>, tensor<192x1344xf32>
  %1 = quern.conv2d %0, %w window [7, 1] pads [3, 3, 0, 0] layout <nhwc> : tensor<1x17x17x192xf32>, tensor<192x1344xf32>
  quern.return %1 : tensor<1x17x17x192xf32>
}

// What has no such form: strides, gaps, groups, windows of one place, other elements, broken panels, weights not yet known.
// APART-DAG: conv2d | {{.*}}Function=refused | {{.*}}Reason="the window moves by more than one place, has gaps, or sees a group of channels only"
// APART-DAG: conv2d | {{.*}}Function=refused | {{.*}}Reason="a window of one place has no products to save"
// APART-DAG: conv2d | {{.*}}Function=refused | {{.*}}Reason="the image has its channels outermost or the weight is not f32"
// APART-DAG: conv2d | {{.*}}Function=refused | {{.*}}Reason="the result's channels do not fill whole panels"
// APART-DAG: conv2d | {{.*}}Function=refused | {{.*}}Reason="the weight is known at run time only"
// CHECK-LABEL: quern.entry @refused(
// CHECK-NOT: quern.winograd
// CHECK-COUNT-7: quern.conv2d
quern.entry @refused(%x: tensor<1x35x35x64xf32>, %y: tensor<1x17x17x768xf32>, %z: tensor<1x9x9x16xf32>, %w: tensor<96x576xf32>)
    -> (tensor<1x17x17x96xf32>, tensor<1x33x31x96xf32>, tensor<1x33x33x96xf32>, tensor<1x17x17x192xf32>, tensor<1x33x33x96xf32>,
        tensor<1x7x7x24xf32>, tensor<1x33x33x96xf32>) {
  %w3 = quern.param @w3 : tensor<96x576xf32>
  %0 = quern.conv2d %x, %w3 window [3, 3] strides [2, 2] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<96x576xf32>
  %1 = quern.conv2d %x, %w3 window [3, 3] dilations [1, 2] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<96x576xf32>
  %grouped = quern.param @grouped : tensor<96x288xf32>
  %2 = quern.conv2d %x, %grouped window [3, 3] groups 2 layout <nhwc> : tensor<1x35x35x64xf32>, tensor<96x288xf32>
  %point = quern.param @point : tensor<192x768xf32>
  %3 = quern.conv2d %y, %point window [1, 1] layout <nhwc> : tensor<1x17x17x768xf32>, tensor<192x768xf32>
  %half = quern.param @half : tensor<96x576xf16>
  %4 = quern.conv2d %x, %half window [3, 3] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<96x576xf16>
  %odd = quern.param @odd : tensor<24x144xf32>
  %5 = quern.conv2d %z, %odd window [3, 3] layout <nhwc> : tensor<1x9x9x16xf32>, tensor<24x144xf32>
  %6 = quern.conv2d %x, %w window [3, 3] layout <nhwc> : tensor<1x35x35x64xf32>, tensor<96x576xf32>
  quern.return %0, %1, %2, %3, %4, %5, %6 : tensor<1x17x17x96xf32>, tensor<1x33x31x96xf32>, tensor<1x33x33x96xf32>,
      tensor<1x17x17x192xf32>, tensor<1x33x33x96xf32>, tensor<1x7x7x24xf32>, tensor<1x33x33x96xf32>
}

// Three channels: the transforms would cost more than all products.
// APART-DAG: conv2d | {{.*}}Function=costly | {{.*}}Reason="transforms would cost more than the products they save"
// CHECK-LABEL: quern.entry @costly(
// CHECK-NOT: quern.winograd
// CHECK: quern.conv2d
quern.entry @costly(%x: tensor<1x149x149x3xf32>) -> tensor<1x147x147x32xf32> {
  %w = quern.param @colours : tensor<32x27xf32>
  %0 = quern.conv2d %x, %w window [3, 3] layout <nhwc> : tensor<1x149x149x3xf32>, tensor<32x27xf32>
  quern.return %0 : tensor<1x147x147x32xf32>
}
