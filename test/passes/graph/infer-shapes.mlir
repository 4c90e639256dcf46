// RUN: quern-opt %s --quern-infer-shapes | FileCheck %s

// A reshape's unnamed dimension is the symbol of its input that is left; what depends on it follows.
// CHECK-LABEL: quern.entry @names(
// CHECK-SAME: -> tensor<?x2x4xf32, #quern.dims<s>>
quern.entry @names(%x: tensor<?x8xf32, #quern.dims<s>>) -> tensor<?x2x4xf32, #quern.dims<"?">> {
  // CHECK: %[[F:.*]] = quern.cast %{{.*}} to tensor<?x8xf32, #quern.dims<s>>
  %f = quern.cast %x : tensor<?x8xf32, #quern.dims<s>> to tensor<?x8xf32, #quern.dims<s>>
  // CHECK: %[[N:.*]] = quern.neg %[[F]] : tensor<?x8xf32, #quern.dims<s>>
  %n = quern.neg %f : tensor<?x8xf32, #quern.dims<s>>
  %0 = quern.reshape %n : tensor<?x8xf32, #quern.dims<s>> to tensor<?x2x4xf32, #quern.dims<s>>
  quern.return %0 : tensor<?x2x4xf32, #quern.dims<s>>
}
