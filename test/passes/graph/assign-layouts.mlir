// RUN: quern-opt %s --quern-assign-layouts | FileCheck %s

quern.parameter @w : tensor<16x8x3x3xf32>
quern.parameter @b : tensor<16x1x1xf32>

// One transpose at each end; the bias is per channel, the concat along the last axis.
// CHECK-LABEL: quern.entry @branches(
// CHECK-SAME: %[[X:.*]]: tensor<?x8x9x9xf32, #quern.dims<n>>
// CHECK: %[[I:.*]] = quern.transpose %[[X]] [0, 2, 3, 1]
// CHECK: %[[R:.*]] = quern.reshape %{{.*}} : tensor<16x3x3x8xf32> to tensor<16x72xf32>
// CHECK: %[[C:.*]] = quern.conv2d %[[I]], %[[R]] window [3, 3] pads [1, 1, 1, 1] layout <nhwc>
// CHECK: %[[B:.*]] = quern.reshape %{{.*}} : tensor<16x1x1xf32> to tensor<16xf32>
// CHECK: %[[A:.*]] = quern.add %[[C]], %[[B]]
// CHECK: %[[P:.*]] = quern.max_pool %{{.*}} window [3, 3] pads [1, 1, 1, 1] layout <nhwc>
// CHECK: %[[J:.*]] = quern.concat %[[A]], %[[P]] axis 3
// CHECK: %[[S:.*]] = quern.slice %[[J]] axis 3 offset 4 size 2
// CHECK: %[[O:.*]] = quern.transpose %[[S]] [0, 3, 1, 2]
// CHECK-NEXT: quern.return %[[O]]
quern.entry @branches(%x: tensor<?x8x9x9xf32, #quern.dims<n>>) -> tensor<?x2x9x9xf32, #quern.dims<n>> {
  %w = quern.param @w : tensor<16x8x3x3xf32>
  %b = quern.param @b : tensor<16x1x1xf32>
  %0 = quern.conv2d %x, %w window [3, 3] pads [1, 1, 1, 1] : tensor<?x8x9x9xf32, #quern.dims<n>>, tensor<16x8x3x3xf32>
  %1 = quern.add %0, %b : tensor<?x16x9x9xf32, #quern.dims<n>>, tensor<16x1x1xf32>
  %2 = quern.max_pool %x window [3, 3] pads [1, 1, 1, 1] : tensor<?x8x9x9xf32, #quern.dims<n>>
  %3 = quern.concat %1, %2 axis 1 : tensor<?x16x9x9xf32, #quern.dims<n>>, tensor<?x8x9x9xf32, #quern.dims<n>>
  %4 = quern.slice %3 axis 1 offset 4 size 2 : tensor<?x24x9x9xf32, #quern.dims<n>>
  quern.return %4 : tensor<?x2x9x9xf32, #quern.dims<n>>
}

// Of one place the order of axes does not matter: a reshape.
// CHECK-LABEL: quern.entry @point(
// CHECK: %[[P:.*]] = quern.avg_pool %{{.*}} window [9, 9] layout <nhwc>
// CHECK-NOT: quern.transpose
// CHECK: quern.reshape %[[P]] : tensor<1x1x1x8xf32> to tensor<1x8x1x1xf32>
quern.entry @point(%x: tensor<1x8x9x9xf32>) -> tensor<1x8xf32> {
  %0 = quern.avg_pool %x window [9, 9] : tensor<1x8x9x9xf32>
  %1 = quern.reshape %0 : tensor<1x8x1x1xf32> to tensor<1x8xf32>
  quern.return %1 : tensor<1x8xf32>
}

// What touches no image stays.
// CHECK-LABEL: quern.entry @none(
// CHECK-NEXT: quern.add %{{.*}} : tensor<1x8x9x9xf32>, tensor<9xf32>
// CHECK-NEXT: quern.return
quern.entry @none(%x: tensor<1x8x9x9xf32>, %y: tensor<9xf32>) -> tensor<1x8x9x9xf32> {
  %0 = quern.add %x, %y : tensor<1x8x9x9xf32>, tensor<9xf32>
  quern.return %0 : tensor<1x8x9x9xf32>
}
