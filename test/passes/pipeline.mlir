// RUN: quern-opt %s --quern-kernels | FileCheck %s
// RUN: quern-opt %s --quern-kernels=exact | FileCheck %s --check-prefix=EXACT
// RUN: quern-opt %s --quern-graph | FileCheck %s --check-prefix=GRAPH
// RUN: quern-opt %s --quern-fused | FileCheck %s --check-prefix=FUSED
// RUN: quern-opt %s --quern-tiled | FileCheck %s --check-prefix=TILED

// Two decoder layers of the LLaMA architecture with 4-bit weights and tied embeddings, from the frontend's module to
// kernels and programs.

// GRAPH-LABEL: quern.entry @forward.s1.r1(
// GRAPH-LABEL: quern.entry @forward.r1(
// GRAPH-LABEL: quern.entry @forward(

// FUSED-DAG: quern.parameter "private" @"model.layers.0.q_proj.weight+model.layers.0.k_proj.weight+model.layers.0.v_proj.weight"
// FUSED-DAG: quern.parameter "private" @folded : tensor<256x8x2xf32>
// FUSED-LABEL: quern.entry @forward.s1.r1(
// FUSED: quern.fused
// FUSED-NEXT: quern.rms_norm
// FUSED-NEXT: quern.quantize
// FUSED-NEXT: quern.matmul

// TILED-LABEL: quern.entry @forward.s1.r1(
// TILED: quern.call @quern_gather_q8_0_320x64_1x64_gather__

// One token: nine kernels, of which both layers share seven, and sixteen launches; nothing else is computed.
// CHECK-LABEL: quern.program @forward.s1.r1(
// CHECK-SAME: arena_bytes = 1280 : i64
// CHECK-SAME: variant_of = @forward, when = {r = 1 : i64, s = 1 : i64}
// CHECK: quern.launch @[[EMBED:quern_gather_q8_0_320x64_1x64_gather__[0-9a-f]*]](
// CHECK: quern.launch @[[QKV:quern_contract_q4_1_128x64_1x128_rms_norm_quantize_matmul__[0-9a-f]*]](
// CHECK: quern.launch @[[KEYS:quern_append_bf16_256x2x16_slice_rope_cache_append__[0-9a-f]*]](
// CHECK: quern.launch @[[VALUES:quern_append_bf16_256x2x16_slice_cache_append__[0-9a-f]*]](
// CHECK: quern.launch @[[ATTEND:quern_attention_bf16_256x2x16_1x4x16_slice_rope_map_attend__[0-9a-f]*]](
// CHECK: quern.launch @[[OUT:quern_contract_q4_1_64x64_1x64_quantize_matmul_map__[0-9a-f]*]](
// CHECK: quern.launch @[[GATE:quern_contract_q4_1_128x64_1x128_rms_norm_quantize_matmul_matmul_map__[0-9a-f]*]](
// CHECK: quern.launch @[[DOWN:quern_contract_q4_1_64x128_1x64_quantize_matmul_map__[0-9a-f]*]](
// CHECK: quern.launch @[[QKV]](
// CHECK: quern.launch @[[KEYS]](
// CHECK: quern.launch @[[VALUES]](
// CHECK: quern.launch @[[ATTEND]](
// CHECK: quern.launch @[[OUT]](
// CHECK: quern.launch @[[GATE]](
// CHECK: quern.launch @[[DOWN]](
// CHECK: quern.launch @[[LOGITS:quern_contract_q8_0_320x64_1x320_rms_norm_quantize_matmul__[0-9a-f]*]]({{.*}}) into(%arg3)
// CHECK-NOT: quern.launch
// CHECK-LABEL: quern.program @forward.s4.r4(

// Many tokens of which one is wanted: what comes after the last attention is computed for that one.
// CHECK-LABEL: quern.program @forward.r1(
// CHECK: quern.launch @quern_attention_bf16_256x2x16_sx4x16_slice_rope_map_attend__
// CHECK: quern.launch @quern_contract_q4_1_64x128_sx64_quantize_matmul_map__
// CHECK: quern.launch @quern_attention_bf16_256x2x16_sx4x16_slice_rope_map_attend__
// CHECK: quern.launch @quern_gather_f32_sx4x16_1x4x16_gather__
// CHECK: quern.launch @quern_contract_q4_1_64x64_1x64_quantize_matmul__
// CHECK: quern.launch @quern_gather_f32_sx64_1x64_gather_map__
// CHECK: quern.launch @[[GATE]](
// CHECK: quern.launch @[[DOWN]](
// CHECK: quern.launch @[[LOGITS]](
// CHECK-NOT: quern.launch
// CHECK-LABEL: quern.program @forward(

