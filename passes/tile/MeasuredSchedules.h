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
    /// The database's, and where that comes from.
    const ScheduleRow *row;
    llvm::StringRef path;
  };
  /// What was measured for `kernel` on `target`; nothing without a row. A row for another version of the form, or that
  /// says what no schedule of the form may say, is none: `ignore` is told so.
  std::optional<Found> find(
      KernelOp kernel, TargetAttr target,
      llvm::function_ref<void(const llvm::Twine &)> ignore = [](const llvm::Twine &) {}) const;

private:
  struct Source {
    ScheduleDatabase database;
    std::string path;
  };
  std::vector<Source> sources;
};

} // namespace quern

#endif // QUERN_PASSES_TILE_MEASUREDSCHEDULES_H
