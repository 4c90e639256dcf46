//===- MemoryFile.cpp - files that are on no disk ---------------------------------------------===//

#include "codegen/MemoryFile.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace llvm;

namespace quern::codegen {

static Error systemError(StringRef what) {
  std::error_code code(errno, std::generic_category());
  return createStringError(code, what + ": " + code.message());
}

Expected<MemoryFile> MemoryFile::create() {
  int descriptor = memfd_create("quern", 0);
  if (descriptor < 0)
    return systemError("cannot create a file in memory");
  MemoryFile file(descriptor);
  // Halide and the linker take names of files.
  if (access(file.path().c_str(), F_OK) != 0)
    return createStringError("cannot find `/proc/self/fd`; compiling needs `/proc` to be mounted");
  return file;
}

MemoryFile::~MemoryFile() {
  if (descriptor >= 0)
    close(descriptor);
}

std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(descriptor); }

Error MemoryFile::write(StringRef content) {
  while (!content.empty()) {
    ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return systemError("cannot write a file in memory");
    content = content.drop_front(written);
  }
  return Error::success();
}

Expected<std::unique_ptr<MemoryBuffer>> MemoryFile::read(StringRef name) const {
  auto content = MemoryBuffer::getFile(path());
  if (!content)
    return createStringError(content.getError(), "cannot read a file in memory: " + content.getError().message());
  return MemoryBuffer::getMemBufferCopy((*content)->getBuffer(), name);
}

Error MemoryFile::seal() {
  int reading = open(path().c_str(), O_RDONLY);
  if (reading < 0)
    return systemError("cannot open a file in memory");
  close(std::exchange(descriptor, reading));
  return Error::success();
}

} // namespace quern::codegen
