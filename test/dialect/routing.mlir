// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: quern.entry @routing
quern.entry @routing(%x: tensor<?x64xf32, #quern.dims<s>>, %p: tensor<?x8xf32, #quern.dims<s>>,
                     %w: tensor<128x64xf32>, %v: tensor<128x64xbf16>) -> tensor<?x16xf32, #quern.dims<s>> {
  // CHECK: %[[VALUES:.+]], %[[INDICES:.+]] = quern.top_k %{{.+}} k 2 : tensor<?x8xf32, #quern.dims<s>>
  %values, %chosen = quern.top_k %p k 2 : tensor<?x8xf32, #quern.dims<s>>
  // CHECK: %[[ORDER:.+]], %[[BEGINS:.+]] = quern.group_rows %[[INDICES]] groups 8 : tensor<?x2xi32, #quern.dims<s>>
  %order, %begins = quern.group_rows %chosen groups 8 : tensor<?x2xi32, #quern.dims<s>>
  // CHECK: quern.matmul %{{.+}}, %{{.+}} groups(%[[ORDER]], %[[BEGINS]]) : tensor<?x64xf32, #quern.dims<s>>, tensor<128x64xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>
  %0 = quern.matmul %x, %w groups(%order, %begins)
      : tensor<?x64xf32, #quern.dims<s>>, tensor<128x64xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>
  // CHECK: %[[SPREAD:.+]] = quern.broadcast %{{.+}} axis 1 size 2 : tensor<?x64xf32, #quern.dims<s>>
  %spread = quern.broadcast %x axis 1 size 2 : tensor<?x64xf32, #quern.dims<s>>
  %own = quern.matmul %spread, %w groups(%order, %begins)
      : tensor<?x2x64xf32, #quern.dims<s>>, tensor<128x64xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>
  %1 = quern.add %0, %own : tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x2x16xf32, #quern.dims<s>>
  // CHECK: quern.combine %{{.+}}, %[[VALUES]] : tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>
  %2 = quern.combine %1, %values : tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>
  quern.return %2 : tensor<?x16xf32, #quern.dims<s>>
}
