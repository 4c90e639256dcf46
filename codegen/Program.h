//===- Program.h - programs in kernel form to LLVM --------------------------------------------===//

#ifndef QUERN_CODEGEN_PROGRAM_H
#define QUERN_CODEGEN_PROGRAM_H

#include "codegen/Codegen.h"
#include "codegen/KernelSignature.h"
#include "codegen/Packer.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"

namespace quern::codegen {

/// Where the runtime finds what a program's operands stand for.
struct ProgramLayout {
  /// Byte offset of each parameter within the packed weights.
  llvm::StringMap<uint64_t> parameterOffsets;
  /// Index of each state in the description.
  llvm::StringMap<unsigned> stateIndices;
  /// Index of each kernel in the description's list for this target.
  llvm::StringMap<unsigned> kernelIndices;
  /// Kernels are called through `quern_chosen_kernels` (runtime/measure/Arms.h).
  bool isMeasured = false;
  /// Kernels run on a device, which `QuernProgramArgs` tells of.
  bool isOnDevice = false;
  /// Appended to kernels' and programs' symbols, so that several targets live in one binary.
  std::string symbolSuffix;
};

/// Where the operands of the programs of `target` are; the kernels are in the order of the module.
ProgramLayout makeLayout(const TargetModule &target, llvm::ArrayRef<ParameterPlacement> placements);

/// The program for every size of which `program` is a variant; itself where it is that one.
ProgramOp getGeneralForm(ProgramOp program);

/// The symbolic dimensions of a program's entry in its general form, in the order in which the runtime passes their
/// values: by first occurrence in the arguments' shapes, then in the results'.
llvm::SmallVector<mlir::StringAttr> getSymbols(ProgramOp program);

/// The native symbol of kernel or program `name`.
std::string nativeSymbol(llvm::StringRef name, const ProgramLayout &layout);

/// Lowers every program of `module` to a function `int32_t(const QuernProgramArgs *)` in a new module of the LLVM
/// dialect. Each launch fills the kernel's `halide_buffer_t`s on the stack and calls its native function.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lowerPrograms(mlir::ModuleOp module, const ProgramLayout &layout);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_PROGRAM_H
