// RUN: quern-opt %s --quern-infer-shapes | FileCheck %s

// Each unnamed dimension of an argument gets a name; what depends on it follows, up to the entry's type.
// CHECK-LABEL: quern.entry @names(
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32, #quern.dims<d1>>, %{{.*}}: tensor<?xf32, #quern.dims<d0>>
// CHECK-SAME: -> tensor<?x2x4xf16, #quern.dims<d1>>
quern.entry @names(%x: tensor<?x8xf32>, %y: tensor<?xf32, #quern.dims<d0>>) -> tensor<?x2x4xf16, #quern.dims<"?">> {
  // CHECK: %[[N:.*]] = quern.neg %[[X]] : tensor<?x8xf32, #quern.dims<d1>>
  %n = quern.neg %x : tensor<?x8xf32>
  // CHECK: %[[M:.*]] = quern.map(%[[N]]) : tensor<?x8xf32, #quern.dims<d1>> -> tensor<?x8xf32, #quern.dims<d1>>
  %m = quern.map (%n) : tensor<?x8xf32, #quern.dims<"?">> -> tensor<?x8xf32, #quern.dims<"?">> {
  ^bb0(%a: f32):
    quern.yield %a : f32
  }
  // CHECK: %[[R:.*]] = quern.reshape %[[M]] : {{.*}} to tensor<?x2x4xf32, #quern.dims<d1>>
  %0 = quern.reshape %m : tensor<?x8xf32, #quern.dims<"?">> to tensor<?x2x4xf32, #quern.dims<"?">>
  // CHECK: quern.cast %[[R]] : {{.*}} to tensor<?x2x4xf16, #quern.dims<d1>>
  %1 = quern.cast %0 : tensor<?x2x4xf32, #quern.dims<"?">> to tensor<?x2x4xf16, #quern.dims<"?">>
  quern.return %1 : tensor<?x2x4xf16, #quern.dims<"?">>
}

// What is named stays.
// CHECK-LABEL: quern.entry @named(
// CHECK-SAME: tensor<?xf32, #quern.dims<s>>) -> tensor<?xf32, #quern.dims<s>>
quern.entry @named(%x: tensor<?xf32, #quern.dims<s>>) -> tensor<?xf32, #quern.dims<s>> {
  %0 = quern.neg %x : tensor<?xf32, #quern.dims<s>>
  quern.return %0 : tensor<?xf32, #quern.dims<s>>
}
