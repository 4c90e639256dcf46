// RUN: quern-opt %s --quern-verify-kernel-form --split-input-file --verify-diagnostics

// expected-error@below {{in kernel form; expected only programs, kernels, parameters and states}}
quern.entry @entry(%x: tensor<4xf32>) -> tensor<4xf32> {
  quern.return %x : tensor<4xf32>
}

// -----

// expected-error@below {{has no schedule; run quern-select-schedules}}
quern.kernel @unscheduled(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>} {
  %0 = quern.softmax %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

// -----

quern.kernel @whole(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<map>, schedule = #quern.schedule<{}>} {
  // expected-error@below {{inside a kernel; run quern-lower-elementwise}}
  %0 = quern.neg %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

// -----

quern.parameter @w : tensor<4xf32>
quern.kernel @reads(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>, schedule = #quern.schedule<{}>} {
  // expected-error@below {{inside a kernel; expected only computation on its arguments}}
  %w = quern.param @w : tensor<4xf32>
  %0 = quern.softmax %w : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}

// -----

quern.kernel @anchors(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x4xf32>
    attributes {form = #quern.form<values>, schedule = #quern.schedule<{}>} {
  // expected-error@below {{is a second anchor of the kernel; expected one, or two matmuls of one tensor by weights of one type}}
  %0 = quern.matmul %x, %w : tensor<2x4xf32>, tensor<4x4xf32>
  // expected-note@below {{the anchor}}
  %1 = quern.matmul %0, %w : tensor<2x4xf32>, tensor<4x4xf32>
  quern.yield %1 : tensor<2x4xf32>
}

// -----

quern.kernel @softmax(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>, schedule = #quern.schedule<{}>} {
  %0 = quern.softmax %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
quern.program @overlap(%x: !quern.buffer<tensor<4xf32>>, %y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 128 : i64} {
  // expected-note@below {{the other buffer}}
  %0 = quern.arena 0, 128 : <tensor<4xf32>>
  quern.launch @softmax(%x) into (%0) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  // expected-error@below {{overlaps a buffer that is in use at the same time}}
  %1 = quern.arena 64, 16 : <tensor<4xf32>>
  quern.launch @softmax(%0) into (%1) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.launch @softmax(%1) into (%y) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

quern.program @outside(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 128 : i64} {
  // expected-error@below {{ends at byte 64 + 128, outside of the arena of 128}}
  %0 = quern.arena 64, 128 : <tensor<4xf32>>
  quern.end
}

// -----

quern.program @unaligned(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 128 : i64} {
  // expected-error@below {{begins at byte 8, expected a multiple of 64}}
  %0 = quern.arena 8, 16 : <tensor<4xf32>>
  quern.end
}

// -----

quern.program @small(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 128 : i64, bounds = {s = 8 : i64}} {
  // expected-error@below {{has 16 bytes, expected 32 for its tensor}}
  %0 = quern.arena 0, 16 : <tensor<?xf32, #quern.dims<s>>>
  quern.end
}

// -----

quern.kernel @softmax(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>, schedule = #quern.schedule<{}>} {
  %0 = quern.softmax %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
quern.program @unwritten(%y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 64 : i64} {
  // expected-note@below {{the buffer}}
  %0 = quern.arena 0, 16 : <tensor<4xf32>>
  // expected-error@below {{reads a buffer that nothing wrote}}
  quern.launch @softmax(%0) into (%y) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

quern.state variable @s : tensor<4xf32>
quern.kernel @softmax(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>, schedule = #quern.schedule<{}>} {
  %0 = quern.softmax %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
quern.program @state(%x: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  %0 = quern.state_buffer @s : <tensor<4xf32>>
  // expected-error@below {{writes a state by a kernel that writes nothing in place}}
  quern.launch @softmax(%x) into (%0) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

quern.parameter @p : tensor<4xf32>
quern.kernel @softmax(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>, schedule = #quern.schedule<{}>} {
  %0 = quern.softmax %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
quern.program @parameter(%x: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 0 : i64} {
  %0 = quern.param_buffer @p : <tensor<4xf32>>
  // expected-error@below {{writes a parameter}}
  quern.launch @softmax(%x) into (%0) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.end
}

// -----

quern.kernel @softmax(%x: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {form = #quern.form<rows>, schedule = #quern.schedule<{}>} {
  %0 = quern.softmax %x : tensor<2x4xf32>
  quern.yield %0 : tensor<2x4xf32>
}
quern.program @strides(%x: !quern.buffer<tensor<2x4xf32>>, %y: !quern.buffer<tensor<2x8xf32>>) attributes {arena_bytes = 0 : i64} {
  %0 = quern.part %y axis 1 offset 4 : !quern.buffer<tensor<2x8xf32>> to !quern.buffer<tensor<2x4xf32>>
  // expected-error@below {{writes into 'tensor<2x8xf32>', expected the strides of 'tensor<2x4xf32>'}}
  quern.launch @softmax(%x) into (%0) : !quern.buffer<tensor<2x4xf32>> to !quern.buffer<tensor<2x4xf32>>
  quern.end
}

// -----

quern.kernel @softmax(%x: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {form = #quern.form<rows>, schedule = #quern.schedule<{}>} {
  %0 = quern.softmax %x : tensor<2x4xf32>
  quern.yield %0 : tensor<2x4xf32>
}
quern.program @read(%x: !quern.buffer<tensor<2x8xf32>>, %y: !quern.buffer<tensor<2x4xf32>>) attributes {arena_bytes = 0 : i64} {
  %0 = quern.part %x axis 1 offset 4 : !quern.buffer<tensor<2x8xf32>> to !quern.buffer<tensor<2x4xf32>>
  // expected-error@below {{reads a part of a buffer, expected the whole}}
  quern.launch @softmax(%0) into (%y) : !quern.buffer<tensor<2x4xf32>> to !quern.buffer<tensor<2x4xf32>>
  quern.end
}
