//===- Template.h - what a kernel template is -------------------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATE_H
#define QUERN_CODEGEN_TEMPLATE_H

#include "codegen/Lowering.h"

namespace quern::codegen {

/// The values of a kernel's `#quern.schedule`, one for each knob of its form (dialect/Schedules.def).
class Parameters {
public:
  /// Those of `kernel` for `target`; an error where its schedule does not say all, or asks for more than that has.
  static mlir::FailureOr<Parameters> get(KernelOp kernel, const TargetSpec &target);
  int operator[](llvm::StringRef name) const;
  /// How many bytes ahead loops ask for what they read in order and once; 0: they do not.
  int64_t getPrefetchBytes() const { return schedule.getInt("prefetch").value_or(0); }

private:
  explicit Parameters(ScheduleAttr schedule) : schedule(schedule) {}
  ScheduleAttr schedule;
};

/// The functions that compute a kernel's results, in their order.
using Outputs = std::vector<Halide::Func>;

class DeviceSchedule;

/// What becomes of a kernel: its algorithm, and a schedule for each kind of target, of which one is called, once.
struct KernelPlan {
  using ForProcessor = std::function<mlir::LogicalResult()>;
  using ForDevice = std::function<void(const DeviceSchedule &schedule)>;

  KernelPlan(Outputs outputs, ForProcessor forProcessor, ForDevice forDevice)
      : outputs(std::move(outputs)), forProcessor(std::move(forProcessor)), forDevice(std::move(forDevice)) {}

  Outputs outputs;
  /// As the parameters of the kernel's schedule say.
  ForProcessor forProcessor;
  ForDevice forDevice;
};

/// A row of Templates.def: how kernels of one form are built.
struct KernelTemplate {
  KernelForm form;
  /// Turns the body into Halide functions.
  mlir::FailureOr<KernelPlan> (*build)(Lowering &lowering, const Parameters &parameters);
};

/// The template of `form`.
const KernelTemplate &getTemplate(KernelForm form);

#define QUERN_TEMPLATE(Form) mlir::FailureOr<KernelPlan> build##Form(Lowering &lowering, const Parameters &parameters);
#include "codegen/Templates.def"

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATE_H
