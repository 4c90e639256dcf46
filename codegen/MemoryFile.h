//===- MemoryFile.h - files that are on no disk -----------------------------------------------===//

#ifndef QUERN_CODEGEN_MEMORYFILE_H
#define QUERN_CODEGEN_MEMORYFILE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>
#include <utility>

namespace quern::codegen {

/// A file in memory, for libraries and programs that read and write files only: nothing is left behind, whatever ends
/// the process.
class MemoryFile {
public:
  static llvm::Expected<MemoryFile> create();
  MemoryFile(MemoryFile &&other) : descriptor(std::exchange(other.descriptor, -1)) {}
  MemoryFile &operator=(MemoryFile &&) = delete;
  ~MemoryFile();

  /// Its path in this process, in children, and in the programs that they start.
  std::string path() const;
  /// Writes all of `content`.
  llvm::Error write(llvm::StringRef content);
  /// What it holds, as a buffer called `name`.
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> read(llvm::StringRef name) const;

  /// Ends writing: a program that is open for writing cannot be run.
  llvm::Error seal();

private:
  explicit MemoryFile(int descriptor) : descriptor(descriptor) {}
  int descriptor;
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_MEMORYFILE_H
