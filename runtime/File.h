//===- File.h - files that are read ------------------------------------------------------------===//

#ifndef QUERN_RUNTIME_FILE_H
#define QUERN_RUNTIME_FILE_H

#include "runtime/include/quern/Result.h"

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

  /// Opens the regular file `path` and remembers it as an input (Inputs.h). Anything else is refused at once: a pipe
  /// may wait for ever, a device never end. The error is the reason alone.
  static Result<FileDescriptor> openRegular(const std::string &path);
  /// The same; the error names the file.
  static Result<FileDescriptor> openForReading(const std::string &path);

  int get() const { return number; }
  /// Gives the number away without closing it.
  int take() { return std::exchange(number, -1); }

private:
  int number = -1;
};

/// `text` between backticks, for messages; `""` where there is nothing to quote.
std::string inBackticks(std::string_view text);

/// Everything that can be read from `descriptor`, which `name` names in the error. More than `limit` bytes are refused.
Result<std::string> readAll(int descriptor, const std::string &name, uint64_t limit = UINT64_MAX);

/// All of the file `path`; the error names it. More than `limit` bytes are refused.
Result<std::string> readFile(const std::string &path, uint64_t limit = UINT64_MAX);

/// Writes all bytes to `descriptor`: 0, or the system's error number.
int writeAll(int descriptor, const void *data, size_t bytes);

/// What is at a path in place of a regular file: `a pipe`.
const char *describeFileType(unsigned mode);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_FILE_H
