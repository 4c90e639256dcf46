//===- Paths.cpp - where an installation keeps its parts --------------------------------------===//

#include "tools/quern/Paths.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

namespace quern::tool {

/// The directory above the one that holds this program.
static llvm::SmallString<128> installRoot() {
  static const char anchor = 0;
  llvm::SmallString<128> root(
      llvm::sys::fs::getMainExecutable("quern", const_cast<char *>(&anchor)));
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

std::string findCache() {
  llvm::SmallString<128> path;
  if (!llvm::sys::path::cache_directory(path))
    return "";
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
