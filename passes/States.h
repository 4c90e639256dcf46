//===- States.h - which state a value is --------------------------------------------------------===//

#ifndef QUERN_PASSES_STATES_H
#define QUERN_PASSES_STATES_H

#include "dialect/Ops.h"

namespace quern {

/// The name of the state whose value `cache` is, through appends; null where it is none.
mlir::StringAttr getState(mlir::Value cache);

/// Whether `use` is that of a cache by an op that knows its layout: an append, or attention.
bool isCacheUse(mlir::OpOperand &use);

/// Whether appends and attention alone use the values of `states`.
bool areCaches(mlir::ModuleOp module, const llvm::DenseSet<mlir::StringAttr> &states);

/// Gives `states` and their values, which are caches, elements of type `element`.
void setElements(mlir::ModuleOp module, const llvm::DenseSet<mlir::StringAttr> &states, mlir::Type element);

} // namespace quern

#endif // QUERN_PASSES_STATES_H
