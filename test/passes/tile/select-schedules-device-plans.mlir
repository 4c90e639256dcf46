// RUN: %unit/kernel-text plans cuda < %s | FileCheck %s
// RUN: %unit/kernel-text plans opencl < %s | FileCheck %s --check-prefix=OPENCL

// Large enough for any block; the chosen plan is not weighed.
// CHECK: elements: map of 4 plans
// CHECK-NEXT: threads 128
// Where blocks may have 128 threads, no plan has more.
// OPENCL: elements: map of 3 plans
// OPENCL-NEXT: threads 128
// OPENCL-NOT: threads 256
quern.kernel @elements(%x: tensor<4096x4096xf32>) -> tensor<4096x4096xf32> attributes {form = #quern.form<map>} {
  %0 = quern.neg %x : tensor<4096x4096xf32>
  quern.yield %0 : tensor<4096x4096xf32>
}

// More blocks come before fewer, and those that compute the norm for themselves before those that have it computed by
// launches, where they are many enough.
// CHECK: few: contract.f32.few of 64 plans
// CHECK-NEXT: threads 128 rows 1 panels 1 within 1 narrow 64
// CHECK-NEXT: threads 64 rows 1 panels 1 within 1 narrow 64
// CHECK: threads 128 rows 1 panels 1 within 0 narrow 64
// CHECK: threads 32 rows 1 panels 8 within 0 narrow 64
// CHECK-NOT: rows 2
// OPENCL: few: contract.f32.few of 48 plans
quern.kernel @few(%x: tensor<1x512xf32>, %g: tensor<512xf32>, %w: tensor<4096x512xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x4096xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.rms_norm %x, %g eps 1.0e-05 : tensor<1x512xf32>, tensor<512xf32>
  %1 = quern.matmul %0, %w : tensor<1x512xf32>, tensor<4096x512xf32>
  quern.yield %1 : tensor<1x4096xf32>
}

// Of many rows no block has the left side for itself, the more share a weight the better, and there are no tensor cores
// for f32.
// CHECK: many: contract.f32 of 192 plans
// CHECK-NEXT: threads 128 rows 6 panels 1 within 0 narrow 64
// CHECK-NEXT: threads 64 rows 8 panels 1 within 0 narrow 64
// CHECK-NOT: within 1
// OPENCL: many: contract.f32 of 144 plans
quern.kernel @many(%x: tensor<?x512xf32, #quern.dims<s>>, %w: tensor<4096x512xf32> {quern.packing = #quern.packing<panels>}) -> tensor<?x4096xf32, #quern.dims<s>>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<?x512xf32, #quern.dims<s>>, tensor<4096x512xf32>
  quern.yield %0 : tensor<?x4096xf32, #quern.dims<s>>
}

// Panels that are not full: the left side is launches of its own.
// CHECK: ragged: contract.f32 of 32 plans
// CHECK-NOT: within 1
// OPENCL: ragged: contract.f32 of 24 plans
quern.kernel @ragged(%x: tensor<1x512xf32>, %w: tensor<100x512xf32> {quern.packing = #quern.packing<panels>}) -> tensor<1x100xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<1x512xf32>, tensor<100x512xf32>
  quern.yield %0 : tensor<1x100xf32>
}

// On tensor cores threads are those of the left side, here an argument, and tiles are narrow up to some rows. OpenCL has
// none.
// CHECK: tensor: contract.bf16.tensor of 5 plans
// CHECK-NEXT: threads 128 rows 6 panels 1 within 0 narrow 64
// CHECK-NOT: panels 2
// OPENCL: tensor: contract.bf16 of 144 plans
// OPENCL-NOT: narrow 128
quern.kernel @tensor(%x: tensor<?x512xbf16, #quern.dims<s>>, %w: tensor<4096x512xbf16> {quern.packing = #quern.packing<panels>}) -> tensor<?x4096xf32, #quern.dims<s>>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<?x512xbf16, #quern.dims<s>>, tensor<4096x512xbf16>
  quern.yield %0 : tensor<?x4096xf32, #quern.dims<s>>
}
