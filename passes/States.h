//===- States.h - which state a value is --------------------------------------------------------===//

#ifndef QUERN_PASSES_STATES_H
#define QUERN_PASSES_STATES_H

#include "dialect/Ops.h"

namespace quern {

/// The name of the state whose value `cache` is, through appends; null where it is none.
mlir::StringAttr getState(mlir::Value cache);

} // namespace quern

#endif // QUERN_PASSES_STATES_H
