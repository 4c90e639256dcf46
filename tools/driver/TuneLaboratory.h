//===- TuneLaboratory.h - where plans of a model's kernels are measured -----------------------===//

#ifndef QUERN_TOOLS_DRIVER_TUNELABORATORY_H
#define QUERN_TOOLS_DRIVER_TUNELABORATORY_H

#include "codegen/MeasuredModel.h"
#include "passes/tile/ScheduleDatabase.h"
#include "tuner/Search.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Regex.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quern::tool {

/// An entry at given sizes of its symbols.
struct TuneRun {
  std::string entry;
  /// `NAME=N`, each.
  std::vector<std::string> sizes;
  /// Cache rows before the step.
  int64_t depth = 0;

  /// `forward s=512 r=1 after 256`
  std::string getName() const;
};

/// Measures plans of the kernels of one model, in programs of their own (codegen/MeasuredModel.h).
class TuneLaboratory final : public tuner::Laboratory {
public:
  /// `begin` is when tuning began, on the system's monotonic clock, in seconds.
  TuneLaboratory(codegen::MeasuredModel &model, const codegen::TargetSpec &target, std::vector<TuneRun> runs,
                 unsigned threads, double begin);

  /// Runs every entry by the default plans, and puts `problem` together: of each run the kernels whose names `wanted`
  /// matches, where it is given, with their plans; `first` are plans that are tried before others, by kernel.
  llvm::Error prepare(const llvm::Regex *wanted, const std::map<unsigned, ScheduleAttr> &first, double deadline);
  const tuner::Problem &getProblem() const { return problem; }
  llvm::ArrayRef<TuneRun> getRuns() const { return runs; }
  /// The kernel of the module that is kernel `index` of the problem.
  KernelOp getKernel(unsigned index) const { return model.getKernels()[spaces[index].kernel]; }
  /// What was seen of the plans of kernel `index`, as `result` says it.
  Trials getTrials(unsigned index, const tuner::KernelResult &result) const;
  ScheduleAttr getSchedule(tuner::Arm arm) const { return spaces[arm.kernel].plans[arm.candidate]; }

  /// What ran the kernels.
  llvm::StringRef getDeviceName() const { return deviceName; }
  /// Why the last program that measured failed, where no plan is to blame; empty: none did.
  llvm::StringRef getComplaint() const { return complaint; }
  /// Seconds of one processor that compiling a plan takes, by compiling the next plans of a few kernels.
  double estimateBuildTime(unsigned builders);

  double now() override;
  bool isInterrupted() override;
  std::vector<tuner::Fate> build(llvm::ArrayRef<tuner::Arm> arms, double deadline) override;
  tuner::Measurement measure(unsigned run, llvm::ArrayRef<tuner::Trial> trials, double deadline) override;
  std::vector<std::pair<double, double>> compare(unsigned run, llvm::ArrayRef<tuner::Arm> chosen,
                                                 double deadline) override;

private:
  struct Space {
    /// Its index in the module.
    unsigned kernel = 0;
    std::vector<ScheduleAttr> plans;
  };
  /// How a program that measured ended.
  struct Ending {
    bool isGood = false;
    /// What it was running when it died, or when it was ended since it did not go on: kernel of the module, and arm.
    std::optional<std::pair<unsigned, unsigned>> culprit;
    bool hasHung = false;
    std::string message;
  };

  void addKernel(unsigned kernel, unsigned run, llvm::ArrayRef<double> profile, ScheduleAttr first);
  /// Runs the program of `arms` and hands each line that it prints to `onLine`.
  Ending execute(unsigned run, llvm::ArrayRef<codegen::MeasuredArm> arms, llvm::StringRef mode, double deadline,
                 llvm::function_ref<void(llvm::ArrayRef<llvm::StringRef>)> onLine);
  std::string describeRequest(unsigned run, llvm::StringRef mode, double deadline) const;
  std::vector<codegen::MeasuredArm> getArms(llvm::ArrayRef<tuner::Trial> trials) const;

  codegen::MeasuredModel &model;
  TargetAttr target;
  /// By its name in a description.
  std::string device;
  std::vector<TuneRun> runs;
  unsigned threads;
  double begin;
  tuner::Problem problem;
  std::vector<Space> spaces;
  /// The problem's kernels by those of the module.
  llvm::DenseMap<unsigned, unsigned> indices;
  std::map<std::pair<unsigned, unsigned>, std::unique_ptr<llvm::MemoryBuffer>> objects;
  std::string complaint, deviceName;
};

/// Lets an interrupt end tuning, what was found being kept.
void keepOnInterrupt();
/// Whether there was one.
bool wasInterrupted();

/// The system's monotonic clock, in seconds.
double getSeconds();

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_TUNELABORATORY_H
