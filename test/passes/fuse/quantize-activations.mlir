// RUN: quern-opt %s --split-input-file --quern-quantize-activations | FileCheck %s

quern.parameter @a : tensor<8x64x!quern.block<q4_1>>
quern.parameter @b : tensor<8x64x!quern.block<q8_0>>
quern.parameter @f : tensor<8x64xf16>
quern.parameter @odd : tensor<8x48x!quern.block<q8_0>>

// Two weights of blocks on one tensor: it is quantised once.
// CHECK-LABEL: quern.entry @blocks(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x64xf32>
// CHECK: %[[Q:.*]] = quern.quantize %[[X]]
// CHECK-NOT: quern.quantize
// CHECK: quern.matmul %[[Q]], %{{.*}} : tensor<2x64x!quern.block<q8_1>>, tensor<8x64x!quern.block<q4_1>>
// CHECK: quern.matmul %[[Q]], %{{.*}} : tensor<2x64x!quern.block<q8_1>>, tensor<8x64x!quern.block<q8_0>>
// A weight of floats reads the tensor itself.
// CHECK: quern.matmul %[[X]], %{{.*}} : tensor<2x64xf32>, tensor<8x64xf16>
quern.entry @blocks(%x: tensor<2x64xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %a = quern.param @a : tensor<8x64x!quern.block<q4_1>>
  %0 = quern.matmul %x, %a : tensor<2x64xf32>, tensor<8x64x!quern.block<q4_1>>
  %b = quern.param @b : tensor<8x64x!quern.block<q8_0>>
  %1 = quern.matmul %x, %b : tensor<2x64xf32>, tensor<8x64x!quern.block<q8_0>>
  %f = quern.param @f : tensor<8x64xf16>
  %2 = quern.matmul %x, %f : tensor<2x64xf32>, tensor<8x64xf16>
  quern.return %0, %1, %2 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}

// 48 is no multiple of 32.
// CHECK-LABEL: quern.entry @odd_depth(
// CHECK-NOT: quern.quantize
// CHECK: quern.matmul
quern.entry @odd_depth(%x: tensor<2x48xf32>) -> tensor<2x8xf32> {
  %w = quern.param @odd : tensor<8x48x!quern.block<q8_0>>
  %0 = quern.matmul %x, %w : tensor<2x48xf32>, tensor<8x48x!quern.block<q8_0>>
  quern.return %0 : tensor<2x8xf32>
}

// What is quantised already stays so.
// CHECK-LABEL: quern.entry @quantized(
// CHECK: quern.quantize
// CHECK-NOT: quern.quantize
// CHECK: quern.matmul
quern.entry @quantized(%x: tensor<2x64xf32>) -> tensor<2x8xf32> {
  %q = quern.quantize %x : tensor<2x64xf32>
  %a = quern.param @a : tensor<8x64x!quern.block<q4_1>>
  %0 = quern.matmul %q, %a : tensor<2x64x!quern.block<q8_1>>, tensor<8x64x!quern.block<q4_1>>
  quern.return %0 : tensor<2x8xf32>
}

// Without an instruction for products of bf16 nothing is rounded to it.
quern.parameter @bf16 : tensor<8x64xbf16>
// CHECK-LABEL: quern.entry @no_instruction(
// CHECK-NOT: quern.cast
// CHECK: quern.matmul %{{.*}} : tensor<2x64xf32>, tensor<8x64xbf16>
quern.entry @no_instruction(%x: tensor<2x64xf32>) -> tensor<2x8xf32> {
  %w = quern.param @bf16 : tensor<8x64xbf16>
  %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<8x64xbf16>
  quern.return %0 : tensor<2x8xf32>
}

// -----

