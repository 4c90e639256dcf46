//===- Ops.td - every op of the dialect -------------------------------------------------------===//

include "dialect/ops/Structure.td"
include "dialect/ops/Kernel.td"
include "dialect/ops/Elementwise.td"
include "dialect/ops/Movement.td"
include "dialect/ops/Reduction.td"
include "dialect/ops/Contraction.td"
include "dialect/ops/Convolution.td"
include "dialect/ops/Attention.td"
include "dialect/ops/Routing.td"
