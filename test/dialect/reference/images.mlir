// RUN: quern-eval %s --entry images --in x=1,2,3,4,5,6,7,8,9 --in w=1,0,0,1 | FileCheck %s

// x(y, x) + x(y + 1, x + 1)
// CHECK: 0: tensor<1x1x2x2xf32>
// CHECK-NEXT: 6 8
// CHECK-NEXT: 12 14
// The last windows hang over the image.
// CHECK-NEXT: 1: tensor<1x1x2x2xf32>
// CHECK-NEXT: 5 6
// CHECK-NEXT: 8 9
// One row above and one column to the left: 1 place, 2, 2 and 4; or 4 with the padding.
// CHECK-NEXT: 2: tensor<1x1x2x2xf32>
// CHECK-NEXT: 1 2.5
// CHECK-NEXT: 5.5 7
// CHECK-NEXT: 3: tensor<1x1x2x2xf32>
// CHECK-NEXT: 0.25 1.25
// CHECK-NEXT: 2.75 7
quern.entry @images(%x: tensor<1x1x3x3xf32>, %w: tensor<1x1x2x2xf32>)
    -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>)
    attributes {arg_names = ["x", "w"]} {
  %0 = quern.conv2d %x, %w window [2, 2] : tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>
  %1 = quern.max_pool %x window [2, 2] strides [2, 2] ceil : tensor<1x1x3x3xf32>
  %2 = quern.avg_pool %x window [2, 2] strides [2, 2] pads [1, 0, 1, 0] : tensor<1x1x3x3xf32>
  %3 = quern.avg_pool %x window [2, 2] strides [2, 2] pads [1, 0, 1, 0] include_pad : tensor<1x1x3x3xf32>
  quern.return %0, %1, %2, %3 : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}
