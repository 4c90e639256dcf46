// RUN: quern-opt %s --quern-infer-shapes | FileCheck %s

// A reshape's unnamed dimension is the symbol of its input that is left; what depends on it follows.
// CHECK-LABEL: quern.entry @names(
// CHECK-SAME: -> tensor<?x2x4xf32, #quern.dims<s>>
quern.entry @names(%x: tensor<?x8xf32, #quern.dims<s>>) -> tensor<?x2x4xf32> {
  // CHECK: quern.reshape %{{.*}} to tensor<?x2x4xf32, #quern.dims<s>>
  %0 = quern.reshape %x : tensor<?x8xf32, #quern.dims<s>> to tensor<?x2x4xf32, #quern.dims<s>>
  // CHECK: quern.cast %{{.*}} to tensor<?x2x4xf16, #quern.dims<s>>
  %1 = quern.cast %0 : tensor<?x2x4xf32, #quern.dims<s>> to tensor<?x2x4xf16, #quern.dims<s>>
  %2 = quern.cast %1 : tensor<?x2x4xf16, #quern.dims<s>> to tensor<?x2x4xf32, #quern.dims<s>>
  quern.return %2 : tensor<?x2x4xf32, #quern.dims<s>>
}
