//===- Destination.h - values that are written in place ---------------------------------------===//

#ifndef QUERN_DIALECT_DESTINATION_H
#define QUERN_DIALECT_DESTINATION_H

#include "dialect/Dialect.h"

namespace quern {

/// The operand whose memory `value` is, an op's result; null where it has memory of its own, or is no result.
inline mlir::OpOperand *getDestination(mlir::Value value) {
  auto op = llvm::dyn_cast_or_null<DestinationOpInterface>(value.getDefiningOp());
  return op ? op.getDestination(llvm::cast<mlir::OpResult>(value)) : nullptr;
}

/// Whether `op` itself writes one of its operands.
inline bool writesInPlace(mlir::Operation *op) {
  return llvm::any_of(op->getResults(), [](mlir::Value result) { return getDestination(result) != nullptr; });
}

} // namespace quern

#endif // QUERN_DIALECT_DESTINATION_H
