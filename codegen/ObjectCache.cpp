//===- ObjectCache.cpp - objects that were compiled before ------------------------------------===//
//
// An entry is a file of the name of its key: the digest of key and object, then the object. It is written under another name
// and renamed, so that compilers that run at once see it whole or not at all.
//
//===------------------------------------------------------------------------------------------===//

#include "codegen/ObjectCache.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <tuple>
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
  auto file = MemoryBuffer::getFile("/proc/self/exe", /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return "";
  std::string halide = std::to_string(HALIDE_VERSION_MAJOR) + "." + std::to_string(HALIDE_VERSION_MINOR) + "." +
                       std::to_string(HALIDE_VERSION_PATCH);
  return digest({(*file)->getBuffer(), LLVM_VERSION_STRING, halide});
}

static SmallString<128> getPath(StringRef directory, StringRef key) {
  SmallString<128> path(directory);
  sys::path::append(path, key + extension);
  return path;
}

ObjectCache::ObjectCache(StringRef directory, uint64_t limit) : directory(directory), limit(limit) {
  if (directory.empty())
    return;
  compiler = digestCompiler();
  if (compiler.empty())
    this->directory.clear();
}

std::string ObjectCache::getKey(StringRef source) const { return toHex(digest({compiler, source}), /*LowerCase=*/true); }

std::unique_ptr<MemoryBuffer> ObjectCache::find(StringRef key, StringRef name) const {
  if (directory.empty())
    return nullptr;
  SmallString<128> path = getPath(directory, key);
  auto file = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return nullptr;
  StringRef content = (*file)->getBuffer();
  StringRef object = content.drop_front(std::min(content.size(), sizeof(BLAKE3Result<>)));
  if (!content.starts_with(digest({key, object})))
    return nullptr;
  // It was used now; a failure only makes it look older.
  utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return MemoryBuffer::getMemBufferCopy(object, name);
}

/// Writes `parts` to the open file `descriptor` and closes it.
static std::error_code write(int descriptor, ArrayRef<StringRef> parts) {
  raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  for (StringRef part : parts)
    stream << part;
  stream.close();
  std::error_code code = stream.error();
  stream.clear_error();
  return code;
}

void ObjectCache::store(StringRef key, StringRef object) {
  if (directory.empty() || sys::fs::create_directories(directory))
    return;
  int descriptor;
  SmallString<128> temporary;
  if (sys::fs::createUniqueFile(directory + "/%%%%%%%%%%%%.tmp", descriptor, temporary))
    return;
  if (write(descriptor, {digest({key, object}), object}) || sys::fs::rename(temporary, getPath(directory, key))) {
    sys::fs::remove(temporary);
    return;
  }
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
  llvm::sort(entries, [](const Entry &a, const Entry &b) { return std::tie(a.used, a.path) < std::tie(b.used, b.path); });
  for (const Entry &entry : entries) {
    if (total <= limit)
      return;
    if (!sys::fs::remove(entry.path))
      total -= entry.bytes;
  }
}

} // namespace quern::codegen
