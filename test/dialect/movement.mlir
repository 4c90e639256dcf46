// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

quern.state variable @kept : tensor<2xf16>

// CHECK-LABEL: quern.entry @movement
quern.entry @movement(%x: tensor<?x6xf32, #quern.dims<s>>, %table: tensor<512x64x!quern.block<q6_k>>,
                      %tokens: tensor<?xi32, #quern.dims<s>>, %i: tensor<?x4xi32, #quern.dims<s>>, %j: tensor<i32>,
                      %mask: tensor<?x2x3xi1, #quern.dims<s>>) {
  // CHECK: quern.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  %0 = quern.constant dense<[1.0, 2.0]> : tensor<2xf32>
  // CHECK: quern.iota : tensor<2xf32>
  %1 = quern.iota : tensor<2xf32>
  // CHECK: quern.reshape %{{.+}} : tensor<?x6xf32, #quern.dims<s>> to tensor<?x2x3xf32, #quern.dims<s>>
  %2 = quern.reshape %x : tensor<?x6xf32, #quern.dims<s>> to tensor<?x2x3xf32, #quern.dims<s>>
  // CHECK: quern.transpose %{{.+}} [1, 0, 2] : tensor<?x2x3xf32, #quern.dims<s>>
  %3 = quern.transpose %2 [1, 0, 2] : tensor<?x2x3xf32, #quern.dims<s>>
  // CHECK: quern.slice %{{.+}} axis 2 offset 1 size 2 : tensor<2x?x3xf32, #quern.dims<s>>
  %4 = quern.slice %3 axis 2 offset 1 size 2 : tensor<2x?x3xf32, #quern.dims<s>>
  // CHECK: quern.concat %{{.+}}, %{{.+}} axis 2 : tensor<2x?x3xf32, #quern.dims<s>>, tensor<2x?x2xf32, #quern.dims<s>>
  %5 = quern.concat %3, %4 axis 2 : tensor<2x?x3xf32, #quern.dims<s>>, tensor<2x?x2xf32, #quern.dims<s>>
  // CHECK: quern.gather %{{.+}}[%{{.+}}] : tensor<512x64x!quern.block<q6_k>>, tensor<?xi32, #quern.dims<s>>
  %6 = quern.gather %table[%tokens] : tensor<512x64x!quern.block<q6_k>>, tensor<?xi32, #quern.dims<s>>
  // CHECK: %[[STATE:.+]] = quern.state_ref @kept
  %kept = quern.state_ref @kept : tensor<2xf16>
  // CHECK: quern.assign %[[STATE]], %{{.+}} : tensor<2xf16>, tensor<2xf32>
  %written = quern.assign %kept, %0 : tensor<2xf16>, tensor<2xf32>
  // CHECK: quern.gather %{{.+}}[%{{.+}}] axis 1 batch 1 : tensor<?x6xf32, #quern.dims<s>>, tensor<?x4xi32, #quern.dims<s>>
  %7 = quern.gather %x[%i] axis 1 batch 1 : tensor<?x6xf32, #quern.dims<s>>, tensor<?x4xi32, #quern.dims<s>>
  // CHECK: quern.reduce <sum> %{{.+}} : tensor<?x4xf32, #quern.dims<s>>
  %8 = quern.reduce <sum> %7 : tensor<?x4xf32, #quern.dims<s>>
  // Indices of any rank; no number of them drops the axis. Integers and bools stay what they are.
  // CHECK: quern.gather %{{.+}}[%{{.+}}] : tensor<512x64x!quern.block<q6_k>>, tensor<?x4xi32, #quern.dims<s>>
  %9 = quern.gather %table[%i] axis 0 batch 0 : tensor<512x64x!quern.block<q6_k>>, tensor<?x4xi32, #quern.dims<s>>
  // CHECK: quern.reduce <max> %{{.+}} : tensor<?x4x64xf32, #quern.dims<s>>
  %10 = quern.reduce <max> %9 : tensor<?x4x64xf32, #quern.dims<s>>
  // CHECK: quern.gather %{{.+}}[%{{.+}}] axis 1 : tensor<?x4xi32, #quern.dims<s>>, tensor<i32>
  %11 = quern.gather %i[%j] axis 1 : tensor<?x4xi32, #quern.dims<s>>, tensor<i32>
  // CHECK: quern.gather %{{.+}}[%{{.+}}] : tensor<512x64x!quern.block<q6_k>>, tensor<?xi32, #quern.dims<s>>
  %12 = quern.gather %table[%11] : tensor<512x64x!quern.block<q6_k>>, tensor<?xi32, #quern.dims<s>>
  // CHECK: quern.gather %{{.+}}[%{{.+}}] axis 2 batch 1 : tensor<?x2x3xi1, #quern.dims<s>>, tensor<?x4xi32, #quern.dims<s>>
  %13 = quern.gather %mask[%i] axis 2 batch 1 : tensor<?x2x3xi1, #quern.dims<s>>, tensor<?x4xi32, #quern.dims<s>>
  // CHECK: quern.select %{{.+}} : tensor<?x2x4xi1, #quern.dims<s>>
  %zero = quern.constant dense<0.0> : tensor<f32>
  %14 = quern.select %13, %zero, %zero : tensor<?x2x4xi1, #quern.dims<s>>, tensor<f32>, tensor<f32>
  quern.return
}
