//===- MeasuredModel.h - a model whose kernels have several plans -----------------------------===//

#ifndef QUERN_CODEGEN_MEASUREDMODEL_H
#define QUERN_CODEGEN_MEASUREDMODEL_H

#include "codegen/Codegen.h"
#include "codegen/HalideBridge.h"
#include "codegen/MemoryFile.h"
#include "codegen/Program.h"

namespace quern::codegen {

/// A kernel with another schedule.
struct Candidate {
  /// The kernel's index in the module.
  unsigned kernel;
  ScheduleAttr schedule;
};

/// A plan that takes turns with a kernel's own.
struct MeasuredArm {
  unsigned kernel;
  llvm::MemoryBufferRef object;
};

/// A model of one target that is run to measure plans of its kernels, not to be kept. Its weights are in a file without
/// a name, its code in memory: nothing is left behind, whatever ends the process.
class MeasuredModel {
public:
  /// Compiles the kernels of `target` as they are scheduled, and its programs, and writes the weights. Errors are
  /// diagnostics. `directory` has room for the weights. Where `isOver` holds before the kernels are
  /// compiled it fails and says nothing.
  static mlir::FailureOr<std::unique_ptr<MeasuredModel>> create(const TargetModule &target, ParameterSource &source,
                                                                const CodegenOptions &options,
                                                                llvm::StringRef directory,
                                                                llvm::function_ref<bool()> isOver);
  ~MeasuredModel();

  /// The module's kernels, in its order.
  llvm::ArrayRef<KernelOp> getKernels() const { return kernels; }
  /// Compiles candidates as `tryKernels` does. The objects are those that a compilation with these schedules would ask
  /// the cache for.
  std::vector<KernelObject> compile(llvm::ArrayRef<Candidate> candidates, llvm::function_ref<bool()> isOver);
  /// Links a program that measures (runtime/measure): arm 0 of a kernel is its own plan, the others are those of `arms`
  /// for it, in their order. It may be run by its path.
  llvm::Expected<MemoryFile> link(llvm::ArrayRef<MeasuredArm> arms);
  /// The file with the model's data, for this process and its children.
  std::string getDataPath() const { return "/proc/self/fd/" + std::to_string(data); }

private:
  MeasuredModel(const TargetModule &target, const CodegenOptions &options);
  mlir::LogicalResult compileDefault(llvm::function_ref<bool()> isOver);
  mlir::LogicalResult compileOwnPlans(llvm::function_ref<bool()> isOver);
  mlir::LogicalResult writeData(ParameterSource &source, llvm::StringRef directory);
  mlir::LogicalResult fail(llvm::Error error) { return target.module.emitError(llvm::toString(std::move(error))); }

  TargetModule target;
  CodegenOptions options;
  ObjectCache cache;
  llvm::SmallVector<KernelOp> kernels;
  llvm::SmallVector<ParameterPlacement> placements;
  uint64_t weightsBytes = 0;
  ProgramLayout layout;
  std::string description;
  /// Kernels by their own plans, programs, tables, Halide's runtime.
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> objects;
  int data = -1;
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_MEASUREDMODEL_H
