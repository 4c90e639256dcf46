// RUN: quern-opt %s --quern-fuse-routing | FileCheck %s
// RUN: quern-opt %s --quern-fuse-routing --quern-outline-kernels | FileCheck %s --check-prefix=FORM

// What stands behind the order gives the kernel no other form.
// FORM: form = #quern.form<values>
// FORM-NOT: form = #quern.form<rows>
// FORM: form = #quern.form<routing>
// FORM-NOT: form = #quern.form<rows>
// FORM: form = #quern.form<experts>
// FORM: quern.entry @router

// Scores to weights and order: one group of three results. The products on both sides stay outside. The order comes last, for what is last
// says which kernel it is.
// CHECK-LABEL: quern.entry @router
// CHECK: %[[SCORES:.+]] = quern.matmul
// CHECK-NEXT: %[[GROUP:.+]]:3 = quern.fused
// CHECK-NEXT: quern.softmax %[[SCORES]]
// CHECK-NEXT: quern.top_k
// CHECK-NEXT: quern.reduce
// CHECK-NEXT: quern.div
// CHECK-NEXT: quern.group_rows
// CHECK-NEXT: quern.yield
// CHECK: quern.matmul %{{.+}}, %{{.+}} groups(%[[GROUP]]#1, %[[GROUP]]#2)
// CHECK-NEXT: quern.combine %{{.+}}, %[[GROUP]]#0
quern.entry @router(%x: tensor<?x64xf32, #quern.dims<s>>, %r: tensor<8x64xf32>, %w: tensor<128x64xf32>)
    -> tensor<?x16xf32, #quern.dims<s>> {
  %scores = quern.matmul %x, %r : tensor<?x64xf32, #quern.dims<s>>, tensor<8x64xf32>
  %p = quern.softmax %scores : tensor<?x8xf32, #quern.dims<s>>
  %values, %chosen = quern.top_k %p k 2 : tensor<?x8xf32, #quern.dims<s>>
  %order, %begins = quern.group_rows %chosen groups 8 : tensor<?x2xi32, #quern.dims<s>>
  %sum = quern.reduce <sum> %values : tensor<?x2xf32, #quern.dims<s>>
  %weights = quern.div %values, %sum : tensor<?x2xf32, #quern.dims<s>>, tensor<?x1xf32, #quern.dims<s>>
  %y = quern.matmul %x, %w groups(%order, %begins)
      : tensor<?x64xf32, #quern.dims<s>>, tensor<128x64xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>
  %0 = quern.combine %y, %weights : tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>
  quern.return %0 : tensor<?x16xf32, #quern.dims<s>>
}

// Weights that the choice looks up among the scores, before or after it is sorted, belong to it.
// CHECK-LABEL: quern.entry @lookup
// CHECK: %[[SCORES:.+]] = quern.matmul
// CHECK-NEXT: %[[GROUP:.+]]:3 = quern.fused
// CHECK-NEXT: quern.sigmoid %[[SCORES]]
// CHECK-NEXT: quern.add
// CHECK-NEXT: quern.top_k
// CHECK-NEXT: quern.gather
// CHECK-NEXT: quern.reduce
// CHECK-NEXT: quern.div
// CHECK-NEXT: quern.group_rows
// CHECK-NEXT: quern.yield
// CHECK: quern.matmul %{{.+}}, %{{.+}} groups(%[[GROUP]]#1, %[[GROUP]]#2)
// CHECK-NEXT: quern.combine %{{.+}}, %[[GROUP]]#0
quern.entry @lookup(%x: tensor<?x64xf32, #quern.dims<s>>, %r: tensor<8x64xf32>, %b: tensor<8xf32>,
                    %w: tensor<128x64xf32>) -> tensor<?x16xf32, #quern.dims<s>> {
  %scores = quern.matmul %x, %r : tensor<?x64xf32, #quern.dims<s>>, tensor<8x64xf32>
  %p = quern.sigmoid %scores : tensor<?x8xf32, #quern.dims<s>>
  %biased = quern.add %p, %b : tensor<?x8xf32, #quern.dims<s>>, tensor<8xf32>
  %values, %chosen = quern.top_k %biased k 2 : tensor<?x8xf32, #quern.dims<s>>
  %order, %begins = quern.group_rows %chosen groups 8 : tensor<?x2xi32, #quern.dims<s>>
  %found = quern.gather %p[%chosen] axis 1 batch 1 : tensor<?x8xf32, #quern.dims<s>>, tensor<?x2xi32, #quern.dims<s>>
  %sum = quern.reduce <sum> %found : tensor<?x2xf32, #quern.dims<s>>
  %weights = quern.div %found, %sum : tensor<?x2xf32, #quern.dims<s>>, tensor<?x1xf32, #quern.dims<s>>
  %y = quern.matmul %x, %w groups(%order, %begins)
      : tensor<?x64xf32, #quern.dims<s>>, tensor<128x64xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>
  %0 = quern.combine %y, %weights : tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>
  quern.return %0 : tensor<?x16xf32, #quern.dims<s>>
}

