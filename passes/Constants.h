//===- Constants.h - what is known at compile time ----------------------------------------===//

#ifndef QUERN_PASSES_CONSTANTS_H
#define QUERN_PASSES_CONSTANTS_H

#include "mlir/IR/Value.h"

namespace quern {

/// Whether `value` depends on parameters and literals alone, through ops that have no effects.
bool isConstant(mlir::Value value);

} // namespace quern

#endif // QUERN_PASSES_CONSTANTS_H
