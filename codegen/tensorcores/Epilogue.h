//===- Epilogue.h - what a kernel makes of its products, as LLVM IR ---------------------------===//

#ifndef QUERN_CODEGEN_TENSORCORES_EPILOGUE_H
#define QUERN_CODEGEN_TENSORCORES_EPILOGUE_H

#include "codegen/tensorcores/TensorCores.h"

#include "llvm/IR/IRBuilder.h"

namespace quern::codegen {

/// Whether elements of this type are read and stored: f32, f16 and bf16.
bool isEpilogueElement(mlir::Type type);

/// Whether `op`, which follows products of type `product`, has code for each element of them by itself: it is
/// elementwise, of scalar ops that Scalars.def of this folder has. The error says what has none.
llvm::Error checkEpilogue(mlir::Operation *op, mlir::RankedTensorType product);

/// Elements of a row that are next to each other, one or two: values of them are vectors of so many.
struct EpiloguePlace {
  llvm::Value *row, *column;
  unsigned count;
};

/// Emits what follows the products of a contraction.
class Epilogue {
public:
  /// `memory` is where the operands and the result are, in the order of `contraction`.
  Epilogue(const TensorContraction &contraction, llvm::IRBuilder<> &builder, llvm::ArrayRef<llvm::Value *> operands,
           llvm::Value *result)
      : contraction(contraction), builder(builder), operands(operands), result(result) {}

  /// Stores the result at `place`, where the products are `sums`, of f32.
  void store(const EpiloguePlace &place, llvm::ArrayRef<llvm::Value *> sums);

private:
  llvm::Value *load(mlir::BlockArgument argument, const EpiloguePlace &place);
  llvm::Value *getAddress(mlir::RankedTensorType type, llvm::Value *memory, const EpiloguePlace &place);

  const TensorContraction &contraction;
  llvm::IRBuilder<> &builder;
  llvm::ArrayRef<llvm::Value *> operands;
  llvm::Value *result;
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TENSORCORES_EPILOGUE_H
