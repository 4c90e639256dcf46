//===- Shapes.h - tensor types with named dimensions ------------------------------------------===//

#ifndef QUERN_DIALECT_SHAPES_H
#define QUERN_DIALECT_SHAPES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace quern {

/// One dimension: a size, or the name of a size known at run time.
class Dim {
public:
  static Dim fixed(int64_t size) { return Dim(size, {}); }
  static Dim symbol(mlir::StringAttr name) { return Dim(mlir::ShapedType::kDynamic, name); }

  bool isStatic() const { return !symbolName; }
  /// The size of a static dimension.
  int64_t size() const { return staticSize; }
  /// The name of a symbolic dimension; null for a static one.
  mlir::StringAttr name() const { return symbolName; }
  /// Whether it is dynamic and has no name of its own; see getDims.
  bool isUnnamed() const { return !isStatic() && name().getValue() == "?"; }
  bool operator==(const Dim &other) const { return staticSize == other.staticSize && symbolName == other.symbolName; }

private:
  Dim(int64_t size, mlir::StringAttr name) : staticSize(size), symbolName(name) {}
  int64_t staticSize;
  mlir::StringAttr symbolName;
};

/// The dimensions of `type`, outermost first. A dynamic dimension without a name gets the name `?`, equal to no other.
llvm::SmallVector<Dim> getDims(mlir::RankedTensorType type);

/// The tensor type of these dimensions; names go into a `#quern.dims` encoding, absent where every dimension is static.
mlir::RankedTensorType getTensorType(llvm::ArrayRef<Dim> dims, mlir::Type elementType);

/// `type` with another element type.
mlir::RankedTensorType withElementType(mlir::RankedTensorType type, mlir::Type elementType);

/// The shape to which `a` and `b` broadcast by the rules of NumPy (align at the right, 1 stretches), or failure.
mlir::FailureOr<llvm::SmallVector<Dim>> broadcastDims(llvm::ArrayRef<Dim> a, llvm::ArrayRef<Dim> b);

/// How many rows are one task where rows are shared between tasks.
inline constexpr int rowsPerTask = 8;

/// Whether the rows of `type`, its first dimension, are known to be one task at most: kernels of few rows have loops of
/// their own.
bool areFew(mlir::RankedTensorType type);

/// `[s, 576]`: a shape as the language writes it.
std::string formatDims(llvm::ArrayRef<Dim> dims);

} // namespace quern

#endif // QUERN_DIALECT_SHAPES_H
