//===- File.cpp - files that are read, and files that appear whole or not at all ---------------===//

#include "runtime/File.h"

#include "runtime/Memory.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <vector>

namespace quern::runtime {

FileDescriptor::~FileDescriptor() {
  if (number >= 0)
    close(number);
}

Result<FileDescriptor> FileDescriptor::openForReading(const std::string &path) {
  // A pipe would wait for its writer.
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status;
  if (file.get() < 0 || fstat(file.get(), &status) != 0)
    return Error{"could not open `" + path + "`: " + describeSystemError(errno)};
  // Reading a folder has a message of its own; the null device is an empty file.
  bool isNull = S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !isNull)
    return Error{"could not open `" + path + "`: it is a " + (S_ISFIFO(status.st_mode) ? "pipe" : "device") +
                 ", expected a regular file"};
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
  return readAll(file->get(), "`" + path + "`", limit);
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

static Error writeError(const std::string &path, int number) {
  return Error{"could not write `" + path + "`: " + describeSystemError(number)};
}

OutputFile::OutputFile(OutputFile &&other) noexcept
    : path(std::move(other.path)), temporary(std::exchange(other.temporary, {})),
      descriptor(std::move(other.descriptor)) {}

OutputFile::~OutputFile() {
  if (!temporary.empty())
    unlink(temporary.c_str());
}

Result<OutputFile> OutputFile::create(const std::string &path) {
  OutputFile file;
  file.path = path;
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    file.descriptor = FileDescriptor(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.descriptor.get() < 0)
      return writeError(path, errno);
    return file;
  }
  // In the same folder: renaming does not cross file systems.
  std::string name = path + ".XXXXXX";
  file.descriptor = FileDescriptor(mkostemp(name.data(), O_CLOEXEC));
  if (file.descriptor.get() < 0)
    return writeError(path, errno);
  file.temporary = name;
  // A temporary file is private; the finished one follows the user's mask like any other.
  mode_t mask = umask(0);
  umask(mask);
  fchmod(file.descriptor.get(), 0666 & ~mask);
  return file;
}

Result<void> OutputFile::write(const void *data, size_t bytes) {
  if (int number = writeAll(descriptor.get(), data, bytes))
    return writeError(path, number);
  return {};
}

Result<void> OutputFile::finish() {
  // Some file systems report a full disk only now.
  if (close(descriptor.take()) != 0)
    return writeError(path, errno);
  if (temporary.empty())
    return {};
  if (rename(temporary.c_str(), path.c_str()) != 0)
    return writeError(path, errno);
  temporary.clear();
  return {};
}

} // namespace quern::runtime
