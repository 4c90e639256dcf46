//===- Files.h - reading and writing files ----------------------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_FILES_H
#define QUERN_TOOLS_DRIVER_FILES_H

#include "llvm/ADT/StringRef.h"
#include <optional>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace quern::tool {

/// Reads a model file into `sources` and returns the number of its buffer; reports why it cannot.
std::optional<unsigned> openSource(llvm::SourceMgr &sources, llvm::StringRef path);

/// Replaces the file at `path` by `text`, whole or not at all; reports why it cannot. Follows links
/// and keeps the mode.
bool replaceFile(llvm::StringRef path, llvm::StringRef text);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_FILES_H
