//===- Paths.cpp - where an installation keeps its parts --------------------------------------===//

#include "tools/driver/Paths.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstdlib>
#include <sys/auxv.h>

namespace quern::tool {

/// The directory above the one that holds this program.
static llvm::SmallString<128> installRoot() {
  // What the system started; /proc, which knows it by its last name, need not be there.
  auto *started = reinterpret_cast<const char *>(getauxval(AT_EXECFN));
  llvm::SmallString<128> root;
  if (llvm::sys::fs::real_path("/proc/self/exe", root) && llvm::sys::fs::real_path(started ? started : "quern", root))
    root = "quern";
  llvm::sys::path::remove_filename(root);
  llvm::sys::path::append(root, "..");
  llvm::sys::path::remove_dots(root, /*remove_dot_dot=*/true);
  return root;
}

std::string findLibraries() {
  llvm::SmallString<128> path = installRoot();
  llvm::sys::path::append(path, "lib");
  return path.str().str();
}

std::string findStandardLibrary() {
  llvm::SmallString<128> path = installRoot();
  llvm::sys::path::append(path, "share", "quern");
  if (llvm::sys::fs::is_directory(path))
    return path.str().str();
  return QUERN_SOURCE_LIBRARY;
}

std::vector<std::string> findTunedRows() {
  llvm::SmallString<128> path = installRoot();
  llvm::sys::path::append(path, "share", "quern");
  if (llvm::sys::fs::is_directory(path))
    llvm::sys::path::append(path, "tuned");
  else
    path = QUERN_SOURCE_ROWS;
  std::vector<std::string> files;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator file(path, code), end; file != end && !code; file.increment(code))
    if (llvm::sys::path::extension(file->path()) == ".json")
      files.push_back(file->path());
  llvm::sort(files);
  return files;
}

llvm::Expected<std::string> findCache() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  bool isGiven = cache && *cache;
  llvm::SmallString<128> path(isGiven ? cache : home ? home : "");
  // Else it would be another place for every directory that the compiler runs in.
  if (!llvm::sys::path::is_absolute(path))
    return llvm::createStringError(llvm::Twine("`") + (isGiven ? "XDG_CACHE_HOME" : "HOME") + "` is `" +
                                   (path.empty() ? "\"\"" : path.c_str()) + "`, expected an absolute path");
  if (!isGiven)
    llvm::sys::path::append(path, ".cache");
  llvm::sys::path::append(path, "quern");
  return path.str().str();
}

/// `path` as it is called from the working directory, where it lies below it.
static std::string shorten(std::string path) {
  llvm::SmallString<128> here;
  if (llvm::sys::fs::current_path(here))
    return path;
  llvm::StringRef rest = path;
  return rest.consume_front(here) && rest.consume_front("/") ? rest.str() : path;
}

std::vector<std::string> findImportPaths(llvm::ArrayRef<std::string> further) {
  std::string library = shorten(findStandardLibrary());
  std::vector<std::string> paths{library, library + "/models"};
  paths.insert(paths.end(), further.begin(), further.end());
  return paths;
}

} // namespace quern::tool
