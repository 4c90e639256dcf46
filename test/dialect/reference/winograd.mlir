// Convolution by minimal filtering gives what the convolution gives, up to rounding: the largest squared difference for each
// tile, relative to the largest squared result, of 64 channels. The bound is an error of 3e-5.
//
// RUN: quern-eval %s --entry square | FileCheck %s
// RUN: quern-eval %s --entry large | FileCheck %s
// RUN: quern-eval %s --entry line | FileCheck %s

// CHECK: tensor<1x1xf32>
// CHECK-NEXT: {{^[0-9.]+e-1[0-9]$}}
// CHECK: tensor<1x1xf32>
// CHECK-NEXT: {{^[0-9.]+e-1[0-9]$}}
// CHECK: tensor<1x1xf32>
// CHECK-NEXT: {{^[0-9.]+e-1[0-9]$}}

quern.parameter @w3 : tensor<16x576xf32>
quern.parameter @w5 : tensor<16x1600xf32>
quern.parameter @w7 : tensor<16x448xf32>

// F(2, 3), F(4, 3) and F(2, 5), both ways.
quern.entry @square(%x: tensor<1x7x9x64xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>) attributes {arg_names = ["x"]} {
  %w3 = quern.param @w3 : tensor<16x576xf32>
  %0 = quern.conv2d %x, %w3 window [3, 3] pads [1, 1, 1, 1] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x576xf32>
  %1 = quern.winograd_filter %w3 window [3, 3] tile [2, 2] : tensor<16x576xf32>
  %2 = quern.winograd %x, %1 window [3, 3] tile [2, 2] pads [1, 1, 1, 1] : tensor<1x7x9x64xf32>, tensor<16x1024xf32>
  %3 = quern.sub %0, %2 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %4 = quern.mul %3, %3 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %5 = quern.mul %0, %0 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %6 = quern.reshape %4 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %7 = quern.reshape %5 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %8 = quern.reduce <max> %6 : tensor<1x1008xf32>
  %9 = quern.reduce <max> %7 : tensor<1x1008xf32>
  %10 = quern.div %8, %9 : tensor<1x1xf32>, tensor<1x1xf32>
  %11 = quern.conv2d %x, %w3 window [3, 3] pads [1, 1, 1, 1] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x576xf32>
  %12 = quern.winograd_filter %w3 window [3, 3] tile [4, 4] : tensor<16x576xf32>
  %13 = quern.winograd %x, %12 window [3, 3] tile [4, 4] pads [1, 1, 1, 1] : tensor<1x7x9x64xf32>, tensor<16x2304xf32>
  %14 = quern.sub %11, %13 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %15 = quern.mul %14, %14 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %16 = quern.mul %11, %11 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %17 = quern.reshape %15 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %18 = quern.reshape %16 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %19 = quern.reduce <max> %17 : tensor<1x1008xf32>
  %20 = quern.reduce <max> %18 : tensor<1x1008xf32>
  %21 = quern.div %19, %20 : tensor<1x1xf32>, tensor<1x1xf32>
  %w5 = quern.param @w5 : tensor<16x1600xf32>
  %22 = quern.conv2d %x, %w5 window [5, 5] pads [2, 2, 2, 2] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x1600xf32>
  %23 = quern.winograd_filter %w5 window [5, 5] tile [2, 2] : tensor<16x1600xf32>
  %24 = quern.winograd %x, %23 window [5, 5] tile [2, 2] pads [2, 2, 2, 2] : tensor<1x7x9x64xf32>, tensor<16x2304xf32>
  %25 = quern.sub %22, %24 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %26 = quern.mul %25, %25 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %27 = quern.mul %22, %22 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %28 = quern.reshape %26 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %29 = quern.reshape %27 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %30 = quern.reduce <max> %28 : tensor<1x1008xf32>
  %31 = quern.reduce <max> %29 : tensor<1x1008xf32>
  %32 = quern.div %30, %31 : tensor<1x1xf32>, tensor<1x1xf32>
  quern.return %10, %21, %32 : tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>
}

