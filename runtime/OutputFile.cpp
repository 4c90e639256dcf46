//===- OutputFile.cpp - files that appear whole or not at all ----------------------------------===//

#include "runtime/OutputFile.h"

#include "runtime/Inputs.h"
#include "runtime/Memory.h"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace quern::runtime {

/// How many symbolic links may lead to a file, as the system counts them.
static constexpr int maxLinks = 40;
/// How long another process may hold a folder, and how often that is looked at.
static constexpr std::chrono::seconds lockPatience(60);
static constexpr std::chrono::milliseconds lockInterval(2);

static Error refuse(const std::string &path, const std::string &reason) {
  return Error{"could not write " + inBackticks(path) + ": " + reason};
}

Error OutputFile::fail(int number) const { return refuse(path, describeSystemError(number)); }

/// The folder of a file.
static std::string getFolder(const std::string &path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// The descriptor that `path` names: `/dev/stdout`, `/dev/fd/3`, `/proc/self/fd/3`.
static std::optional<int> getNamedDescriptor(std::string_view path) {
  if (path == "/dev/stdout")
    return STDOUT_FILENO;
  if (path == "/dev/stderr")
    return STDERR_FILENO;
  for (std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder))
      continue;
    std::string_view digits = path.substr(folder.size());
    int number = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size() && number >= 0)
      return number;
  }
  return std::nullopt;
}

/// Where symbolic links lead from `path`, to a file that there is or not.
static Result<std::string> followLinks(const std::string &path) {
  std::string place = path;
  char target[PATH_MAX];
  for (int i = 0; i < maxLinks; ++i) {
    ssize_t size = readlink(place.c_str(), target, sizeof(target));
    if (size < 0)
      return place;
    std::string_view link(target, static_cast<size_t>(size));
    place = link.starts_with('/') ? std::string(link) : getFolder(place) + "/" + std::string(link);
  }
  return refuse(path, describeSystemError(ELOOP));
}

/// What must hold of the file that is there already.
static Result<void> checkExisting(const std::string &path, const std::string &place, const struct stat &status,
                                  bool mayBeInput) {
  if (std::optional<std::string> input = findInput(status); input && !mayBeInput)
    return refuse(path, "it is an input of this command, " + *input);
  bool isWritten = S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
  if (!isWritten)
    return refuse(path, std::string("it is ") + describeFileType(status.st_mode));
  // It would be replaced; that is not what its permissions say.
  if (faccessat(AT_FDCWD, place.c_str(), W_OK, AT_EACCESS) != 0)
    return refuse(path, describeSystemError(errno));
  return {};
}

namespace {

/// What a path leads to.
struct Destination {
  std::string place;
  /// Whether there is a file, and which.
  bool exists = false;
  struct stat status = {};
};

} // namespace

static Result<Destination> findDestination(const std::string &path, bool mayBeInput) {
  if (path.empty() || path.find('\0') != std::string::npos)
    return refuse(path, "that is no name of a file");
  Result<std::string> place = followLinks(path);
  if (!place)
    return place.error();
  Destination found{*place};
  found.exists = stat(place->c_str(), &found.status) == 0;
  if (!found.exists && errno != ENOENT)
    return refuse(path, describeSystemError(errno));
  if (!found.exists && place->ends_with('/'))
    return refuse(path, "it names a directory");
  if (found.exists)
    if (Result<void> valid = checkExisting(path, *place, found.status, mayBeInput); !valid)
      return valid.error();
  return found;
}

Result<void> OutputFile::openInPlace(int number) {
  descriptor = FileDescriptor(number);
  if (number < 0)
    return errno == ENXIO ? refuse(path, "it is a pipe that nobody reads") : fail(errno);
  struct stat status;
  if (fstat(number, &status) != 0)
    return fail(errno);
  if (std::optional<std::string> input = S_ISREG(status.st_mode) ? findInput(status) : std::nullopt)
    return refuse(path, "it is an input of this command, " + *input);
  return {};
}

/// Opens a file that nobody sees yet, in the folder of its place.
Result<void> OutputFile::openUnseen(unsigned mode) {
  std::string folder = getFolder(place);
  FileDescriptor unnamed(open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode));
  // Giving it a name takes the name of its descriptor.
  if (unnamed.get() >= 0 && access(("/proc/self/fd/" + std::to_string(unnamed.get())).c_str(), F_OK) == 0) {
    descriptor = std::move(unnamed);
    return {};
  }
  temporary.emplace(TemporaryName::choose(folder));
  descriptor = FileDescriptor(open(temporary->get(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode));
  return descriptor.get() < 0 ? fail(errno) : Result<void>();
}

