// RUN: %unit/kernel-text device cuda < %s | FileCheck %s
// RUN: %unit/kernel-text device cuda < %s | FileCheck %s --check-prefix=MMA
// RUN: %unit/kernel-text device cuda < %s | FileCheck %s --check-prefix=LEFT
// RUN: %unit/kernel-text device cuda < %s | FileCheck %s --check-prefix=RIGHT
// RUN: %unit/kernel-text device cuda < %s | FileCheck %s --check-prefix=COPY
// RUN: %unit/kernel-text loops cuda < %s | FileCheck %s --check-prefix=LOOPS

// A warp of the wide tile multiplies 64 rows by 32 columns: 4 by 4 instructions for each 16 of k. It reads 4 matrices of the left side
// for them, and 8 words of the weight as they are packed. A thread copies 2 pieces of either side in each step, of which 3 begin before
// the loop. Of the narrow tile it is a quarter of the rows, and 2 pieces and 1, in 7 steps.
// What precedes the products is a launch of Halide's; what follows them needs none.

// CHECK: .version 7.0
// CHECK: .target sm_80
// CHECK: .visible .entry project_product_wide(
// CHECK: .maxntid 256
// CHECK: cp.async.wait_group 2;
// CHECK-NEXT: bar.sync 0;
// CHECK: ld.global.nc.v2.b32
// CHECK: add.rn.f32
// CHECK: st.global.v2.b32
// CHECK: .visible .entry project_product_narrow(
// CHECK: .maxntid 128
// CHECK: cp.async.wait_group 6;
// CHECK: st.global.v2.b32
// CHECK-NOT: .version
// CHECK: .visible .entry {{.*}}pairs

// MMA-COUNT-40: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// MMA-NOT: mma.sync

// LEFT-COUNT-10: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// LEFT-NOT: ldmatrix

// RIGHT-COUNT-32: ld.shared.b32
// RIGHT-NOT: ld.shared

// COPY-COUNT-40: cp.async.cg.shared.global
// COPY-NOT: cp.async.cg

// LOOPS: module name=project_left
quern.kernel @project(%x: tensor<?x512xf32, #quern.dims<s>>, %w: tensor<256x512xbf16> {quern.packing = #quern.packing<panels>},
                      %r: tensor<?x256xf32, #quern.dims<s>>) -> tensor<?x256xf32, #quern.dims<s>>
    attributes {form = #quern.form<contract>} {
  %0 = quern.cast %x : tensor<?x512xf32, #quern.dims<s>> to tensor<?x512xbf16, #quern.dims<s>>
  %1 = quern.matmul %0, %w : tensor<?x512xbf16, #quern.dims<s>>, tensor<256x512xbf16>
  %2 = quern.add %r, %1 : tensor<?x256xf32, #quern.dims<s>>, tensor<?x256xf32, #quern.dims<s>>
  quern.yield %2 : tensor<?x256xf32, #quern.dims<s>>
}
