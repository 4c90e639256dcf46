//===- Reference.h - the reference evaluator --------------------------------------------------===//
//
// What a module means, computed by naive loops: the oracle of all tests, and the engine that computes parameters with
// an initialiser when weights are packed. Works at every level: graphs, groups, kernels and planned programs.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef QUERN_DIALECT_REFERENCE_H
#define QUERN_DIALECT_REFERENCE_H

#include "dialect/Ops.h"
#include "dialect/ParameterSource.h"
#include "dialect/Tensor.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringMap.h"

namespace quern {

/// The sizes of named dimensions.
using SymbolSizes = llvm::DenseMap<mlir::StringAttr, int64_t>;

/// `type` with the size of each named dimension put in and no encoding; fails at a name without a size.
mlir::FailureOr<mlir::RankedTensorType> resolveType(mlir::RankedTensorType type, const SymbolSizes &sizes);

/// Evaluates the ops of one module. Parameters are computed once; states start as zeros and live as long as the
/// evaluator. Errors are diagnostics at the op that they concern.
class Evaluator {
public:
  /// `source` gives the values of external parameters.
  Evaluator(mlir::ModuleOp module, ParameterSource &source);
  ~Evaluator();

  /// The value of a parameter: read from the source, or its initialiser evaluated after all it needs.
  mlir::FailureOr<Tensor> evaluateParameter(ParameterOp parameter);

  /// Runs an entry, a planned program (its result buffers are made here) or a kernel on inputs of static types, and
  /// returns the results. Binds named dimensions to the inputs' sizes and checks the entry's bounds.
  mlir::FailureOr<llvm::SmallVector<Tensor>> evaluateEntry(EntryOp entry, llvm::ArrayRef<Tensor> inputs);
  mlir::FailureOr<llvm::SmallVector<Tensor>> evaluateProgram(ProgramOp program, llvm::ArrayRef<Tensor> inputs);
  mlir::FailureOr<llvm::SmallVector<Tensor>> evaluateKernel(KernelOp kernel, llvm::ArrayRef<Tensor> arguments);

  /// The present value of a state.
  mlir::FailureOr<Tensor> getState(StateOp state);
  /// Sets a state; `value` has its type.
  void setState(StateOp state, Tensor value);

private:
  class Run;
  class ProgramRun;

  mlir::SymbolTableCollection symbols;
  mlir::ModuleOp module;
  ParameterSource &source;
  llvm::DenseMap<mlir::StringAttr, Tensor> parameters;
  llvm::DenseMap<mlir::StringAttr, Tensor> states;
};

} // namespace quern

#endif // QUERN_DIALECT_REFERENCE_H
