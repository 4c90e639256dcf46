// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: quern.entry @images
quern.entry @images(%x: tensor<?x8x9x9xf32, #quern.dims<n>>, %w: tensor<16x8x3x3xf32>, %g: tensor<16x4x1x3xf16>)
    -> tensor<?x16x5x5xf32, #quern.dims<n>> {
  // CHECK: quern.conv2d %{{.+}}, %{{.+}} window [3, 3] strides [2, 2] pads [1, 1, 1, 1] : tensor<?x8x9x9xf32, #quern.dims<n>>, tensor<16x8x3x3xf32>
  %0 = quern.conv2d %x, %w window [3, 3] strides [2, 2] pads [1, 1, 1, 1] : tensor<?x8x9x9xf32, #quern.dims<n>>, tensor<16x8x3x3xf32>
  // CHECK: quern.conv2d %{{.+}}, %{{.+}} window [1, 3] dilations [1, 2] groups 2 : tensor<?x8x9x9xf32, #quern.dims<n>>, tensor<16x4x1x3xf16>
  %1 = quern.conv2d %x, %g window [1, 3] dilations [1, 2] groups 2 : tensor<?x8x9x9xf32, #quern.dims<n>>, tensor<16x4x1x3xf16>
  // CHECK: quern.max_pool %{{.+}} window [3, 3] strides [2, 2] ceil : tensor<?x8x9x9xf32, #quern.dims<n>>
  %2 = quern.max_pool %x window [3, 3] strides [2, 2] ceil : tensor<?x8x9x9xf32, #quern.dims<n>>
  // CHECK: quern.avg_pool %{{.+}} window [3, 3] pads [1, 1, 1, 1] include_pad : tensor<?x8x9x9xf32, #quern.dims<n>>
  %3 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] include_pad : tensor<?x8x9x9xf32, #quern.dims<n>>
  quern.return %0 : tensor<?x16x5x5xf32, #quern.dims<n>>
}

// Sizes with channels last; the weight has a row per output.
// CHECK-LABEL: quern.entry @channels_last
quern.entry @channels_last(%x: tensor<1x9x9x8xf32>, %w: tensor<16x72xf32>) -> (tensor<1x7x7x16xf32>, tensor<1x4x4x8xf32>) {
  // CHECK: quern.conv2d %{{.+}}, %{{.+}} window [3, 3] layout <nhwc> : tensor<1x9x9x8xf32>, tensor<16x72xf32>
  %0 = quern.conv2d %x, %w window [3, 3] layout <nhwc> : tensor<1x9x9x8xf32>, tensor<16x72xf32>
  // CHECK: quern.avg_pool %{{.+}} window [3, 3] strides [2, 2] layout <nhwc> : tensor<1x9x9x8xf32>
  %1 = quern.avg_pool %x window [3, 3] strides [2, 2] layout <nhwc> : tensor<1x9x9x8xf32>
  quern.return %0, %1 : tensor<1x7x7x16xf32>, tensor<1x4x4x8xf32>
}

// CHECK-LABEL: quern.entry @winograd
quern.entry @winograd(%x: tensor<?x9x9x8xf32, #quern.dims<n>>, %w: tensor<16x72xf32>, %r: tensor<16x80xf32>)
    -> tensor<?x9x9x16xf32, #quern.dims<n>> {
  // CHECK: %[[FILTER:.+]] = quern.winograd_filter %{{.+}} window [3, 3] tile [4, 4] : tensor<16x72xf32>
  %0 = quern.winograd_filter %w window [3, 3] tile [4, 4] : tensor<16x72xf32>
  // CHECK: quern.winograd %{{.+}}, %[[FILTER]] window [3, 3] tile [4, 4] pads [1, 1, 1, 1] : tensor<?x9x9x8xf32, #quern.dims<n>>, tensor<16x288xf32>
  %1 = quern.winograd %x, %0 window [3, 3] tile [4, 4] pads [1, 1, 1, 1] : tensor<?x9x9x8xf32, #quern.dims<n>>, tensor<16x288xf32>
  // CHECK: quern.winograd %{{.+}}, %{{.+}} window [1, 7] tile [1, 4] : tensor<?x9x9x8xf32, #quern.dims<n>>, tensor<16x80xf32>
  %2 = quern.winograd %x, %r window [1, 7] tile [1, 4] : tensor<?x9x9x8xf32, #quern.dims<n>>, tensor<16x80xf32>
  quern.return %1 : tensor<?x9x9x16xf32, #quern.dims<n>>
}
