//===- Paths.h - where an installation keeps its parts ----------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_PATHS_H
#define QUERN_TOOLS_DRIVER_PATHS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace quern::tool {

/// The directory of the archives that binaries are linked with: `lib` beside the directory of this
/// program.
std::string findLibraries();

/// The directory that holds `std/` and `models/`: `share/quern` beside the directory of this
/// program, else the source tree that it was built from.
std::string findStandardLibrary();

/// The databases of measured schedules that come with the compiler, in the order of their names.
std::vector<std::string> findTunedRows();

/// The directory that compiled kernels are kept in: `quern` in the user's cache (XDG_CACHE_HOME, else `.cache` at
/// home). The error says why there is none.
llvm::Expected<std::string> findCache();

/// Where imports of model files are looked for: `std/…` in the standard library, and its models by
/// their names alone, then in the folders `further`.
std::vector<std::string> findImportPaths(llvm::ArrayRef<std::string> further);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_PATHS_H
