//===- Template.h - what a kernel template is -------------------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATE_H
#define QUERN_CODEGEN_TEMPLATE_H

#include "codegen/Lowering.h"
#include "codegen/Space.h"

namespace quern::codegen {

/// The values of a kernel's `#quern.schedule`, checked against the space; an error at the kernel for a value that is
/// not legal or a name that the space lacks.
class Parameters {
public:
  static mlir::FailureOr<Parameters> get(KernelOp kernel, const Space &space);
  int operator[](llvm::StringRef name) const;

private:
  llvm::SmallVector<std::pair<llvm::StringRef, int64_t>> values;
};

/// The functions that compute a kernel's results, in their order.
using Outputs = std::vector<Halide::Func>;

/// A row of Templates.def: how kernels of one form are built.
struct KernelTemplate {
  KernelForm form;
  /// What `#quern.schedule` may say.
  Space (*space)(KernelOp kernel, const TargetSpec &target);
  /// Turns the body into scheduled Halide functions.
  mlir::FailureOr<Outputs> (*build)(Lowering &lowering, const Parameters &parameters);
  /// How many bytes ahead loops ask for what they read in order and once, where the target has to be asked;
  /// 0: they do not.
  int64_t (*prefetch)(KernelOp kernel, const TargetSpec &target, const Parameters &parameters);
};

/// The template of `form`.
const KernelTemplate &getTemplate(KernelForm form);

#define QUERN_TEMPLATE(Form)                                                                                           \
  Space space##Form(KernelOp kernel, const TargetSpec &target);                                                        \
  mlir::FailureOr<Outputs> build##Form(Lowering &lowering, const Parameters &parameters);                              \
  int64_t prefetch##Form(KernelOp kernel, const TargetSpec &target, const Parameters &parameters);
#include "codegen/Templates.def"

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATE_H
