//===- File.cpp - files that are read ----------------------------------------------------------===//

#include "runtime/File.h"

#include "runtime/Inputs.h"
#include "runtime/Memory.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace quern::runtime {

std::string inBackticks(std::string_view text) { return "`" + std::string(text.empty() ? "\"\"" : text) + "`"; }

FileDescriptor::~FileDescriptor() {
  if (number >= 0)
    close(number);
}

const char *describeFileType(unsigned mode) {
  switch (mode & S_IFMT) {
  case S_IFDIR:
    return "a directory";
  case S_IFIFO:
    return "a pipe";
  case S_IFSOCK:
    return "a socket";
  case S_IFBLK:
  case S_IFCHR:
    return "a device";
  default:
    return "no regular file";
  }
}

Result<FileDescriptor> FileDescriptor::openRegular(const std::string &path) {
  if (path.find('\0') != std::string::npos)
    return Error{"found a zero byte in its name"};
  // Asked before it is opened, which a device may take for a command, and after: that is the file which is read.
  struct stat status;
  if (stat(path.c_str(), &status) != 0)
    return Error{describeSystemError(errno)};
  FileDescriptor file;
  if (S_ISREG(status.st_mode)) {
    file = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0 || fstat(file.get(), &status) != 0)
      return Error{describeSystemError(errno)};
  }
  if (!S_ISREG(status.st_mode))
    return Error{std::string("it is ") + describeFileType(status.st_mode) + ", expected a regular file"};
  rememberInput(status, path);
  return file;
}

Result<FileDescriptor> FileDescriptor::openForReading(const std::string &path) {
  Result<FileDescriptor> file = openRegular(path);
  if (!file)
    return Error{"could not open " + inBackticks(path) + ": " + file.error().message};
  return file;
}

Result<std::string> readAll(int descriptor, const std::string &name, uint64_t limit) {
  std::string text;
  // Not on the stack, which may be small.
  std::vector<char> buffer(1 << 16);
  while (true) {
    ssize_t count = read(descriptor, buffer.data(), buffer.size());
    if (count > 0)
      text.append(buffer.data(), static_cast<size_t>(count));
    else if (count == 0)
      return text;
    else if (errno != EINTR)
      return Error{"could not read " + name + ": " + describeSystemError(errno)};
    if (text.size() > limit)
      return Error{name + " has more than " + std::to_string(limit) + " bytes, which is the limit"};
  }
}

Result<std::string> readFile(const std::string &path, uint64_t limit) {
  Result<FileDescriptor> file = FileDescriptor::openForReading(path);
  if (!file)
    return file.error();
  return readAll(file->get(), inBackticks(path), limit);
}

int writeAll(int descriptor, const void *data, size_t bytes) {
  const char *next = static_cast<const char *>(data);
  while (bytes) {
    ssize_t count = ::write(descriptor, next, bytes);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return errno;
    next += count;
    bytes -= static_cast<size_t>(count);
  }
  return 0;
}

} // namespace quern::runtime
