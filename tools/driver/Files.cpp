//===- Files.cpp - reading and writing files --------------------------------------------------===//

#include "tools/driver/Files.h"

#include "frontend/ModelText.h"
#include "runtime/OutputFile.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace quern::tool {

std::optional<unsigned> openSource(SourceMgr &sources, StringRef path) {
  Expected<std::unique_ptr<MemoryBuffer>> text = frontend::readModelText(path);
  if (text)
    return sources.AddNewSourceBuffer(std::move(*text), SMLoc());
  errs() << (path.empty() ? "quern" : path) << ": error: cannot read the file: " << toString(text.takeError()) << '\n';
  return std::nullopt;
}

bool replaceFile(StringRef path, StringRef text) {
  runtime::Result<runtime::OutputFile> file = runtime::OutputFile::replace(path.str());
  runtime::Result<void> done;
  if (!file)
    done = file.error();
  else if (done = file->write(text.data(), text.size()); done)
    done = file->finish();
  if (!done)
    errs() << path << ": error: " << done.error().message << '\n';
  return bool(done);
}

} // namespace quern::tool
