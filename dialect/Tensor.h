//===- Tensor.h - the value of a tensor -------------------------------------------------------===//

#ifndef QUERN_DIALECT_TENSOR_H
#define QUERN_DIALECT_TENSOR_H

#include "dialect/Positions.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ArrayRef.h"

#include <cassert>
#include <memory>
#include <vector>

namespace quern {

/// Bytes of `count` consecutive elements of `elementType` along the last axis: floats and integers as the machine holds
/// them (i1 as one byte), blocks as their format stores them, a position as its i32 fields. Failure where the elements
/// have no storage, or where `count` is not whole blocks.
mlir::FailureOr<int64_t> getStorageBytes(mlir::Type elementType, int64_t count);

/// Bytes of a static tensor, row-major; failure also where they exceed what can be addressed.
mlir::FailureOr<int64_t> getStorageBytes(mlir::RankedTensorType type);

/// A static tensor type and its elements, row-major. Copies share their bytes until one is written.
class Tensor {
public:
  Tensor() = default;
  /// Zeros of a static type with storage.
  static mlir::FailureOr<Tensor> zeros(mlir::RankedTensorType type);
  /// A tensor of `bytes`, which have the size of `type`.
  static mlir::FailureOr<Tensor> fromBytes(mlir::RankedTensorType type, llvm::ArrayRef<uint8_t> bytes);
  /// The elements of a `quern.constant`.
  static mlir::FailureOr<Tensor> fromElements(mlir::ElementsAttr elements);

  mlir::RankedTensorType getType() const { return type; }
  mlir::Type getElementType() const { return type.getElementType(); }
  llvm::ArrayRef<int64_t> getShape() const { return type.getShape(); }
  int64_t getNumElements() const { return type.getNumElements(); }
  /// Elements along the last axis; 1 for rank 0.
  int64_t getRowLength() const { return type.getRank() == 0 ? 1 : getShape().back(); }
  /// The number of rows: the product of all axes but the last.
  int64_t getNumRows() const;

  llvm::ArrayRef<uint8_t> getBytes() const;
  /// The bytes of row `row` of the last axis.
  llvm::ArrayRef<uint8_t> getRowBytes(int64_t row) const;
  /// The bytes, no longer shared, to be written.
  llvm::MutableArrayRef<uint8_t> getMutableBytes();

  /// The elements as C++ values of their own size.
  template <typename T> llvm::ArrayRef<T> getAs() const {
    assert(getBytes().size() % sizeof(T) == 0 && "bytes are not whole elements");
    return {reinterpret_cast<const T *>(getBytes().data()), getBytes().size() / sizeof(T)};
  }
  template <typename T> llvm::MutableArrayRef<T> getMutableAs() {
    assert(getBytes().size() % sizeof(T) == 0 && "bytes are not whole elements");
    return {reinterpret_cast<T *>(getMutableBytes().data()), getBytes().size() / sizeof(T)};
  }

  /// Row `row` as f32, exactly: narrower floats and integers converted, blocks dequantised. `out` has the row's length.
  void readRow(int64_t row, llvm::MutableArrayRef<float> out) const;
  /// All elements as f32.
  std::vector<float> readFloats() const;
  /// The same bytes seen with another type of the same size.
  Tensor withType(mlir::RankedTensorType other) const;

  /// The state whose present value this is; null for all other values.
  mlir::StringAttr getState() const { return state; }
  void setState(mlir::StringAttr name) { state = name; }

private:
  mlir::RankedTensorType type;
  std::shared_ptr<std::vector<uint8_t>> storage;
  mlir::StringAttr state;
};

/// The values of an op's results, or failure after an error.
class Evaluated : public mlir::FailureOr<llvm::SmallVector<Tensor>> {
public:
  Evaluated(mlir::LogicalResult result) { assert(failed(result) && "a success has values"); }
  Evaluated(const mlir::InFlightDiagnostic &) {}
  Evaluated(Tensor result) : FailureOr(llvm::SmallVector<Tensor>{std::move(result)}) {}
  Evaluated(mlir::FailureOr<Tensor> result) {
    if (succeeded(result))
      *this = Evaluated(std::move(*result));
  }
  Evaluated(llvm::SmallVector<Tensor> results) : FailureOr(std::move(results)) {}
};

} // namespace quern

#endif // QUERN_DIALECT_TENSOR_H
