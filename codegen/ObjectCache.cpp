//===- ObjectCache.cpp - objects that were compiled before ------------------------------------===//
//
// An entry is a file of the name of its key: the digest of key and object, then the object. It appears whole or not at
// all, so that compilers may run at once. Whoever can write an entry can let the next binary run code: so the directory
// and every entry belong to this user, nobody else may write them, and no link is followed.
//
//===------------------------------------------------------------------------------------------===//

#include "codegen/ObjectCache.h"
#include "runtime/OutputFile.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>
#include <vector>

using namespace llvm;

namespace quern::codegen {

/// What the names of entries end in.
static constexpr StringLiteral extension = ".object";

static std::string digest(ArrayRef<StringRef> parts) {
  BLAKE3 hasher;
  for (StringRef part : parts) {
    hasher.update(std::to_string(part.size()) + ":");
    hasher.update(part);
  }
  BLAKE3Result<> result = hasher.final();
  return std::string(result.begin(), result.end());
}

/// The digest of this program's file and of what it calls to generate code; empty when the file cannot be read.
static std::string digestCompiler() {
  runtime::Result<runtime::FileDescriptor> file = runtime::FileDescriptor::openRegular("/proc/self/exe");
  if (!file)
    return "";
  runtime::Result<std::string> program = runtime::readAll(file->get(), "/proc/self/exe");
  if (!program)
    return "";
  std::string halide = std::to_string(HALIDE_VERSION_MAJOR) + "." + std::to_string(HALIDE_VERSION_MINOR) + "." +
                       std::to_string(HALIDE_VERSION_PATCH);
  return digest({*program, LLVM_VERSION_STRING, halide});
}

static SmallString<128> getPath(StringRef directory, StringRef key) {
  SmallString<128> path(directory);
  sys::path::append(path, key + extension);
  return path;
}

/// Whether this user alone can have written the file.
static bool isOwn(const struct stat &status) {
  return status.st_uid == geteuid() && !(status.st_mode & (S_IWGRP | S_IWOTH));
}

/// Whose a directory must be that the cache is made in: this user's or the system's, but no other user's.
static Error checkParent(StringRef directory) {
  SmallString<128> parent(directory);
  struct stat status;
  do
    parent = sys::path::parent_path(parent);
  while (!parent.empty() && stat(parent.c_str(), &status) != 0);
  if (!parent.empty() && status.st_uid != geteuid() && status.st_uid != 0)
    return createStringError("`" + parent + "` belongs to another user");
  return Error::success();
}

Error ObjectCache::check(StringRef directory) {
  if (!sys::path::is_absolute(directory))
    return createStringError("`" + directory + "` is a relative path");
  struct stat status;
  if (lstat(directory.str().c_str(), &status) != 0)
    return checkParent(directory);
  if (!S_ISDIR(status.st_mode))
    return createStringError("`" + directory + "` is no directory");
  if (status.st_uid != geteuid())
    return createStringError("`" + directory + "` belongs to another user");
  if (!isOwn(status))
    return createStringError("others may write to `" + directory + "`; forbid that with `chmod go-w`");
  return Error::success();
}

ObjectCache::ObjectCache(StringRef directory, uint64_t limit) : directory(directory), limit(limit) {
  if (directory.empty())
    return;
  compiler = digestCompiler();
  Error error = check(directory);
  if (compiler.empty() || error)
    this->directory.clear();
  consumeError(std::move(error));
}

int ObjectCache::openDirectory() const {
  int number = directory.empty() ? -1 : open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  if (number >= 0 && fstat(number, &status) == 0 && isOwn(status))
    return number;
  if (number >= 0)
    close(number);
  return -1;
}

/// What the entry `name` of a directory holds, if it is this user's own file.
static std::optional<std::string> readEntry(const runtime::FileDescriptor &directory, const std::string &name,
                                            uint64_t limit) {
  runtime::FileDescriptor file(openat(directory.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status;
  if (file.get() < 0 || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || !isOwn(status))
    return std::nullopt;
  runtime::Result<std::string> content = runtime::readAll(file.get(), name, limit);
  if (!content)
    return std::nullopt;
  // It was used now; a failure only makes it look older.
  futimens(file.get(), nullptr);
  return std::move(*content);
}

std::string ObjectCache::getKey(StringRef source) const {
  return toHex(digest({compiler, source}), /*LowerCase=*/true);
}

std::unique_ptr<MemoryBuffer> ObjectCache::find(StringRef key, StringRef name) const {
  runtime::FileDescriptor folder(openDirectory());
  if (folder.get() < 0)
    return nullptr;
  std::optional<std::string> content = readEntry(folder, (key + extension).str(), limit);
  if (!content)
    return nullptr;
  StringRef object = StringRef(*content).drop_front(std::min(content->size(), sizeof(BLAKE3Result<>)));
  if (!StringRef(*content).starts_with(digest({key, object})))
    return nullptr;
  return MemoryBuffer::getMemBufferCopy(object, name);
}

void ObjectCache::store(StringRef key, StringRef object) {
  if (directory.empty() || sys::fs::create_directories(directory, /*IgnoreExisting=*/true, sys::fs::perms::owner_all))
    return;
  if (runtime::FileDescriptor folder(openDirectory()); folder.get() < 0)
    return;
  SmallString<128> path = getPath(directory, key);
  // An output follows links.
  if (sys::fs::is_symlink_file(path))
    sys::fs::remove(path);
  runtime::Result<runtime::OutputFile> file = runtime::OutputFile::create(path.c_str(), 0600);
  if (!file)
    return;
  std::string head = digest({key, object});
  if (file->write(head.data(), head.size()) && file->write(object.data(), object.size()) && file->finish())
    hasGrown = true;
}

namespace {

struct Entry {
  sys::TimePoint<> used;
  uint64_t bytes;
  std::string path;
};

} // namespace

ObjectCache::~ObjectCache() {
  if (!hasGrown)
    return;
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code code;
  for (sys::fs::directory_iterator at(directory, code), end; !code && at != end; at.increment(code)) {
    // A temporary file that is left over counts, and ages, too.
    ErrorOr<sys::fs::basic_file_status> status = at->status();
    if (!status || status->type() != sys::fs::file_type::regular_file)
      continue;
    entries.push_back({status->getLastModificationTime(), status->getSize(), at->path()});
    total += status->getSize();
  }
  llvm::sort(entries,
             [](const Entry &a, const Entry &b) { return std::tie(a.used, a.path) < std::tie(b.used, b.path); });
  for (const Entry &entry : entries) {
    if (total <= limit)
      return;
    if (!sys::fs::remove(entry.path))
      total -= entry.bytes;
  }
}

} // namespace quern::codegen