Result<OutputFile> OutputFile::begin(const std::string &path, unsigned mode, bool mayBeInput) {
  OutputFile file(path);
  if (std::optional<int> named = getNamedDescriptor(path)) {
    if (Result<void> opened = file.openInPlace(fcntl(*named, F_DUPFD_CLOEXEC, 3)); !opened)
      return opened.error();
    return file;
  }
  Result<Destination> destination = findDestination(path, mayBeInput);
  if (!destination)
    return destination.error();
  Result<void> opened;
  if (destination->exists && !S_ISREG(destination->status.st_mode)) {
    // Without a reader a pipe would keep us waiting.
    opened = file.openInPlace(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (opened)
      fcntl(file.getDescriptor(), F_SETFL, fcntl(file.getDescriptor(), F_GETFL) & ~O_NONBLOCK);
  } else {
    file.place = destination->place;
    opened = file.openUnseen(mode);
  }
  if (!opened)
    return opened.error();
  if (mayBeInput && destination->exists)
    fchmod(file.getDescriptor(), destination->status.st_mode & 07777);
  return file;
}

Result<OutputFile> OutputFile::create(const std::string &path, unsigned mode) {
  return begin(path, mode, /*mayBeInput=*/false);
}

Result<OutputFile> OutputFile::replace(const std::string &path) { return begin(path, 0666, /*mayBeInput=*/true); }

Result<void> OutputFile::write(const void *data, size_t bytes) {
  if (int number = writeAll(descriptor.get(), data, bytes))
    return fail(number);
  return {};
}

/// Gives a file without a name its own where that is free, else one beside it.
Result<void> OutputFile::giveName() {
  std::string unnamed = "/proc/self/fd/" + std::to_string(descriptor.get());
  if (linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, place.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    place.clear();
    return {};
  }
  if (errno != EEXIST)
    return fail(errno);
  temporary.emplace(TemporaryName::choose(getFolder(place)));
  if (linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, temporary->get(), AT_SYMLINK_FOLLOW) != 0)
    return fail(errno);
  return {};
}

Result<void> OutputFile::finish() {
  if (Result<void> unchanged = checkInputs(); !unchanged)
    return unchanged;
  // Some file systems report a full disk only when a file is closed.
  if (close(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3)) != 0)
    return fail(errno);
  if (!place.empty() && !temporary)
    if (Result<void> named = giveName(); !named)
      return named;
  if (close(descriptor.take()) != 0)
    return fail(errno);
  if (!temporary)
    return {};
  if (rename(temporary->get(), place.c_str()) != 0)
    return fail(errno);
  temporary->forget();
  return {};
}

Result<void> checkOutput(const std::string &path) {
  if (getNamedDescriptor(path))
    return {};
  Result<Destination> destination = findDestination(path, /*mayBeInput=*/false);
  if (!destination)
    return destination.error();
  if (access(getFolder(destination->place).c_str(), F_OK) != 0)
    return refuse(path, describeSystemError(errno));
  return {};
}

/// The folder and not the file: a lock belongs to the file that is open, and a file that is replaced becomes another
/// one, so that who waited for the old one would hold what nobody sees any more. The folder stays what it is, is there
/// before the file is, and needs no file beside it that somebody would have to remove. That files of one folder wait
/// for each other costs nothing: it is held for moments.
Result<FileDescriptor> lockFolder(const std::string &path) {
  if (getNamedDescriptor(path))
    return FileDescriptor();
  Result<Destination> destination = findDestination(path, /*mayBeInput=*/true);
  if (!destination)
    return destination.error();
  if (destination->exists && !S_ISREG(destination->status.st_mode))
    return FileDescriptor();
  std::string folder = getFolder(destination->place);
  auto refuseLock = [&](const std::string &reason) {
    return refuse(path, "its folder " + inBackticks(folder) + " cannot be locked: " + reason);
  };
  FileDescriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0)
    return refuseLock(describeSystemError(errno));
  auto deadline = std::chrono::steady_clock::now() + lockPatience;
  // Not with a lock that waits: who holds it may be stopped.
  while (flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return refuseLock(describeSystemError(errno));
    if (std::chrono::steady_clock::now() > deadline)
      return refuseLock("another process has held it for " + std::to_string(lockPatience.count()) + " seconds");
    std::this_thread::sleep_for(lockInterval);
  }
  return descriptor;
}

} // namespace quern::runtime
