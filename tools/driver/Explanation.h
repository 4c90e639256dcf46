//===- Explanation.h - what a model became, and why -------------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_EXPLANATION_H
#define QUERN_TOOLS_DRIVER_EXPLANATION_H

#include "codegen/Targets.h"
#include "dialect/Ops.h"
#include "dialect/Origin.h"
#include "dialect/Schedules.h"
#include "runtime/Limits.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallVector.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quern {
class MeasuredSchedules;
} // namespace quern

namespace quern::tool {

/// What a pass said of one op of an entry.
struct FusionRemark {
  /// The entry, of which there is one per variant.
  std::string entry;
  std::string op;
  std::string reason;
  bool isFused = false;
  mlir::Location location;
};

/// Lets the passes that run on `context` from now on say what they fuse and what not, into `remarks`.
void collectRemarks(mlir::MLIRContext *context, std::vector<FusionRemark> &remarks);

/// An op of the model's text, the same for all repetitions of a layer.
struct SourceOp {
  std::string op;
  /// The instance, with `*` for the number of a repetition: `model.layers.*.mlp`.
  std::string instance;
  /// Its place, and outwards those of the calls around it.
  llvm::SmallVector<mlir::FileLineColLoc, 4> stack;

  bool operator==(const SourceOp &other) const = default;
};

/// What was said of an op.
struct Verdict {
  SourceOp op;
  std::string reason;
  bool isFused = false;

  bool operator==(const Verdict &other) const = default;
};

/// What a file of measured schedules says of a kernel's.
struct ScheduleOrigin {
  std::string path;
  /// The plan that it was compared with.
  std::map<std::string, int64_t> base;
  /// Pairs of measurements; none where a model that was fitted to the plans of other kernels chose the schedule.
  std::optional<size_t> pairs;
  /// How many times as fast as `base` the schedule was in their median, 1 where it is `base`; or is expected to be.
  double gain = 1;
  /// What launches took in the median, by `base` and by the schedule, in nanoseconds, and what gain models predict.
  double baseTime = 0, time = 0;
  std::optional<double> predictedGain;
};

/// Launches of one kernel from the same text: one, or one for each repetition of a layer.
struct Step {
  KernelOp kernel;
  /// Indices of the launches in their program.
  llvm::SmallVector<unsigned> launches;
  /// What the kernel computes, the op that gives its form first.
  llvm::SmallVector<SourceOp> ops;
  llvm::SmallVector<Verdict> verdicts;
  /// What the schedule comes from, where that is a file.
  std::optional<ScheduleOrigin> origin;
  runtime::Arithmetic arithmetic = runtime::Arithmetic::F32;
  /// Of one launch; where launches choose among different experts, their mean.
  double bytes = 0, operations = 0;
  /// The nanoseconds that one launch takes at least, where the machine's limits are known, and the mean of those that
  /// it took.
  std::optional<double> predicted;
  std::optional<double> measured;
  /// Whether arithmetic takes longer than memory.
  bool isComputeBound = false;

  /// Those of its schedule.
  llvm::ArrayRef<Knob> getKnobs() const;
  std::optional<double> getTotalPredicted() const {
    return predicted ? std::optional(*predicted * double(launches.size())) : std::nullopt;
  }
  std::optional<double> getTotalMeasured() const {
    return measured ? std::optional(*measured * double(launches.size())) : std::nullopt;
  }
};

/// What a line of the model's text became.
struct Line {
  mlir::FileLineColLoc place;
  /// Indices of the steps whose main op stands here or is reached from here.
  llvm::SmallVector<unsigned> steps;
  /// Indices of the steps that only took in something from here.
  llvm::SmallVector<unsigned> fusedInto;
};

/// What a program reads of experts that rows choose, in bytes, on average of rows that choose independently.
struct ExpertReads {
  /// Of all experts there are, and of those that the profile says are often chosen.
  double all = 0, often = 0;
  /// Of these what one run reads.
  double read = 0, oftenRead = 0;
  /// Whether a profile says how often each is chosen; else all are as likely.
  bool isProfiled = false;
  /// The rows of the run.
  int64_t rows = 1;
};

/// A program: one entry for some sizes.
struct Plan {
  ProgramOp program;
  /// The sizes that the numbers are for, by symbol, in the order of the entry.
  std::vector<std::pair<std::string, int64_t>> sizes;
  /// Cache rows before the step, and those in use with it; 0 for entries without positions.
  int64_t depth = 0, visible = 0;
  unsigned launches = 0;
  /// Nothing where rows choose no experts.
  std::optional<ExpertReads> experts;
  std::vector<Step> steps;
  /// File by file, in the order of the files' first lines.
  std::vector<Line> lines;
  /// What was said of ops that are in no kernel.
  std::vector<Verdict> others;

  /// Sums over all launches.
  double getBytes() const;
  double getOperations() const;
  std::optional<double> getPredicted() const;
  std::optional<double> getMeasured() const;
};

/// What the numbers of a plan are for.
struct PlanSizes {
  /// Replace the bounds of symbols.
  std::map<std::string, int64_t> given;
  /// Cache rows before the step.
  int64_t depth = 0;
};

/// Explains `program`, of a module in kernel form for `target`; `roofline` has its limits, where they are known.
Plan explain(ProgramOp program, const codegen::TargetSpec &target, llvm::ArrayRef<FusionRemark> remarks,
             const PlanSizes &sizes, const std::optional<runtime::Roofline> &roofline);

/// Says of the steps of `plan` whose schedules were measured where they come from.
void findOrigins(Plan &plan, const codegen::TargetSpec &target, const MeasuredSchedules &measured);

/// Measures the steps of `plan` by running `binary`, which holds its program, on `device`, with `threads` threads. Says
/// on the standard error why it cannot.
mlir::LogicalResult measurePlan(Plan &plan, llvm::StringRef binary, llvm::StringRef device, unsigned threads);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_EXPLANATION_H
