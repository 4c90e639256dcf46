//===- Narrow.cpp - tensors rounded to narrower elements --------------------------------------===//

#include "passes/fuse/Narrow.h"

#include "passes/TensorType.h"

#include "dialect/Ops.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace quern {

static Value createNarrow(Value value, Type type, Location loc) {
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  if (isa<BlockType>(type))
    return QuantizeOp::create(builder, loc, value);
  return CastOp::create(builder, loc, getTensorType(value).clone(type), value);
}

void NarrowedValues::narrow(OpOperand &operand, Type type) {
  Value &value = narrowed[{operand.get(), type}];
  if (!value)
    value = createNarrow(operand.get(), type, operand.getOwner()->getLoc());
  operand.set(value);
}

} // namespace quern
