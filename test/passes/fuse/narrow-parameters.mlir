// RUN: quern-opt %s --quern-narrow-parameters --split-input-file | FileCheck %s

// Numbers decide: 1 + 2^-7 is one of bf16, 1 + 2^-8 is none; f16's smallest is one; random numbers are none. Whatever reads the
// weight reads it narrow, as a table too.
// CHECK: quern.entry @numbers
// CHECK: %[[FITS:.*]] = quern.param @fits
// CHECK: %[[NARROW:.*]] = quern.cast %[[FITS]] : tensor<16x64xf16> to tensor<16x64xbf16>
// CHECK: %[[WIDE:.*]] = quern.param @wide
// CHECK: %[[RANDOM:.*]] = quern.param @random
// CHECK: quern.gather %[[NARROW]]
// CHECK: quern.matmul %{{.*}}, %[[NARROW]] : tensor<2x64xf32>, tensor<16x64xbf16>
// CHECK: quern.matmul %{{.*}}, %[[WIDE]] : tensor<2x64xf32>, tensor<16x64xf16>
// CHECK: quern.matmul %{{.*}}, %[[RANDOM]] : tensor<2x64xf32>, tensor<16x64xf16>
quern.parameter @fits : tensor<16x64xf16> {
  %0 = quern.constant dense<1.0078125> : tensor<16x32xf16>
  %1 = quern.constant dense<0x0001> : tensor<16x32xf16>
  %2 = quern.concat %0, %1 axis 1 : tensor<16x32xf16>, tensor<16x32xf16>
  quern.yield %2 : tensor<16x64xf16>
}
quern.parameter @wide : tensor<16x64xf16> {
  %0 = quern.constant dense<1.0> : tensor<15x64xf16>
  %1 = quern.constant dense<1.00390625> : tensor<1x64xf16>
  %2 = quern.concat %0, %1 axis 0 : tensor<15x64xf16>, tensor<1x64xf16>
  quern.yield %2 : tensor<16x64xf16>
}
quern.parameter @random : tensor<16x64xf16>
quern.entry @numbers(%i: tensor<2xi32>) -> (tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>) {
  %0 = quern.param @fits : tensor<16x64xf16>
  %1 = quern.param @wide : tensor<16x64xf16>
  %2 = quern.param @random : tensor<16x64xf16>
  %3 = quern.gather %0[%i] : tensor<16x64xf16>, tensor<2xi32>
  %4 = quern.matmul %3, %0 : tensor<2x64xf32>, tensor<16x64xf16>
  %5 = quern.matmul %3, %1 : tensor<2x64xf32>, tensor<16x64xf16>
  %6 = quern.matmul %3, %2 : tensor<2x64xf32>, tensor<16x64xf16>
  quern.return %4, %5, %6 : tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>
}

// -----

// What another op reads, in any entry, stays as it is, and so does f32.
// CHECK: quern.entry @two
// CHECK: quern.matmul %{{.*}}, %{{.*}} : tensor<2x64xf32>, tensor<16x64xf16>
// CHECK: quern.matmul %{{.*}}, %{{.*}} : tensor<2x64xf32>, tensor<16x64xf32>
quern.parameter @shared : tensor<16x64xf16> {
  %0 = quern.constant dense<1.0> : tensor<16x64xf16>
  quern.yield %0 : tensor<16x64xf16>
}
quern.parameter @single : tensor<16x64xf32> {
  %0 = quern.constant dense<1.0> : tensor<16x64xf32>
  quern.yield %0 : tensor<16x64xf32>
}
quern.entry @two(%x: tensor<2x64xf32>) -> (tensor<2x16xf32>, tensor<2x16xf32>) {
  %0 = quern.param @shared : tensor<16x64xf16>
  %1 = quern.param @single : tensor<16x64xf32>
  %2 = quern.matmul %x, %0 : tensor<2x64xf32>, tensor<16x64xf16>
  %3 = quern.matmul %x, %1 : tensor<2x64xf32>, tensor<16x64xf32>
  quern.return %2, %3 : tensor<2x16xf32>, tensor<2x16xf32>
}
quern.entry @other() -> tensor<16x64xf32> {
  %0 = quern.param @shared : tensor<16x64xf16>
  %1 = quern.cast %0 : tensor<16x64xf16> to tensor<16x64xf32>
  quern.return %1 : tensor<16x64xf32>
}
