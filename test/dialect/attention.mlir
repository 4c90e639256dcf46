// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

quern.state cache @keys : tensor<32x3x64xf16>
quern.state cache @values : tensor<32x3x48xf16>

// CHECK-LABEL: quern.entry @attention
quern.entry @attention(%q: tensor<?x9x64xf32, #quern.dims<s>>, %k: tensor<?x3x64xf32, #quern.dims<s>>, %w: tensor<?x3x48xf32, #quern.dims<s>>,
                       %at: tensor<?x!quern.position, #quern.dims<s>>, %table: tensor<32x32x2xf32>)
    -> tensor<?x9x48xf32, #quern.dims<s>> {
  // CHECK: quern.rope %{{.+}} at %{{.+}}, %{{.+}} : tensor<?x9x64xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>, tensor<32x32x2xf32>
  %0 = quern.rope %q at %at, %table
      : tensor<?x9x64xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>, tensor<32x32x2xf32>
  // CHECK: quern.rope %{{.+}} at %{{.+}}, %{{.+}} layout <interleaved> :
  %1 = quern.rope %k at %at, %table layout <interleaved>
      : tensor<?x3x64xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>, tensor<32x32x2xf32>
  %2 = quern.state_ref @keys : tensor<32x3x64xf16>
  // CHECK: quern.cache_append %{{.+}}, %{{.+}} at %{{.+}} : tensor<32x3x64xf16>, tensor<?x3x64xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  %3 = quern.cache_append %2, %1 at %at
      : tensor<32x3x64xf16>, tensor<?x3x64xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  %4 = quern.state_ref @values : tensor<32x3x48xf16>
  // CHECK: quern.cache_append %{{.+}}, %{{.+}} at %{{.+}} layout <rows> :
  %v = quern.cache_append %4, %w at %at layout <rows>
      : tensor<32x3x48xf16>, tensor<?x3x48xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  // CHECK: quern.attend %{{.+}}, %{{.+}}, %{{.+}} at %{{.+}} scale 1.250000e-01 :
  %5 = quern.attend %0, %3, %3 at %at scale 0.125
      : tensor<?x9x64xf32, #quern.dims<s>>, tensor<32x3x64xf16>, tensor<32x3x64xf16>,
        tensor<?x!quern.position, #quern.dims<s>>
  // CHECK: quern.attend %{{.+}}, %{{.+}}, %{{.+}} at %{{.+}} scale 1.250000e-01 layout <rows> :
  %6 = quern.attend %5, %3, %v at %at scale 0.125 layout <rows>
      : tensor<?x9x64xf32, #quern.dims<s>>, tensor<32x3x64xf16>, tensor<32x3x48xf16>,
        tensor<?x!quern.position, #quern.dims<s>>
  // CHECK: quern.attend %{{.+}}, %{{.+}}, %{{.+}} at %{{.+}} scale 1.250000e-01 window 16 layout <rows> :
  %7 = quern.attend %0, %3, %v at %at scale 0.125 window 16 layout <rows>
      : tensor<?x9x64xf32, #quern.dims<s>>, tensor<32x3x64xf16>, tensor<32x3x48xf16>,
        tensor<?x!quern.position, #quern.dims<s>>
  // CHECK: quern.attend %{{.+}}, %[[KEYS:.+]], %[[KEYS]] elements 48 at %{{.+}} scale 1.250000e-01 window 16 :
  %8 = quern.attend %0, %3, %3 elements 48 at %at scale 0.125 window 16
      : tensor<?x9x64xf32, #quern.dims<s>>, tensor<32x3x64xf16>, tensor<32x3x64xf16>,
        tensor<?x!quern.position, #quern.dims<s>>
  %9 = quern.add %6, %8 : tensor<?x9x48xf32, #quern.dims<s>>, tensor<?x9x48xf32, #quern.dims<s>>
  quern.return %9 : tensor<?x9x48xf32, #quern.dims<s>>
}
