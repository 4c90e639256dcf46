//===- Origin.h - where in the model text an op comes from ------------------------------------===//

#ifndef QUERN_DIALECT_ORIGIN_H
#define QUERN_DIALECT_ORIGIN_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/SmallVector.h"

namespace quern {

/// One place that an op comes from.
struct Origin {
  /// The op that stood there (`rms_norm`), where the location says it.
  llvm::StringRef op;
  /// The instance whose function was inlined: `layers.0.mlp`; empty for an entry's own text.
  llvm::StringRef instance;
  /// The place itself, then outwards those of the calls through which it was inlined.
  llvm::SmallVector<mlir::FileLineColLoc, 4> stack;
};

/// The innermost place of a stack that is outside of the standard library, or where there is none the innermost of all.
mlir::FileLineColLoc getModelPlace(llvm::ArrayRef<mlir::FileLineColLoc> stack);

/// `place`, in the function of `instance` where that is not empty, which was inlined at `caller`,
/// null for an entry's own text.
mlir::Location inlineAt(mlir::Location place, llvm::StringRef instance, mlir::LocationAttr caller);

/// `location` as that of an op called `op`.
mlir::Location nameOp(mlir::Location location, llvm::StringRef op);

/// The places that `location` was fused from, in its order. Those that name no file are left out.
llvm::SmallVector<Origin> getOrigins(mlir::Location location);

} // namespace quern

#endif // QUERN_DIALECT_ORIGIN_H
