//===- OutputFile.h - files that appear whole or not at all ------------------------------------===//

#ifndef QUERN_RUNTIME_OUTPUTFILE_H
#define QUERN_RUNTIME_OUTPUTFILE_H

#include "runtime/File.h"
#include "runtime/TemporaryName.h"
#include "runtime/include/quern/Result.h"

#include <cstddef>
#include <optional>
#include <string>

namespace quern::runtime {

/// A file that appears at its place when it is complete, whatever ends the process before: until then it has no name,
/// or where the file system cannot do that, a name beside its place that signals remove. Symbolic links are followed. A
/// pipe, a terminal or another character device is written in place, and so is an open descriptor (`/dev/stdout`,
/// `/dev/fd/N`).
class OutputFile {
public:
  /// Begins the file `path`, with the permissions of `mode` as far as the user's mask allows them. Refuses one of the
  /// process's inputs (Inputs.h), and what may not be written.
  static Result<OutputFile> create(const std::string &path, unsigned mode = 0666);
  /// Begins what is to stand in place of the regular file `path`, with its permissions, though it be an input.
  static Result<OutputFile> replace(const std::string &path);

  /// Where to write.
  int getDescriptor() const { return descriptor.get(); }
  Result<void> write(const void *data, size_t bytes);
  /// Lets the file appear.
  Result<void> finish();

private:
  explicit OutputFile(const std::string &path) : path(path) {}
  static Result<OutputFile> begin(const std::string &path, unsigned mode, bool mayBeInput);
  Result<void> openInPlace(int number);
  Result<void> openUnseen(unsigned mode);
  Result<void> giveName();
  Error fail(int number) const;

  /// As the user wrote it, and where it leads; no place when it is written where it is.
  std::string path, place;
  FileDescriptor descriptor;
  /// The name for the time being, if it has one.
  std::optional<TemporaryName> temporary;
};

/// Refuses an output that `create` would refuse, before any work; nothing is written.
Result<void> checkOutput(const std::string &path);

/// Waits until no other process holds the folder in which `OutputFile` puts the file `path`, at most a minute, and
/// holds it as long as what is returned is open. Who reads a file, changes it and replaces it does so with its folder
/// held, so that nobody's change gets lost. The system lets go of it whatever ends the process; nothing is written.
/// Refuses what `replace` would refuse. No folder is held, and nothing is open, where `path` is written in place.
Result<FileDescriptor> lockFolder(const std::string &path);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_OUTPUTFILE_H
