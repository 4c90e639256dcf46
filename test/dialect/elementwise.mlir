// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: quern.entry @unary
quern.entry @unary(%x: tensor<?x4xf32, #quern.dims<s>>) {
  // CHECK: quern.neg %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %0 = quern.neg %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.abs %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %1 = quern.abs %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.floor %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %2 = quern.floor %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.exp %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %3 = quern.exp %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.log %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %4 = quern.log %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.sqrt %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %5 = quern.sqrt %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.rsqrt %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %6 = quern.rsqrt %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.sin %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %7 = quern.sin %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.cos %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %8 = quern.cos %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.tanh %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %9 = quern.tanh %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.sigmoid %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %10 = quern.sigmoid %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.silu %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %11 = quern.silu %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.relu %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %12 = quern.relu %x : tensor<?x4xf32, #quern.dims<s>>
  // CHECK: quern.gelu %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %13 = quern.gelu %x : tensor<?x4xf32, #quern.dims<s>>
  quern.return
}

// CHECK-LABEL: quern.entry @binary
quern.entry @binary(%x: tensor<?x4xf32, #quern.dims<s>>, %y: tensor<4xf32>) {
  // CHECK: quern.add %{{.+}}, %{{.+}} : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %0 = quern.add %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  // CHECK: quern.sub %{{.+}}, %{{.+}} : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %1 = quern.sub %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  // CHECK: quern.mul %{{.+}}, %{{.+}} : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %2 = quern.mul %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  // CHECK: quern.div %{{.+}}, %{{.+}} : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %3 = quern.div %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  // CHECK: quern.pow %{{.+}}, %{{.+}} : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %4 = quern.pow %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  // CHECK: quern.max %{{.+}}, %{{.+}} : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %5 = quern.max %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  // CHECK: quern.min %{{.+}}, %{{.+}} : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %6 = quern.min %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  quern.return
}

// CHECK-LABEL: quern.entry @choice
quern.entry @choice(%x: tensor<4xf32>, %y: tensor<1xf32>) -> tensor<4xf32> {
  // CHECK: %[[LESS:.+]] = quern.compare <lt>, %{{.+}}, %{{.+}} : tensor<4xf32>, tensor<1xf32>
  %0 = quern.compare <lt>, %x, %y : tensor<4xf32>, tensor<1xf32>
  // CHECK: quern.select %[[LESS]], %{{.+}}, %{{.+}} : tensor<4xi1>, tensor<4xf32>, tensor<1xf32>
  %1 = quern.select %0, %x, %y : tensor<4xi1>, tensor<4xf32>, tensor<1xf32>
  quern.return %1 : tensor<4xf32>
}

// CHECK-LABEL: quern.entry @cast
quern.entry @cast(%x: tensor<4xbf16>, %w: tensor<2x32x!quern.block<q8_0>>) {
  // CHECK: quern.cast %{{.+}} : tensor<4xbf16> to tensor<4xf32>
  %0 = quern.cast %x : tensor<4xbf16> to tensor<4xf32>
  // CHECK: quern.cast %{{.+}} : tensor<2x32x!quern.block<q8_0>> to tensor<2x32xf32>
  %1 = quern.cast %w : tensor<2x32x!quern.block<q8_0>> to tensor<2x32xf32>
  quern.return
}

// CHECK-LABEL: quern.entry @map
quern.entry @map(%x: tensor<?x8xf32, #quern.dims<s>>, %y: tensor<8xf32>) {
  // CHECK: quern.map(%{{.+}}, %{{.+}}) : tensor<?x8xf32, #quern.dims<s>>, tensor<8xf32> -> tensor<?x8xf32, #quern.dims<s>> {
  // CHECK-NEXT: ^bb0(%[[A:.+]]: f32, %[[B:.+]]: f32):
  // CHECK-NEXT: %[[PRODUCT:.+]] = arith.mulf %[[A]], %[[B]] : f32
  // CHECK-NEXT: quern.yield %[[PRODUCT]] : f32
  %0 = quern.map (%x, %y) : tensor<?x8xf32, #quern.dims<s>>, tensor<8xf32> -> tensor<?x8xf32, #quern.dims<s>> {
  ^bb0(%a: f32, %b: f32):
    %1 = arith.mulf %a, %b : f32
    quern.yield %1 : f32
  }
  quern.return
}
