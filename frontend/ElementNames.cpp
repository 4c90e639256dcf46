//===- ElementNames.cpp - element types by their words ----------------------------------------===//

#include "frontend/ElementNames.h"
#include "frontend/checkpoint/StorageTypes.h"

#include "dialect/Dialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringSwitch.h"

namespace quern::frontend {

mlir::Type findElement(llvm::StringRef name, mlir::MLIRContext *context) {
  return llvm::StringSwitch<mlir::Type>(name)
      .Case("f32", mlir::Float32Type::get(context))
      .Case("f16", mlir::Float16Type::get(context))
      .Case("bf16", mlir::BFloat16Type::get(context))
      .Case("i32", mlir::IntegerType::get(context, 32))
      .Case("bool", mlir::IntegerType::get(context, 1))
      .Case("Positions", PositionType::get(context))
      .Default({});
}

mlir::Type elementOf(StorageType storage, mlir::MLIRContext *context) {
  if (auto block = getTraits(storage).block)
    return BlockType::get(context, *block);
  switch (storage) {
  case StorageType::F32:
    return mlir::Float32Type::get(context);
  case StorageType::F16:
    return mlir::Float16Type::get(context);
  case StorageType::BF16:
    return mlir::BFloat16Type::get(context);
  default:
    return {};
  }
}

} // namespace quern::frontend
