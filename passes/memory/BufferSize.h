//===- BufferSize.h - bytes of planned buffers ------------------------------------------------===//

#ifndef QUERN_PASSES_MEMORY_BUFFERSIZE_H
#define QUERN_PASSES_MEMORY_BUFFERSIZE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace quern {

/// The bytes that a value of `type` takes at most, with symbolic dimensions at their `bounds`; reports at `op` a symbol
/// without a bound, an element that has no size of its own, and a size beyond 64 bits.
mlir::FailureOr<int64_t> getBufferBytes(mlir::RankedTensorType type, mlir::DictionaryAttr bounds, mlir::Operation *op);

} // namespace quern

#endif // QUERN_PASSES_MEMORY_BUFFERSIZE_H
