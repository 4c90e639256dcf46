// RUN: quern-opt %s --quern-verify-kernel-form | FileCheck %s

// What is in kernel form passes as it is: buffers that meet in time lie apart, those that do not may share memory.
// CHECK-LABEL: quern.program @chain(
quern.kernel @softmax(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<rows>, schedule = #quern.schedule<{}>} {
  %0 = quern.softmax %x : tensor<4xf32>
  quern.yield %0 : tensor<4xf32>
}
quern.program @chain(%x: !quern.buffer<tensor<4xf32>>, %y: !quern.buffer<tensor<4xf32>>) attributes {arena_bytes = 128 : i64} {
  %0 = quern.arena 0, 16 : <tensor<4xf32>>
  quern.launch @softmax(%x) into (%0) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  %1 = quern.arena 64, 16 : <tensor<4xf32>>
  quern.launch @softmax(%0) into (%1) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  %2 = quern.arena 0, 16 : <tensor<4xf32>>
  quern.launch @softmax(%1) into (%2) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.launch @softmax(%2) into (%y) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.end
}
