// RUN: quern-opt %s --quern-compress-parameters --split-input-file | FileCheck %s

// Read by rows alone: as the weight of a matmul and as a table, by all entries, also within a group. Rows need not end with
// a whole block.
// CHECK: quern.parameter @table : tensor<16x64xbf16> packing <panels13>
// CHECK: quern.parameter @odd : tensor<16x63xbf16> packing <panels13>
quern.parameter @table : tensor<16x64xbf16>
quern.parameter @odd : tensor<16x63xbf16>
quern.entry @rows(%i: tensor<2xi32>, %y: tensor<2x63xf32>) -> (tensor<2x16xf32>, tensor<2x16xf32>) {
  %w = quern.param @table : tensor<16x64xbf16>
  %v = quern.param @odd : tensor<16x63xbf16>
  %x = quern.gather %w[%i] : tensor<16x64xbf16>, tensor<2xi32>
  %0 = quern.fused -> tensor<2x16xf32> {
    %2 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<16x64xbf16>
    quern.yield %2 : tensor<2x16xf32>
  }
  %1 = quern.matmul %y, %v : tensor<2x63xf32>, tensor<16x63xbf16>
  quern.return %0, %1 : tensor<2x16xf32>, tensor<2x16xf32>
}

// -----

// What another op reads, in any entry, keeps the layout that this op knows.
// CHECK: quern.parameter @shared : tensor<16x64xbf16>
quern.parameter @shared : tensor<16x64xbf16>
quern.entry @rows(%x: tensor<2x64xf32>) -> tensor<2x16xf32> {
  %w = quern.param @shared : tensor<16x64xbf16>
  %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<16x64xbf16>
  quern.return %0 : tensor<2x16xf32>
}
quern.entry @other() -> tensor<16x64xf32> {
  %w = quern.param @shared : tensor<16x64xbf16>
  %0 = quern.cast %w : tensor<16x64xbf16> to tensor<16x64xf32>
  quern.return %0 : tensor<16x64xf32>
}

// -----

// Other elements; too few columns to become smaller; and nobody reads it.
// CHECK: quern.parameter @half : tensor<16x64xf16>
// CHECK: quern.parameter @narrow : tensor<16x8xbf16>
// CHECK: quern.parameter @unread : tensor<16x64xbf16>
quern.parameter @half : tensor<16x64xf16>
quern.parameter @narrow : tensor<16x8xbf16>
quern.parameter @unread : tensor<16x64xbf16>
quern.entry @rows(%x: tensor<2x64xf32>, %y: tensor<2x8xf32>) -> (tensor<2x16xf32>, tensor<2x16xf32>) {
  %w = quern.param @half : tensor<16x64xf16>
  %v = quern.param @narrow : tensor<16x8xbf16>
  %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<16x64xf16>
  %1 = quern.matmul %y, %v : tensor<2x8xf32>, tensor<16x8xbf16>
  quern.return %0, %1 : tensor<2x16xf32>, tensor<2x16xf32>
}

// -----

// Values decide, those of initialisers too: 0 always fits; 2^-29 beside 1 does and 2^-30 does not, while each row has exponents
// of its own; an infinity is too large for what is beside it.
// CHECK: quern.parameter @zeros : tensor<16x64xbf16> packing <panels13> {
// CHECK: quern.parameter @small : tensor<16x64xbf16> packing <panels13> {
// CHECK: quern.parameter @smaller : tensor<16x64xbf16> {
// CHECK: quern.parameter @rows : tensor<32x64xbf16> packing <panels13> {
// CHECK: quern.parameter @infinite : tensor<16x64xbf16> {
quern.parameter @zeros : tensor<16x64xbf16> {
  %0 = quern.constant dense<1.0e+30> : tensor<16x32xbf16>
  %1 = quern.constant dense<-0.0> : tensor<16x32xbf16>
  %2 = quern.concat %0, %1 axis 1 : tensor<16x32xbf16>, tensor<16x32xbf16>
  quern.yield %2 : tensor<16x64xbf16>
}
quern.parameter @small : tensor<16x64xbf16> {
  %0 = quern.constant dense<1.0> : tensor<16x32xbf16>
  %1 = quern.constant dense<1.862645149230957e-9> : tensor<16x32xbf16>
  %2 = quern.concat %0, %1 axis 1 : tensor<16x32xbf16>, tensor<16x32xbf16>
  quern.yield %2 : tensor<16x64xbf16>
}
quern.parameter @smaller : tensor<16x64xbf16> {
  %0 = quern.constant dense<1.0> : tensor<16x32xbf16>
  %1 = quern.constant dense<9.313225746154785e-10> : tensor<16x32xbf16>
  %2 = quern.concat %0, %1 axis 1 : tensor<16x32xbf16>, tensor<16x32xbf16>
  quern.yield %2 : tensor<16x64xbf16>
}
quern.parameter @rows : tensor<32x64xbf16> {
  %0 = quern.constant dense<1.0> : tensor<16x64xbf16>
  %1 = quern.constant dense<9.313225746154785e-10> : tensor<16x64xbf16>
  %2 = quern.concat %0, %1 axis 0 : tensor<16x64xbf16>, tensor<16x64xbf16>
  quern.yield %2 : tensor<32x64xbf16>
}
quern.parameter @infinite : tensor<16x64xbf16> {
  %0 = quern.constant dense<1.0> : tensor<16x32xbf16>
  %1 = quern.constant dense<0xFF80> : tensor<16x32xbf16>
  %2 = quern.concat %0, %1 axis 1 : tensor<16x32xbf16>, tensor<16x32xbf16>
  quern.yield %2 : tensor<16x64xbf16>
}
quern.entry @read(%i: tensor<1xi32>)
    -> (tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>) {
  %0 = quern.param @zeros : tensor<16x64xbf16>
  %1 = quern.param @small : tensor<16x64xbf16>
  %2 = quern.param @smaller : tensor<16x64xbf16>
  %3 = quern.param @rows : tensor<32x64xbf16>
  %4 = quern.param @infinite : tensor<16x64xbf16>
  %5 = quern.gather %0[%i] : tensor<16x64xbf16>, tensor<1xi32>
  %6 = quern.gather %1[%i] : tensor<16x64xbf16>, tensor<1xi32>
  %7 = quern.gather %2[%i] : tensor<16x64xbf16>, tensor<1xi32>
  %8 = quern.gather %3[%i] : tensor<32x64xbf16>, tensor<1xi32>
  %9 = quern.gather %4[%i] : tensor<16x64xbf16>, tensor<1xi32>
  quern.return %5, %6, %7, %8, %9
      : tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>
}
