//===- File.h - files that are read, and files that appear whole or not at all -----------------===//

#ifndef QUERN_RUNTIME_FILE_H
#define QUERN_RUNTIME_FILE_H

#include "quern/Result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace quern::runtime {

/// An open file, closed at the end of its life.
class FileDescriptor {
public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number(number) {}
  FileDescriptor(FileDescriptor &&other) noexcept : number(std::exchange(other.number, -1)) {}
  FileDescriptor &operator=(FileDescriptor &&other) noexcept {
    std::swap(number, other.number);
    return *this;
  }
  ~FileDescriptor();

  /// Opens `path`, a regular file: what never ends or makes wait is refused. The error names it.
  static Result<FileDescriptor> openForReading(const std::string &path);

  int get() const { return number; }
  /// Gives the number away without closing it.
  int take() { return std::exchange(number, -1); }

private:
  int number = -1;
};

/// Everything that can be read from `descriptor`, which `name` names in the error. More than `limit` bytes are refused.
Result<std::string> readAll(int descriptor, const std::string &name, uint64_t limit = UINT64_MAX);

/// All of the file `path`; the error names it. More than `limit` bytes are refused.
Result<std::string> readFile(const std::string &path, uint64_t limit = UINT64_MAX);

/// A file that is written under another name beside it and appears under its own when it is complete. Without `finish`
/// nothing is left behind. What exists and is not a regular file (a device, a pipe) is written in place.
class OutputFile {
public:
  static Result<OutputFile> create(const std::string &path);
  OutputFile(OutputFile &&other) noexcept;
  OutputFile &operator=(OutputFile &&) = delete;
  ~OutputFile();

  Result<void> write(const void *data, size_t bytes);
  /// Lets the file appear.
  Result<void> finish();

private:
  OutputFile() = default;
  std::string path;
  /// Empty when written in place.
  std::string temporary;
  FileDescriptor descriptor;
};

/// Writes all bytes to `descriptor`: 0, or the system's error number.
int writeAll(int descriptor, const void *data, size_t bytes);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_FILE_H
