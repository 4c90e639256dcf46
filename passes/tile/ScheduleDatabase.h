//===- ScheduleDatabase.h - schedules that were measured --------------------------------------===//

#ifndef QUERN_PASSES_TILE_SCHEDULEDATABASE_H
#define QUERN_PASSES_TILE_SCHEDULEDATABASE_H

#include "dialect/Ops.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace quern {

/// Measured schedules by target and kernel, as a JSON file holds them:
///
///     {"version": 1, "targets": {"zen4": {"quern_contract_…__1f0c2a9b": {"rows": 4, "vectors": 3}}}}
///
/// Kernels are named by their symbols after deduplication, which end in a digest of what they compute.
class ScheduleDatabase {
public:
  /// Reads `path`; an error names the file, what was found and what was expected.
  static llvm::Expected<ScheduleDatabase> read(llvm::StringRef path, mlir::MLIRContext *context);

  /// The schedule of the kernel named `kernel` on `target`, or null.
  ScheduleAttr lookup(llvm::StringRef target, llvm::StringRef kernel) const;

private:
  llvm::StringMap<llvm::StringMap<ScheduleAttr>> targets;
};

} // namespace quern

#endif // QUERN_PASSES_TILE_SCHEDULEDATABASE_H
