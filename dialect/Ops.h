//===- Ops.h - the dialect's operations -------------------------------------------------------===//

#ifndef QUERN_DIALECT_OPS_H
#define QUERN_DIALECT_OPS_H

#include "dialect/Dialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace quern {

/// Quern_NamesMemory of Base.td.
template <typename OpT> class NamesMemory : public mlir::OpTrait::TraitBase<OpT, NamesMemory> {};

} // namespace quern

#define GET_OP_CLASSES
#include "dialect/Ops.h.inc"

#endif // QUERN_DIALECT_OPS_H
