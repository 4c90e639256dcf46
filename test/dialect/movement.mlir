// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

quern.state variable @kept : tensor<2xf16>

// CHECK-LABEL: quern.entry @movement
quern.entry @movement(%x: tensor<?x6xf32, #quern.dims<s>>, %table: tensor<512x64x!quern.block<q6_k>>,
                      %tokens: tensor<?xi32, #quern.dims<s>>) {
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
  %7 = quern.state_ref @kept : tensor<2xf16>
  // CHECK: quern.assign %[[STATE]], %{{.+}} : tensor<2xf16>, tensor<2xf32>
  %8 = quern.assign %7, %0 : tensor<2xf16>, tensor<2xf32>
  quern.return
}
