//===- ElementNames.h - element types by their words ------------------------------------------===//

#ifndef QUERN_FRONTEND_ELEMENTNAMES_H
#define QUERN_FRONTEND_ELEMENTNAMES_H

#include "mlir/IR/Types.h"
#include "llvm/ADT/StringRef.h"

namespace quern::frontend {

enum class StorageType : uint8_t;

/// The element type that the language calls `name` (`f32`, `i32`, `Positions`, …), or null.
mlir::Type findElement(llvm::StringRef name, mlir::MLIRContext *context);

/// The element type of a stored tensor, or null for one that no graph computes with.
mlir::Type elementOf(StorageType storage, mlir::MLIRContext *context);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_ELEMENTNAMES_H
