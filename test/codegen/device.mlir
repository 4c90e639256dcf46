// RUN: %unit/kernel-text signature cuda < %s | FileCheck %s --check-prefix=SIGNATURE
// RUN: %unit/kernel-text loops cuda < %s | FileCheck %s --check-prefix=CUDA
// RUN: %unit/kernel-text loops opencl < %s | FileCheck %s --check-prefix=OPENCL

// Quants are words, and a row's norm, quants and product are one launch.
// SIGNATURE: operand 2 at 32: u32[16:1, 4:16, 2:72, 4:144]
// CUDA: func gemv (__user_context, arg0, arg1, arg2, arg3, output)
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
