//===- TensorType.h - the tensor type of a value ----------------------------------------------===//

#ifndef QUERN_PASSES_TENSORTYPE_H
#define QUERN_PASSES_TENSORTYPE_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace quern {

/// The type of `value`, which is a ranked tensor in every op of the dialect that computes.
inline mlir::RankedTensorType getTensorType(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}

} // namespace quern

#endif // QUERN_PASSES_TENSORTYPE_H
