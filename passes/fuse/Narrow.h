//===- Narrow.h - tensors rounded to narrower elements ----------------------------------------===//

#ifndef QUERN_PASSES_FUSE_NARROW_H
#define QUERN_PASSES_FUSE_NARROW_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace quern {

/// Rounded values, one per value and type: what reads it is then seen to read the same.
class NarrowedValues {
public:
  /// Lets `operand` read its value rounded to elements of `type`, q8_1 or a float, by an op behind that value.
  void narrow(mlir::OpOperand &operand, mlir::Type type);
  /// Whether something reads `value` rounded to `type`.
  bool has(mlir::Value value, mlir::Type type) const { return narrowed.contains({value, type}); }

private:
  llvm::DenseMap<std::pair<mlir::Value, mlir::Type>, mlir::Value> narrowed;
};

} // namespace quern

#endif // QUERN_PASSES_FUSE_NARROW_H
