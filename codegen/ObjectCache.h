//===- ObjectCache.h - objects that were compiled before --------------------------------------===//

#ifndef QUERN_CODEGEN_OBJECTCACHE_H
#define QUERN_CODEGEN_OBJECTCACHE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace quern::codegen {

/// Objects on disk, each named by a digest of all that decides it. It never fails: what cannot be read is not found,
/// what cannot be written is not kept. It trusts what this user alone can have written.
class ObjectCache {
public:
  /// Why `directory` cannot be trusted: it is not this user's, others may write there, or its path depends on where the
  /// compiler runs.
  static llvm::Error check(llvm::StringRef directory);

  /// Objects in `directory`, which is made when the first is kept. Without a directory, or in one that cannot be
  /// trusted, none is found and none kept. `limit` bounds the bytes of all.
  explicit ObjectCache(llvm::StringRef directory, uint64_t limit = 256 << 20);
  /// Removes the objects that were not used for longest where they have become too many.
  ~ObjectCache();
  ObjectCache(const ObjectCache &) = delete;
  ObjectCache &operator=(const ObjectCache &) = delete;

  /// The key of what this compiler makes of `source`: a digest of that, of the compiler's own file and of the versions
  /// of the libraries that generate code.
  std::string getKey(llvm::StringRef source) const;
  /// The object kept under `key`, as a buffer called `name`; null unless it is there, whole.
  std::unique_ptr<llvm::MemoryBuffer> find(llvm::StringRef key, llvm::StringRef name) const;
  /// Keeps `object`, in place of what was there.
  void store(llvm::StringRef key, llvm::StringRef object);

private:
  /// The open directory, or -1 where there is none.
  int openDirectory() const;

  std::string directory;
  uint64_t limit;
  /// The digest of the compiler.
  std::string compiler;
  bool hasGrown = false;
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_OBJECTCACHE_H
