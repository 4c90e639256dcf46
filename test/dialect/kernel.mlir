// RUN: quern-opt %s --verify-roundtrip | FileCheck %s

quern.parameter @w : tensor<16x64xf32> packing <panels>
quern.state cache @cache : tensor<8x1x64xf16>

// CHECK-LABEL: quern.kernel @project(%{{.+}}: tensor<?x64xf32, #quern.dims<s>>, %{{.+}}: tensor<16x64xf32> {quern.packing = #quern.packing<panels>})
// CHECK-SAME: form = #quern.form<contract>
// CHECK-SAME: schedule = #quern.schedule<{rows = 8 : i64, vectors = 3 : i64}>
quern.kernel @project(%x: tensor<?x64xf32, #quern.dims<s>>, %w: tensor<16x64xf32> {quern.packing = #quern.packing<panels>})
    -> tensor<?x16xf32, #quern.dims<s>>
    attributes {form = #quern.form<contract>, schedule = #quern.schedule<{rows = 8 : i64, vectors = 3 : i64}>} {
  %0 = quern.matmul %x, %w : tensor<?x64xf32, #quern.dims<s>>, tensor<16x64xf32>
  quern.yield %0 : tensor<?x16xf32, #quern.dims<s>>
}

// CHECK-LABEL: quern.kernel private @append
quern.kernel private @append(%cache: tensor<8x1x64xf16>, %x: tensor<?x1x64xf32, #quern.dims<s>>,
                             %at: tensor<?x!quern.position, #quern.dims<s>>) -> tensor<8x1x64xf16>
    attributes {form = #quern.form<append>} {
  %0 = quern.cache_append %cache, %x at %at
      : tensor<8x1x64xf16>, tensor<?x1x64xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
  quern.yield %0 : tensor<8x1x64xf16>
}

// CHECK-LABEL: quern.entry @tiled
quern.entry @tiled(%x: tensor<?x64xf32, #quern.dims<s>>, %at: tensor<?x!quern.position, #quern.dims<s>>)
    -> (tensor<?x16xf32, #quern.dims<s>>, tensor<8x1x64xf16>) {
  %w = quern.param @w : tensor<16x64xf32>
  // CHECK: %[[GROUP:.+]] = quern.fused -> tensor<?x16xf32, #quern.dims<s>> {
  // CHECK-NEXT: quern.call @project(%{{.+}}, %{{.+}}) : (tensor<?x64xf32, #quern.dims<s>>, tensor<16x64xf32>) -> tensor<?x16xf32, #quern.dims<s>>
  // CHECK-NEXT: quern.yield
  %0 = quern.fused -> tensor<?x16xf32, #quern.dims<s>> {
    %1 = quern.call @project(%x, %w)
        : (tensor<?x64xf32, #quern.dims<s>>, tensor<16x64xf32>) -> tensor<?x16xf32, #quern.dims<s>>
    quern.yield %1 : tensor<?x16xf32, #quern.dims<s>>
  }
  // CHECK: quern.state_ref @cache : tensor<8x1x64xf16>
  %2 = quern.state_ref @cache : tensor<8x1x64xf16>
  %3 = quern.reshape %x : tensor<?x64xf32, #quern.dims<s>> to tensor<?x1x64xf32, #quern.dims<s>>
  %4 = quern.call @append(%2, %3, %at) : (tensor<8x1x64xf16>, tensor<?x1x64xf32, #quern.dims<s>>,
                                          tensor<?x!quern.position, #quern.dims<s>>) -> tensor<8x1x64xf16>
  quern.return %0, %4 : tensor<?x16xf32, #quern.dims<s>>, tensor<8x1x64xf16>
}

// CHECK-LABEL: quern.program @planned
// CHECK-SAME: arena_bytes = 256 : i64
quern.program @planned(%x: !quern.buffer<tensor<4x64xf32>>, %at: !quern.buffer<tensor<4x!quern.position>>,
                       %y: !quern.buffer<tensor<4x16xf32>>)
    attributes {arg_names = ["x", "at"], result_names = ["y"], arena_bytes = 256 : i64} {
  // CHECK: quern.param_buffer @w : <tensor<16x64xf32>>
  %w = quern.param_buffer @w : !quern.buffer<tensor<16x64xf32>>
  // CHECK: quern.state_buffer @cache : <tensor<8x1x64xf16>>
  %cache = quern.state_buffer @cache : !quern.buffer<tensor<8x1x64xf16>>
  // CHECK: quern.arena 0, 256 : <tensor<4x16xf32>>
  %0 = quern.arena 0, 256 : !quern.buffer<tensor<4x16xf32>>
  // CHECK: quern.alias %{{.+}} : <tensor<4x16xf32>> to <tensor<64xf32>>
  %1 = quern.alias %0 : !quern.buffer<tensor<4x16xf32>> to !quern.buffer<tensor<64xf32>>
  // CHECK: quern.launch @static(%{{.+}}, %{{.+}}) into(%{{.+}}) : !quern.buffer<tensor<4x64xf32>>, !quern.buffer<tensor<16x64xf32>> to !quern.buffer<tensor<4x16xf32>>
  quern.launch @static(%x, %w) into (%y) : !quern.buffer<tensor<4x64xf32>>, !quern.buffer<tensor<16x64xf32>>
      to !quern.buffer<tensor<4x16xf32>>
  // CHECK: quern.end
  quern.end
}
quern.kernel @static(%x: tensor<4x64xf32>, %w: tensor<16x64xf32> {quern.packing = #quern.packing<panels>}) -> tensor<4x16xf32>
    attributes {form = #quern.form<contract>} {
  %0 = quern.matmul %x, %w : tensor<4x64xf32>, tensor<16x64xf32>
  quern.yield %0 : tensor<4x16xf32>
}

// CHECK: module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni", vectorRegisters = 32, bf16Dot = true>}
module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576,
                                                dot = "vnni", vectorRegisters = 32, bf16Dot = true>} {}

// CHECK: module attributes {quern.target = #quern.gpu<"cuda", blockThreads = 256, bf16Dot = true, processors = 132, residentThreads = 2048, instructionsPerNs = 29652, bytesPerNs = 4800, launchNs = 2000>}
module attributes {quern.target = #quern.gpu<"cuda", blockThreads = 256, bf16Dot = true, processors = 132, residentThreads = 2048, instructionsPerNs = 29652, bytesPerNs = 4800, launchNs = 2000>} {}
// CHECK: module attributes {quern.target = #quern.gpu<"opencl", blockThreads = 128, processors = 132, residentThreads = 2048, instructionsPerNs = 29652, bytesPerNs = 4800, launchNs = 2000>}
module attributes {quern.target = #quern.gpu<"opencl", blockThreads = 128, processors = 132, residentThreads = 2048, instructionsPerNs = 29652, bytesPerNs = 4800, launchNs = 2000>} {}