// What another op reads before the order is there stays where it is.
// CHECK-LABEL: quern.entry @early
// CHECK: quern.softmax
// CHECK-NEXT: quern.matmul
// CHECK-NEXT: quern.fused
// CHECK-NEXT: quern.top_k
// CHECK-NEXT: quern.group_rows
quern.entry @early(%scores: tensor<4x8xf32>, %w: tensor<16x8xf32>) -> (tensor<4x16xf32>, tensor<4x2xi32>) {
  %p = quern.softmax %scores : tensor<4x8xf32>
  %y = quern.matmul %p, %w : tensor<4x8xf32>, tensor<16x8xf32>
  %values, %chosen = quern.top_k %p k 2 : tensor<4x8xf32>
  %order, %begins = quern.group_rows %chosen groups 8 : tensor<4x2xi32>
  quern.return %y, %order : tensor<4x16xf32>, tensor<4x2xi32>
}

// Rows of more numbers are not small.
// CHECK-LABEL: quern.entry @large
// CHECK: quern.relu
// CHECK-NEXT: quern.fused
// CHECK-NEXT: quern.top_k
quern.entry @large(%scores: tensor<4x5000xf32>) -> tensor<4x2xi32> {
  %p = quern.relu %scores : tensor<4x5000xf32>
  %values, %chosen = quern.top_k %p k 2 : tensor<4x5000xf32>
  %order, %begins = quern.group_rows %chosen groups 5000 : tensor<4x2xi32>
  quern.return %order : tensor<4x2xi32>
}

// Another order, of some rows, is no member: it has a kernel of its own.
// CHECK-LABEL: quern.entry @orders
// CHECK: %[[ONE:.*]]:{{[0-9]+}} = quern.fused
// CHECK-COUNT-1: quern.group_rows
// CHECK-NOT: quern.fused
// CHECK: quern.yield
// CHECK: quern.group_rows
// CHECK: quern.return
quern.entry @orders(%scores: tensor<?x8xf32, #quern.dims<s>>, %want: tensor<1xi32>)
    -> (tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>, tensor<1x2xi32>, tensor<9xi32>) {
  %p = quern.softmax %scores : tensor<?x8xf32, #quern.dims<s>>
  %values, %chosen = quern.top_k %p k 2 : tensor<?x8xf32, #quern.dims<s>>
  %some = quern.gather %p[%want] : tensor<?x8xf32, #quern.dims<s>>, tensor<1xi32>
  %values1, %chosen1 = quern.top_k %some k 2 : tensor<1x8xf32>
  %order, %begins = quern.group_rows %chosen groups 8 : tensor<?x2xi32, #quern.dims<s>>
  %order1, %begins1 = quern.group_rows %chosen1 groups 8 : tensor<1x2xi32>
  quern.return %order, %begins, %order1, %begins1
      : tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>, tensor<1x2xi32>, tensor<9xi32>
}
