//===- Loader.h - the data behind a binary's code ----------------------------------------------===//

#ifndef QUERN_RUNTIME_LOADER_H
#define QUERN_RUNTIME_LOADER_H

#include "quern/Format.h"
#include "quern/Result.h"
#include "runtime/Memory.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace quern::runtime {

/// The trailer's checksum: FNV-1a 64 of its bytes before that field and of the description (quern/Format.h).
uint64_t computeChecksum(const QuernTrailer &trailer, std::string_view description);

/// Where the data of a file of `fileBytes` lies, checked against the file's size and the description.
Result<void> checkTrailer(const QuernTrailer &trailer, uint64_t fileBytes, std::string_view description);

/// Maps the data section of the file `path`, whose code came with `description`. The pages are read when touched.
Result<Mapping> mapData(const std::string &path, std::string_view description);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LOADER_H
