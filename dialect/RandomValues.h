//===- RandomValues.h - reproducible values for tests -----------------------------------------===//
//
// Element i of the tensor called `name` comes from h = splitmix64(fnv1a(name) + i) (Steele et al. 2014; Fowler, Noll
// and Vo): the same on every machine, whatever else a module holds.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef QUERN_DIALECT_RANDOMVALUES_H
#define QUERN_DIALECT_RANDOMVALUES_H

#include "dialect/Ops.h"
#include "dialect/ParameterSource.h"
#include "dialect/Tensor.h"

#include "llvm/ADT/StringMap.h"

namespace quern {

/// Random elements of a static type: floats uniform in [-1, 1), i32 in [0, `integerLimit`), i1, positions {i, i, 0} of
/// token i, blocks with random quants, scales in [1/1024, 2/1024) and mins in [-1/64, 1/64). Failure
/// for a type without storage.
mlir::FailureOr<Tensor> makeRandomTensor(llvm::StringRef name, mlir::RankedTensorType type, int32_t integerLimit = 2);

/// Random values for the external parameters of a module.
class RandomParameters final : public ParameterSource {
public:
  explicit RandomParameters(mlir::ModuleOp module);

  llvm::Expected<llvm::ArrayRef<uint8_t>> readRow(llvm::StringRef name, int64_t row) override;

private:
  llvm::StringMap<mlir::RankedTensorType> types;
  llvm::StringMap<Tensor> values;
};

} // namespace quern

#endif // QUERN_DIALECT_RANDOMVALUES_H
