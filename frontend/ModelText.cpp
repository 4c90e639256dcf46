//===- ModelText.cpp - the text of a model file -----------------------------------------------===//

#include "frontend/ModelText.h"
#include "frontend/Lexer.h"

#include "runtime/File.h"

using namespace llvm;

namespace quern::frontend {

Expected<std::unique_ptr<MemoryBuffer>> readModelText(StringRef path) {
  runtime::Result<runtime::FileDescriptor> file = runtime::FileDescriptor::openRegular(path.str());
  if (!file)
    return createStringError(file.error().message);
  runtime::Result<std::string> text = runtime::readAll(file->get(), "it", maxFileBytes);
  if (!text)
    return createStringError(text.error().message);
  return MemoryBuffer::getMemBufferCopy(*text, path);
}

} // namespace quern::frontend
