// RUN: %unit/kernel-text signature cuda < %s | FileCheck %s --check-prefix=SIGNATURE
// RUN: %unit/kernel-text loops cuda < %s | FileCheck %s --check-prefix=CUDA
// RUN: %unit/kernel-text loops opencl < %s | FileCheck %s --check-prefix=OPENCL

// Quants are words, and a row's norm, quants and product are one launch.
// SIGNATURE: operand 2 at 32: u32[16:1, 4:16, 2:72, 4:144]
// CUDA-LABEL: func gemv (__user_context, arg0, arg1, arg2, arg3, output)
// CUDA: halide_cuda_run({{.*}}_kernel_output{{.*}}, 2, 1, 1, 128, 1, 1
// CUDA-NOT: halide_cuda_run(
// OPENCL: halide_opencl_run({{.*}}_kernel_output{{.*}}, 2, 1, 1, 128, 1, 1
// OPENCL-NOT: halide_opencl_run(
quern.kernel @gemv(%x: tensor<1x64xf32>, %n: tensor<64xf32>, %w: tensor<64x64x!quern.block<q4_0>> {quern.packing = #quern.packing<panels>}) -> tensor<1x64xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.rms_norm %x, %n eps 1.000000e-05 : tensor<1x64xf32>, tensor<64xf32>
  %1 = quern.quantize %0 : tensor<1x64xf32>
  %2 = quern.matmul %1, %w : tensor<1x64x!quern.block<q8_1>>, tensor<64x64x!quern.block<q4_0>>
  quern.yield %2 : tensor<1x64xf32>
}

// Experts: a block for each of 8 groups and 2 panels of its weight, with slices of sums as other products have them.
// CUDA-LABEL: func experts
// CUDA-COUNT-3: halide_cuda_run(
// CUDA: halide_cuda_run({{.*}}_kernel_output{{.*}}, 16, 1, 1, 128, 1, 1
// CUDA-NOT: halide_cuda_run(
// OPENCL-LABEL: func experts
// OPENCL: halide_opencl_run({{.*}}_kernel_output{{.*}}, 16, 1, 1, 128, 1, 1
quern.kernel @experts(%x: tensor<1x64xf32>, %w: tensor<512x64x!quern.block<q4_0>> {quern.packing = #quern.packing<panels>}, %order: tensor<1x2xi32>, %begins: tensor<9xi32>) -> tensor<1x2x64xf32>
    attributes {form = #quern.form<experts>} {
  %0 = quern.quantize %x : tensor<1x64xf32>
  %1 = quern.matmul %0, %w groups(%order, %begins) : tensor<1x64x!quern.block<q8_1>>, tensor<512x64x!quern.block<q4_0>>, tensor<1x2xi32>, tensor<9xi32>
  quern.yield %1 : tensor<1x2x64xf32>
}