// F(5, 3), F(6, 3) and F(4, 5), both ways: up to 8 points.
quern.entry @large(%x: tensor<1x7x9x64xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>) attributes {arg_names = ["x"]} {
  %w3 = quern.param @w3 : tensor<16x576xf32>
  %0 = quern.conv2d %x, %w3 window [3, 3] pads [1, 1, 1, 1] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x576xf32>
  %1 = quern.winograd_filter %w3 window [3, 3] tile [5, 5] : tensor<16x576xf32>
  %2 = quern.winograd %x, %1 window [3, 3] tile [5, 5] pads [1, 1, 1, 1] : tensor<1x7x9x64xf32>, tensor<16x3136xf32>
  %3 = quern.sub %0, %2 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %4 = quern.mul %3, %3 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %5 = quern.mul %0, %0 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %6 = quern.reshape %4 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %7 = quern.reshape %5 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %8 = quern.reduce <max> %6 : tensor<1x1008xf32>
  %9 = quern.reduce <max> %7 : tensor<1x1008xf32>
  %10 = quern.div %8, %9 : tensor<1x1xf32>, tensor<1x1xf32>
  %11 = quern.conv2d %x, %w3 window [3, 3] pads [1, 1, 1, 1] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x576xf32>
  %12 = quern.winograd_filter %w3 window [3, 3] tile [6, 6] : tensor<16x576xf32>
  %13 = quern.winograd %x, %12 window [3, 3] tile [6, 6] pads [1, 1, 1, 1] : tensor<1x7x9x64xf32>, tensor<16x4096xf32>
  %14 = quern.sub %11, %13 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %15 = quern.mul %14, %14 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %16 = quern.mul %11, %11 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %17 = quern.reshape %15 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %18 = quern.reshape %16 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %19 = quern.reduce <max> %17 : tensor<1x1008xf32>
  %20 = quern.reduce <max> %18 : tensor<1x1008xf32>
  %21 = quern.div %19, %20 : tensor<1x1xf32>, tensor<1x1xf32>
  %w5 = quern.param @w5 : tensor<16x1600xf32>
  %22 = quern.conv2d %x, %w5 window [5, 5] pads [2, 2, 2, 2] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x1600xf32>
  %23 = quern.winograd_filter %w5 window [5, 5] tile [4, 4] : tensor<16x1600xf32>
  %24 = quern.winograd %x, %23 window [5, 5] tile [4, 4] pads [2, 2, 2, 2] : tensor<1x7x9x64xf32>, tensor<16x4096xf32>
  %25 = quern.sub %22, %24 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %26 = quern.mul %25, %25 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %27 = quern.mul %22, %22 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %28 = quern.reshape %26 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %29 = quern.reshape %27 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %30 = quern.reduce <max> %28 : tensor<1x1008xf32>
  %31 = quern.reduce <max> %29 : tensor<1x1008xf32>
  %32 = quern.div %30, %31 : tensor<1x1xf32>, tensor<1x1xf32>
  quern.return %10, %21, %32 : tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>
}

// F(2, 7), F(3, 7) and F(4, 7), along one axis: up to 10 points.
quern.entry @line(%x: tensor<1x7x9x64xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>) attributes {arg_names = ["x"]} {
  %w7 = quern.param @w7 : tensor<16x448xf32>
  %0 = quern.conv2d %x, %w7 window [1, 7] pads [0, 0, 3, 3] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x448xf32>
  %1 = quern.winograd_filter %w7 window [1, 7] tile [1, 2] : tensor<16x448xf32>
  %2 = quern.winograd %x, %1 window [1, 7] tile [1, 2] pads [0, 0, 3, 3] : tensor<1x7x9x64xf32>, tensor<16x512xf32>
  %3 = quern.sub %0, %2 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %4 = quern.mul %3, %3 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %5 = quern.mul %0, %0 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %6 = quern.reshape %4 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %7 = quern.reshape %5 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %8 = quern.reduce <max> %6 : tensor<1x1008xf32>
  %9 = quern.reduce <max> %7 : tensor<1x1008xf32>
  %10 = quern.div %8, %9 : tensor<1x1xf32>, tensor<1x1xf32>
  %11 = quern.conv2d %x, %w7 window [7, 1] pads [3, 3, 0, 0] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x448xf32>
  %12 = quern.winograd_filter %w7 window [7, 1] tile [3, 1] : tensor<16x448xf32>
  %13 = quern.winograd %x, %12 window [7, 1] tile [3, 1] pads [3, 3, 0, 0] : tensor<1x7x9x64xf32>, tensor<16x576xf32>
  %14 = quern.sub %11, %13 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %15 = quern.mul %14, %14 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %16 = quern.mul %11, %11 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %17 = quern.reshape %15 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %18 = quern.reshape %16 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %19 = quern.reduce <max> %17 : tensor<1x1008xf32>
  %20 = quern.reduce <max> %18 : tensor<1x1008xf32>
  %21 = quern.div %19, %20 : tensor<1x1xf32>, tensor<1x1xf32>
  %22 = quern.conv2d %x, %w7 window [7, 1] pads [3, 3, 0, 0] layout <nhwc> : tensor<1x7x9x64xf32>, tensor<16x448xf32>
  %23 = quern.winograd_filter %w7 window [7, 1] tile [4, 1] : tensor<16x448xf32>
  %24 = quern.winograd %x, %23 window [7, 1] tile [4, 1] pads [3, 3, 0, 0] : tensor<1x7x9x64xf32>, tensor<16x640xf32>
  %25 = quern.sub %22, %24 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %26 = quern.mul %25, %25 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %27 = quern.mul %22, %22 : tensor<1x7x9x16xf32>, tensor<1x7x9x16xf32>
  %28 = quern.reshape %26 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %29 = quern.reshape %27 : tensor<1x7x9x16xf32> to tensor<1x1008xf32>
  %30 = quern.reduce <max> %28 : tensor<1x1008xf32>
  %31 = quern.reduce <max> %29 : tensor<1x1008xf32>
  %32 = quern.div %30, %31 : tensor<1x1xf32>, tensor<1x1xf32>
  quern.return %10, %21, %32 : tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>
}