module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni", vectorRegisters = 32, bf16Dot = true>} {
  quern.parameter @a : tensor<8x64xbf16>
  quern.parameter @b : tensor<4x64xbf16>
  quern.parameter @q : tensor<8x64x!quern.block<q8_0>>
  quern.parameter @f : tensor<8x64xf16>

  // One rounded tensor for both weights of bf16; each other type of weights has its own left side.
  // CHECK-LABEL: quern.entry @bf16(
  // CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<?x64xf32, #quern.dims<s>>
  // CHECK-DAG: %[[R:.*]] = quern.cast %[[X]] : tensor<?x64xf32, #quern.dims<s>> to tensor<?x64xbf16, #quern.dims<s>>
  // CHECK-DAG: %[[Q:.*]] = quern.quantize %[[X]]
  // CHECK-NOT: quern.cast
  // CHECK: quern.matmul %[[R]], %{{.*}} : tensor<?x64xbf16, #quern.dims<s>>, tensor<8x64xbf16>
  // CHECK: quern.matmul %[[R]], %{{.*}} : tensor<?x64xbf16, #quern.dims<s>>, tensor<4x64xbf16>
  // CHECK: quern.matmul %[[Q]], %{{.*}} : tensor<?x64x!quern.block<q8_1>, #quern.dims<s>>, tensor<8x64x!quern.block<q8_0>>
  // CHECK: quern.matmul %[[X]], %{{.*}} : tensor<?x64xf32, #quern.dims<s>>, tensor<8x64xf16>
  quern.entry @bf16(%x: tensor<?x64xf32, #quern.dims<s>>)
      -> (tensor<?x8xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>, tensor<?x8xf32, #quern.dims<s>>, tensor<?x8xf32, #quern.dims<s>>) {
    %a = quern.param @a : tensor<8x64xbf16>
    %0 = quern.matmul %x, %a : tensor<?x64xf32, #quern.dims<s>>, tensor<8x64xbf16>
    %b = quern.param @b : tensor<4x64xbf16>
    %1 = quern.matmul %x, %b : tensor<?x64xf32, #quern.dims<s>>, tensor<4x64xbf16>
    %q = quern.param @q : tensor<8x64x!quern.block<q8_0>>
    %2 = quern.matmul %x, %q : tensor<?x64xf32, #quern.dims<s>>, tensor<8x64x!quern.block<q8_0>>
    %f = quern.param @f : tensor<8x64xf16>
    %3 = quern.matmul %x, %f : tensor<?x64xf32, #quern.dims<s>>, tensor<8x64xf16>
    quern.return %0, %1, %2, %3 : tensor<?x8xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>, tensor<?x8xf32, #quern.dims<s>>, tensor<?x8xf32, #quern.dims<s>>
  }

  // What is rounded already stays so.
  // CHECK-LABEL: quern.entry @rounded(
  // CHECK-NOT: quern.cast
  // CHECK: quern.matmul
  quern.entry @rounded(%x: tensor<2x64xbf16>) -> tensor<2x8xf32> {
    %a = quern.param @a : tensor<8x64xbf16>
    %0 = quern.matmul %x, %a : tensor<2x64xbf16>, tensor<8x64xbf16>
    quern.return %0 : tensor<2x8xf32>
  }
}

// -----

module attributes {quern.target = #quern.gpu<"cuda", blockThreads = 256, bf16Dot = true, processors = 132, residentThreads = 2048, instructionsPerNs = 29652, bytesPerNs = 4800, launchNs = 2000>} {
  quern.parameter @w : tensor<8x64xbf16>
  // CHECK-LABEL: quern.entry @tensor_cores(
  // CHECK: quern.matmul %{{.*}} : tensor<2x64xbf16>, tensor<8x64xbf16>
  quern.entry @tensor_cores(%x: tensor<2x64xf32>) -> tensor<2x8xf32> {
    %w = quern.param @w : tensor<8x64xbf16>
    %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<8x64xbf16>
    quern.return %0 : tensor<2x8xf32>
  }
}

// -----

module attributes {quern.target = #quern.gpu<"opencl", blockThreads = 128, processors = 132, residentThreads = 2048, instructionsPerNs = 29652, bytesPerNs = 4800, launchNs = 2000>} {
  quern.parameter @w : tensor<8x64xbf16>
  // CHECK-LABEL: quern.entry @no_tensor_cores(
  // CHECK: quern.matmul %{{.*}} : tensor<2x64xf32>, tensor<8x64xbf16>
  quern.entry @no_tensor_cores(%x: tensor<2x64xf32>) -> tensor<2x8xf32> {
    %w = quern.param @w : tensor<8x64xbf16>
    %0 = quern.matmul %x, %w : tensor<2x64xf32>, tensor<8x64xbf16>
    quern.return %0 : tensor<2x8xf32>
  }
}
