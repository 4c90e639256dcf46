//===- ModelText.h - the text of a model file -------------------------------------------------===//

#ifndef QUERN_FRONTEND_MODELTEXT_H
#define QUERN_FRONTEND_MODELTEXT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace quern::frontend {

/// The text of a model file or of one that it imports, as a buffer called `path`. Refuses what is no regular file, and
/// what is too long for a model. The error is the reason alone.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readModelText(llvm::StringRef path);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_MODELTEXT_H
