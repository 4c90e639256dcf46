//===- BufferSize.cpp - bytes of planned buffers ----------------------------------------------===//

#include "passes/memory/BufferSize.h"

#include "dialect/Dialect.h"
#include "dialect/Shapes.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace quern {

/// The bytes of one element, or 0 where it has no size of its own (blocks).
static int64_t getElementBytes(Type type) {
  if (isa<PositionType>(type))
    return positionFields * int64_t(sizeof(int32_t));
  return type.isIntOrFloat() ? int64_t(llvm::divideCeil(type.getIntOrFloatBitWidth(), 8)) : 0;
}

FailureOr<int64_t> getBufferBytes(RankedTensorType type, DictionaryAttr bounds, Operation *op) {
  int64_t bytes = getElementBytes(type.getElementType());
  if (bytes == 0)
    return op->emitOpError("gives elements of type ") << type.getElementType() << ", which no buffer holds";
  for (Dim dim : getDims(type)) {
    int64_t size = dim.size();
    if (!dim.isStatic()) {
      auto bound = bounds ? bounds.getAs<IntegerAttr>(dim.name()) : IntegerAttr();
      if (!bound)
        return op->emitOpError("dimension `") << dim.name().getValue() << "` is none of the arguments'";
      size = bound.getInt();
    }
    if (size < 0 || llvm::MulOverflow(bytes, size, bytes) || bytes > INT64_MAX / 2)
      return op->emitOpError("gives ") << type << ", too large for memory";
  }
  return bytes;
}

} // namespace quern
