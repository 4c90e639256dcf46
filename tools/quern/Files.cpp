//===- Files.cpp - reading and writing files
//---------------------------------------------------===//

#include "tools/quern/Files.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace quern::tool {

static bool report(StringRef path, StringRef what, std::error_code error) {
  errs() << path << ": error: " << what << ": " << error.message() << '\n';
  return false;
}

std::optional<unsigned> openSource(SourceMgr &sources, StringRef path) {
  auto file = MemoryBuffer::getFile(path);
  if (!file) {
    report(path, "cannot read the file", file.getError());
    return std::nullopt;
  }
  return sources.AddNewSourceBuffer(std::move(*file), SMLoc());
}

bool replaceFile(StringRef path, StringRef text) {
  SmallString<256> target;
  if (std::error_code error = sys::fs::real_path(path, target))
    return report(path, "cannot find the file", error);
  auto mode = sys::fs::getPermissions(target);
  if (!mode)
    return report(path, "cannot read the file's mode", mode.getError());
  if (std::error_code error = sys::fs::access(target, sys::fs::AccessMode::Write))
    return report(path, "cannot write the file", error);

  int descriptor = 0;
  SmallString<256> temporary;
  if (std::error_code error = sys::fs::createUniqueFile(target + ".%%%%%%", descriptor, temporary))
    return report(path, "cannot create a file beside it", error);
  raw_fd_ostream out(descriptor, /*shouldClose=*/true);
  out << text;
  out.close();
  std::error_code error = out.error();
  out.clear_error();
  if (!error)
    error = sys::fs::setPermissions(temporary, *mode);
  if (!error)
    error = sys::fs::rename(temporary, target);
  if (!error)
    return true;
  sys::fs::remove(temporary);
  return report(path, "cannot write the file", error);
}

} // namespace quern::tool
