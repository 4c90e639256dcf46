//===- MeasuredSchedules.h - the schedules that files have for kernels ------------------------===//

#ifndef QUERN_PASSES_TILE_MEASUREDSCHEDULES_H
#define QUERN_PASSES_TILE_MEASUREDSCHEDULES_H

#include "dialect/Ops.h"
#include "passes/tile/ScheduleDatabase.h"

#include <optional>
#include <string>
#include <vector>

namespace quern {

/// The knobs that `schedule` says, as numbers.
Plan toPlan(ScheduleAttr schedule);

/// Databases of measured schedules, of which the first that has a kernel counts.
class MeasuredSchedules {
public:
  MeasuredSchedules() = default;
  MeasuredSchedules(ScheduleDatabase database, std::string path);

  /// Reads the files `paths`.
  static llvm::Expected<MeasuredSchedules> read(llvm::ArrayRef<std::string> paths);

  struct Found {
    /// The plan as a schedule, of all knobs of the form.
    ScheduleAttr schedule;
    /// Where it comes from, and the row there; without one a model that was fitted to the rows of others chose it.
    llvm::StringRef path;
    const ScheduleRow *row = nullptr;
    /// The plan that it is compared with, and how many times as fast as that a model expects it to be.
    Plan base;
    double expectedGain = 1;
  };
  /// What was measured for `kernel` on `target`, and without a row what is expected to be faster than what the compiler
  /// would choose; nothing where nothing is. A row for another version of the form, or that says what no schedule of
  /// the form may say, is none: `ignore` is told so.
  std::optional<Found> find(
      KernelOp kernel, TargetAttr target,
      llvm::function_ref<void(const llvm::Twine &)> ignore = [](const llvm::Twine &) {}) const;

  /// How many times as fast as its `base` the plan of a kernel's row is expected to be, by the first model of this
  /// kernel's family, or else by that of the machine; none where that says nothing of one of them.
  std::optional<double> predictGain(KernelOp kernel, TargetAttr target, const ScheduleRow &row) const;

private:
  /// The first model of this kernel's family, and whose it is; null where there is none.
  const FittedModel *findModel(KernelOp kernel, TargetAttr target, llvm::StringRef &path) const;
  /// What the first model of this kernel's family chooses.
  std::optional<Found> choose(KernelOp kernel, TargetAttr target) const;

  struct Source {
    ScheduleDatabase database;
    std::string path;
  };
  std::vector<Source> sources;
};

} // namespace quern

#endif // QUERN_PASSES_TILE_MEASUREDSCHEDULES_H
