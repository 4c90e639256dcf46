// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: quern.parameter @model.norm.weight : tensor<576xf32>
quern.parameter @"model.norm.weight" : tensor<576xf32>

// CHECK: quern.parameter "private" @w : tensor<16x64x!quern.block<q4_1>>
quern.parameter "private" @w : tensor<16x64x!quern.block<q4_1>>

// CHECK: quern.parameter @small : tensor<16x64xbf16> packing <panels13>
quern.parameter @small : tensor<16x64xbf16> packing <panels13>

// CHECK: quern.parameter @twice : tensor<576xf32> {
// CHECK-NEXT: %[[W:.+]] = quern.param @model.norm.weight : tensor<576xf32>
// CHECK-NEXT: %[[SUM:.+]] = quern.add %[[W]], %[[W]]
// CHECK-NEXT: quern.yield %[[SUM]] : tensor<576xf32>
quern.parameter @twice : tensor<576xf32> {
  %0 = quern.param @"model.norm.weight" : tensor<576xf32>
  %1 = quern.add %0, %0 : tensor<576xf32>, tensor<576xf32>
  quern.yield %1 : tensor<576xf32>
}

// CHECK: quern.state cache @layers.0.cache.keys : tensor<8192x3x64xf16>
quern.state cache @"layers.0.cache.keys" : tensor<8192x3x64xf16>
// CHECK: quern.state variable @rounds : tensor<2xi32>
quern.state variable @rounds : tensor<2xi32>
// CHECK: quern.state variable @mean : tensor<4xf32> starts @start
quern.state variable @mean : tensor<4xf32> starts @start
quern.parameter @start : tensor<4xf32>

// CHECK-LABEL: quern.entry @double(%{{.+}}: tensor<?x4xf32, #quern.dims<s>>) -> tensor<?x4xf32, #quern.dims<s>>
// CHECK-SAME: arg_names = ["x"]
// CHECK-SAME: bounds = {s = 64 : i64}
// CHECK-SAME: result_names = ["y"]
quern.entry @double(%x: tensor<?x4xf32, #quern.dims<s>>) -> tensor<?x4xf32, #quern.dims<s>>
    attributes {arg_names = ["x"], result_names = ["y"], bounds = {s = 64 : i64}} {
  %0 = quern.add %x, %x : tensor<?x4xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>
  quern.return %0 : tensor<?x4xf32, #quern.dims<s>>
}

// CHECK-LABEL: quern.entry @"double.s=1"
// CHECK-SAME: variant_of = @double, when = {s = 1 : i64}
quern.entry @"double.s=1"(%x: tensor<1x4xf32>) -> tensor<1x4xf32>
    attributes {variant_of = @double, when = {s = 1 : i64}} {
  quern.return %x : tensor<1x4xf32>
}

// CHECK-LABEL: quern.entry @nothing() {
// CHECK-NEXT: quern.return
quern.entry @nothing() {
  quern.return
}
