// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: quern.entry @rows
quern.entry @rows(%x: tensor<?x64xf32, #quern.dims<s>>, %w: tensor<64xf32>) -> tensor<?x1xf32, #quern.dims<s>> {
  // CHECK: quern.reduce <sum> %{{.+}} : tensor<?x64xf32, #quern.dims<s>>
  %0 = quern.reduce <sum> %x : tensor<?x64xf32, #quern.dims<s>>
  // CHECK: quern.reduce <max>
  %1 = quern.reduce <max> %x : tensor<?x64xf32, #quern.dims<s>>
  // CHECK: quern.reduce <mean>
  %2 = quern.reduce <mean> %x : tensor<?x64xf32, #quern.dims<s>>
  // CHECK: quern.rms_norm %{{.+}}, %{{.+}} eps 1.000000e-05 : tensor<?x64xf32, #quern.dims<s>>, tensor<64xf32>
  %3 = quern.rms_norm %x, %w eps 1.0e-5 : tensor<?x64xf32, #quern.dims<s>>, tensor<64xf32>
  // CHECK: quern.softmax %{{.+}} : tensor<?x64xf32, #quern.dims<s>>
  %4 = quern.softmax %x : tensor<?x64xf32, #quern.dims<s>>
  quern.return %0 : tensor<?x1xf32, #quern.dims<s>>
}
