// RUN: quern-opt %s --quern-place-concats | FileCheck %s
// RUN: quern-opt %s --quern-place-concats --remark-format=emitRemark --remarks-filter=fusion 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Pools write their parts in place; the inner concat is part of the outer one.
// CHECK-LABEL: quern.entry @nested(
// CHECK-SAME: %[[X:.*]]: tensor<1x4x4x8xf32>
// CHECK-NEXT: %[[A:.*]] = quern.max_pool %[[X]] window [1, 1]
// CHECK-NEXT: %[[B:.*]] = quern.max_pool %[[X]] window [3, 3]
// CHECK-NEXT: %[[C:.*]] = quern.avg_pool
// CHECK-NEXT: %[[D:.*]] = quern.concat %[[A]], %[[B]], %[[C]] axis 3
// CHECK-NEXT: quern.return %[[D]]
// REMARK: [Passed] concat | {{.*}}Function=nested | Reason="each part is computed for it alone, in place"
quern.entry @nested(%x: tensor<1x4x4x8xf32>) -> tensor<1x4x4x24xf32> {
  %a = quern.max_pool %x window [1, 1] layout <nhwc> : tensor<1x4x4x8xf32>
  %b = quern.max_pool %x window [3, 3] pads [1, 1, 1, 1] layout <nhwc> : tensor<1x4x4x8xf32>
  %i = quern.concat %a, %b axis 3 : tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>
  %c = quern.avg_pool %x window [1, 1] layout <nhwc> : tensor<1x4x4x8xf32>
  %0 = quern.concat %i, %c axis 3 : tensor<1x4x4x16xf32>, tensor<1x4x4x8xf32>
  quern.return %0 : tensor<1x4x4x24xf32>
}

// Copied: an argument, a pool that something else reads too, and a product, whose result is seen by panels.
// CHECK-LABEL: quern.entry @copied(
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>, %[[W:.*]]: tensor<8x8xf32>
// CHECK: %[[E:.*]] = quern.map(%[[X]])
// CHECK: %[[P:.*]] = quern.matmul
// CHECK: %[[A:.*]] = quern.map(%[[X]])
// CHECK: %[[B:.*]] = quern.map(%[[E]])
// CHECK: %[[C:.*]] = quern.map(%[[P]])
// CHECK: %[[D:.*]] = quern.concat %[[A]], %[[B]], %[[C]] axis 1
// CHECK-NEXT: quern.return %[[D]], %[[E]]
// REMARK: [Missed] concat | {{.*}}Function=copied | Reason="a part that has other users, or no kernel of its own, is copied"
quern.entry @copied(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> (tensor<4x24xf32>, tensor<4x8xf32>) {
  %e = quern.map (%x) : tensor<4x8xf32> -> tensor<4x8xf32> {
  ^bb0(%a: f32):
    %n = arith.negf %a : f32
    quern.yield %n : f32
  }
  %p = quern.matmul %x, %w : tensor<4x8xf32>, tensor<8x8xf32>
  %0 = quern.concat %x, %e, %p axis 1 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
  quern.return %0, %e : tensor<4x24xf32>, tensor<4x8xf32>
}
