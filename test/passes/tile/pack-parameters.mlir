// RUN: quern-opt %s --quern-pack-parameters | FileCheck %s

// Matrices of floats and of blocks lie by panels, computed ones too; vectors, images' filters and integers stay dense,
// and what a state starts as.
// CHECK: quern.parameter @floats : tensor<5x7xf32> packing <panels>
// CHECK: quern.parameter @halves : tensor<16x8xbf16> packing <panels>
// CHECK: quern.parameter @blocks : tensor<16x32x!quern.block<q4_1>> packing <panels>
// CHECK: quern.parameter @sum : tensor<5x7xf32> packing <panels> {
// CHECK: quern.parameter @vector : tensor<7xf32>{{$}}
// CHECK: quern.parameter @cube : tensor<2x5x7xf32>{{$}}
// CHECK: quern.parameter @indices : tensor<5x7xi32>{{$}}
quern.parameter @floats : tensor<5x7xf32>
quern.parameter @halves : tensor<16x8xbf16>
quern.parameter @blocks : tensor<16x32x!quern.block<q4_1>>
quern.parameter @sum : tensor<5x7xf32> {
  %0 = quern.param @floats : tensor<5x7xf32>
  %1 = quern.add %0, %0 : tensor<5x7xf32>, tensor<5x7xf32>
  quern.yield %1 : tensor<5x7xf32>
}
quern.parameter @vector : tensor<7xf32>
quern.parameter @cube : tensor<2x5x7xf32>
quern.parameter @indices : tensor<5x7xi32>
// CHECK: quern.parameter @start : tensor<5x7xf32>{{$}}
quern.parameter @start : tensor<5x7xf32>
quern.state variable @matrix : tensor<5x7xf32> starts @start
