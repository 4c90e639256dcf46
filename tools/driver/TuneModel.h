//===- TuneModel.h - `quern tune MODEL` -------------------------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_TUNEMODEL_H
#define QUERN_TOOLS_DRIVER_TUNEMODEL_H

#include "tools/driver/Commands.h"
#include "tools/driver/Compiler.h"

#include <string>
#include <vector>

namespace quern::tool {

/// The words of `quern tune MODEL`, as the user gave them.
struct TuneOptions : CompilerOptions {
  /// How long it may take, as `10m`.
  std::string time = "10m";
  /// `NAME=N`, each a run of the entries that have such a size.
  std::vector<std::string> sizes;
  std::string output = "tuned.json";
  /// A database whose plans are tried first, or empty.
  std::string from;
  /// A regular expression of kernels' names, or empty.
  std::string kernels;
  /// Threads that measure; 0: one per processor.
  unsigned threads = 0;
  bool json = false, dryRun = false;
};

/// Lets `command` take these options.
void addTuneOptions(CLI::App &command, TuneOptions &options);

/// Searches for plans of the model's kernels that are faster than the default ones, and writes them to a database.
ExitStatus tuneModel(const TuneOptions &options);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_TUNEMODEL_H
