//===- Constants.cpp - what is known at compile time --------------------------------------===//

#include "passes/Constants.h"

#include "mlir/IR/Operation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace quern {

bool isConstant(Value value) {
  // In place of recursion: an expression is as deep as the model makes it.
  llvm::SetVector<Operation *> ops;
  ops.insert(value.getDefiningOp());
  for (size_t i = 0; i < ops.size(); ++i) {
    Operation *op = ops[i];
    if (!op || !isMemoryEffectFree(op))
      return false;
    for (Value operand : op->getOperands())
      ops.insert(operand.getDefiningOp());
  }
  return true;
}

} // namespace quern