// With `exact` activations stay f32.
// EXACT-NOT: quern.quantize
// EXACT-LABEL: quern.program @forward(

module attributes {quern.target = #quern.cpu<"zen4", vectorBits = 512, l1Bytes = 32768, l2Bytes = 1048576, dot = "vnni", vectorRegisters = 32>} {
  quern.parameter @embed.weight : tensor<320x64x!quern.block<q8_0>>
  quern.parameter @model.layers.0.q_proj.weight : tensor<64x64x!quern.block<q4_1>>
  quern.parameter @model.layers.0.k_proj.weight : tensor<32x64x!quern.block<q4_1>>
  quern.parameter @model.layers.0.v_proj.weight : tensor<32x64x!quern.block<q4_1>>
  quern.parameter @model.layers.0.o_proj.weight : tensor<64x64x!quern.block<q4_1>>
  quern.parameter @model.layers.0.gate.weight : tensor<128x64x!quern.block<q4_1>>
  quern.parameter @model.layers.0.up.weight : tensor<128x64x!quern.block<q4_1>>
  quern.parameter @model.layers.0.down.weight : tensor<64x128x!quern.block<q4_1>>
  quern.parameter @model.layers.0.ln1.weight : tensor<64xf32>
  quern.parameter @model.layers.0.ln2.weight : tensor<64xf32>
  quern.state cache @model.layers.0.keys : tensor<256x2x16xf16>
  quern.state cache @model.layers.0.values : tensor<256x2x16xf16>
  quern.parameter @model.layers.1.q_proj.weight : tensor<64x64x!quern.block<q4_1>>
  quern.parameter @model.layers.1.k_proj.weight : tensor<32x64x!quern.block<q4_1>>
  quern.parameter @model.layers.1.v_proj.weight : tensor<32x64x!quern.block<q4_1>>
  quern.parameter @model.layers.1.o_proj.weight : tensor<64x64x!quern.block<q4_1>>
  quern.parameter @model.layers.1.gate.weight : tensor<128x64x!quern.block<q4_1>>
  quern.parameter @model.layers.1.up.weight : tensor<128x64x!quern.block<q4_1>>
  quern.parameter @model.layers.1.down.weight : tensor<64x128x!quern.block<q4_1>>
  quern.parameter @model.layers.1.ln1.weight : tensor<64xf32>
  quern.parameter @model.layers.1.ln2.weight : tensor<64xf32>
  quern.state cache @model.layers.1.keys : tensor<256x2x16xf16>
  quern.state cache @model.layers.1.values : tensor<256x2x16xf16>
  quern.parameter @model.norm.weight : tensor<64xf32>
  quern.entry @forward(%arg0: tensor<?xi32, #quern.dims<s>>, %arg1: tensor<?x!quern.position, #quern.dims<s>>, %arg2: tensor<?xi32, #quern.dims<r>>) -> tensor<?x320xf32, #quern.dims<r>> attributes {arg_names = ["tokens", "at", "want"], result_names = ["logits"]} {
    %0 = quern.param @embed.weight : tensor<320x64x!quern.block<q8_0>>
    %1 = quern.gather %0[%arg0] : tensor<320x64x!quern.block<q8_0>>, tensor<?xi32, #quern.dims<s>>
    %2 = quern.param @model.layers.0.ln1.weight : tensor<64xf32>
    %3 = quern.rms_norm %1, %2 eps 1.000000e-05 : tensor<?x64xf32, #quern.dims<s>>, tensor<64xf32>
    %4 = quern.param @model.layers.0.q_proj.weight : tensor<64x64x!quern.block<q4_1>>
    %5 = quern.matmul %3, %4 : tensor<?x64xf32, #quern.dims<s>>, tensor<64x64x!quern.block<q4_1>>
    %6 = quern.param @model.layers.0.k_proj.weight : tensor<32x64x!quern.block<q4_1>>
    %7 = quern.matmul %3, %6 : tensor<?x64xf32, #quern.dims<s>>, tensor<32x64x!quern.block<q4_1>>
    %8 = quern.param @model.layers.0.v_proj.weight : tensor<32x64x!quern.block<q4_1>>
    %9 = quern.matmul %3, %8 : tensor<?x64xf32, #quern.dims<s>>, tensor<32x64x!quern.block<q4_1>>
    %10 = quern.reshape %5 : tensor<?x64xf32, #quern.dims<s>> to tensor<?x4x16xf32, #quern.dims<s>>
    %11 = quern.reshape %7 : tensor<?x32xf32, #quern.dims<s>> to tensor<?x2x16xf32, #quern.dims<s>>
    %12 = quern.reshape %9 : tensor<?x32xf32, #quern.dims<s>> to tensor<?x2x16xf32, #quern.dims<s>>
    %13 = quern.iota : tensor<256xf32>
    %14 = quern.iota : tensor<8xf32>
    %15 = quern.constant dense<-5.700000e-01> : tensor<8xf32>
    %16 = quern.mul %14, %15 : tensor<8xf32>, tensor<8xf32>
    %17 = quern.exp %16 : tensor<8xf32>
    %18 = quern.reshape %13 : tensor<256xf32> to tensor<256x1xf32>
    %19 = quern.mul %18, %17 : tensor<256x1xf32>, tensor<8xf32>
    %20 = quern.cos %19 : tensor<256x8xf32>
    %21 = quern.sin %19 : tensor<256x8xf32>
    %22 = quern.reshape %20 : tensor<256x8xf32> to tensor<256x8x1xf32>
    %23 = quern.reshape %21 : tensor<256x8xf32> to tensor<256x8x1xf32>
    %24 = quern.concat %22, %23 axis 2 : tensor<256x8x1xf32>, tensor<256x8x1xf32>
    %25 = quern.rope %10 at %arg1, %24 : tensor<?x4x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>, tensor<256x8x2xf32>
    %26 = quern.rope %11 at %arg1, %24 : tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>, tensor<256x8x2xf32>
    %27 = quern.state_ref @model.layers.0.keys : tensor<256x2x16xf16>
    %28 = quern.state_ref @model.layers.0.values : tensor<256x2x16xf16>
    %29 = quern.cache_append %27, %26 at %arg1 : tensor<256x2x16xf16>, tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
    %30 = quern.cache_append %28, %12 at %arg1 : tensor<256x2x16xf16>, tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
    %31 = quern.attend %25, %29, %30 at %arg1 scale 2.500000e-01 : tensor<?x4x16xf32, #quern.dims<s>>, tensor<256x2x16xf16>, tensor<256x2x16xf16>, tensor<?x!quern.position, #quern.dims<s>>
    %32 = quern.reshape %31 : tensor<?x4x16xf32, #quern.dims<s>> to tensor<?x64xf32, #quern.dims<s>>
    %33 = quern.param @model.layers.0.o_proj.weight : tensor<64x64x!quern.block<q4_1>>
    %34 = quern.matmul %32, %33 : tensor<?x64xf32, #quern.dims<s>>, tensor<64x64x!quern.block<q4_1>>
    %35 = quern.add %1, %34 : tensor<?x64xf32, #quern.dims<s>>, tensor<?x64xf32, #quern.dims<s>>
    %36 = quern.param @model.layers.0.ln2.weight : tensor<64xf32>
    %37 = quern.rms_norm %35, %36 eps 1.000000e-05 : tensor<?x64xf32, #quern.dims<s>>, tensor<64xf32>
    %38 = quern.param @model.layers.0.gate.weight : tensor<128x64x!quern.block<q4_1>>
    %39 = quern.matmul %37, %38 : tensor<?x64xf32, #quern.dims<s>>, tensor<128x64x!quern.block<q4_1>>
    %40 = quern.param @model.layers.0.up.weight : tensor<128x64x!quern.block<q4_1>>
    %41 = quern.matmul %37, %40 : tensor<?x64xf32, #quern.dims<s>>, tensor<128x64x!quern.block<q4_1>>
    %42 = quern.silu %39 : tensor<?x128xf32, #quern.dims<s>>
    %43 = quern.mul %42, %41 : tensor<?x128xf32, #quern.dims<s>>, tensor<?x128xf32, #quern.dims<s>>
    %44 = quern.param @model.layers.0.down.weight : tensor<64x128x!quern.block<q4_1>>
    %45 = quern.matmul %43, %44 : tensor<?x128xf32, #quern.dims<s>>, tensor<64x128x!quern.block<q4_1>>
    %46 = quern.add %35, %45 : tensor<?x64xf32, #quern.dims<s>>, tensor<?x64xf32, #quern.dims<s>>
    %47 = quern.param @model.layers.1.ln1.weight : tensor<64xf32>
    %48 = quern.rms_norm %46, %47 eps 1.000000e-05 : tensor<?x64xf32, #quern.dims<s>>, tensor<64xf32>
    %49 = quern.param @model.layers.1.q_proj.weight : tensor<64x64x!quern.block<q4_1>>
    %50 = quern.matmul %48, %49 : tensor<?x64xf32, #quern.dims<s>>, tensor<64x64x!quern.block<q4_1>>
    %51 = quern.param @model.layers.1.k_proj.weight : tensor<32x64x!quern.block<q4_1>>
    %52 = quern.matmul %48, %51 : tensor<?x64xf32, #quern.dims<s>>, tensor<32x64x!quern.block<q4_1>>
    %53 = quern.param @model.layers.1.v_proj.weight : tensor<32x64x!quern.block<q4_1>>
    %54 = quern.matmul %48, %53 : tensor<?x64xf32, #quern.dims<s>>, tensor<32x64x!quern.block<q4_1>>
    %55 = quern.reshape %50 : tensor<?x64xf32, #quern.dims<s>> to tensor<?x4x16xf32, #quern.dims<s>>
    %56 = quern.reshape %52 : tensor<?x32xf32, #quern.dims<s>> to tensor<?x2x16xf32, #quern.dims<s>>
    %57 = quern.reshape %54 : tensor<?x32xf32, #quern.dims<s>> to tensor<?x2x16xf32, #quern.dims<s>>
    %58 = quern.rope %55 at %arg1, %24 : tensor<?x4x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>, tensor<256x8x2xf32>
    %59 = quern.rope %56 at %arg1, %24 : tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>, tensor<256x8x2xf32>
    %60 = quern.state_ref @model.layers.1.keys : tensor<256x2x16xf16>
    %61 = quern.state_ref @model.layers.1.values : tensor<256x2x16xf16>
    %62 = quern.cache_append %60, %59 at %arg1 : tensor<256x2x16xf16>, tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
    %63 = quern.cache_append %61, %57 at %arg1 : tensor<256x2x16xf16>, tensor<?x2x16xf32, #quern.dims<s>>, tensor<?x!quern.position, #quern.dims<s>>
    %64 = quern.attend %58, %62, %63 at %arg1 scale 2.500000e-01 : tensor<?x4x16xf32, #quern.dims<s>>, tensor<256x2x16xf16>, tensor<256x2x16xf16>, tensor<?x!quern.position, #quern.dims<s>>
    %65 = quern.reshape %64 : tensor<?x4x16xf32, #quern.dims<s>> to tensor<?x64xf32, #quern.dims<s>>
    %66 = quern.param @model.layers.1.o_proj.weight : tensor<64x64x!quern.block<q4_1>>
    %67 = quern.matmul %65, %66 : tensor<?x64xf32, #quern.dims<s>>, tensor<64x64x!quern.block<q4_1>>
    %68 = quern.add %46, %67 : tensor<?x64xf32, #quern.dims<s>>, tensor<?x64xf32, #quern.dims<s>>
    %69 = quern.param @model.layers.1.ln2.weight : tensor<64xf32>
    %70 = quern.rms_norm %68, %69 eps 1.000000e-05 : tensor<?x64xf32, #quern.dims<s>>, tensor<64xf32>
    %71 = quern.param @model.layers.1.gate.weight : tensor<128x64x!quern.block<q4_1>>
    %72 = quern.matmul %70, %71 : tensor<?x64xf32, #quern.dims<s>>, tensor<128x64x!quern.block<q4_1>>
    %73 = quern.param @model.layers.1.up.weight : tensor<128x64x!quern.block<q4_1>>
    %74 = quern.matmul %70, %73 : tensor<?x64xf32, #quern.dims<s>>, tensor<128x64x!quern.block<q4_1>>
    %75 = quern.silu %72 : tensor<?x128xf32, #quern.dims<s>>
    %76 = quern.mul %75, %74 : tensor<?x128xf32, #quern.dims<s>>, tensor<?x128xf32, #quern.dims<s>>
    %77 = quern.param @model.layers.1.down.weight : tensor<64x128x!quern.block<q4_1>>
    %78 = quern.matmul %76, %77 : tensor<?x128xf32, #quern.dims<s>>, tensor<64x128x!quern.block<q4_1>>
    %79 = quern.add %68, %78 : tensor<?x64xf32, #quern.dims<s>>, tensor<?x64xf32, #quern.dims<s>>
    %80 = quern.param @model.norm.weight : tensor<64xf32>
    %81 = quern.rms_norm %79, %80 eps 1.000000e-05 : tensor<?x64xf32, #quern.dims<s>>, tensor<64xf32>
    %82 = quern.gather %81[%arg2] : tensor<?x64xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
    %83 = quern.matmul %82, %0 : tensor<?x64xf32, #quern.dims<r>>, tensor<320x64x!quern.block<q8_0>>
    quern.return %83 : tensor<?x320xf32, #quern.dims<r>>
  }
}

