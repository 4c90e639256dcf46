//===- Binary.h - the file that a compilation leaves ------------------------------------------===//

#ifndef QUERN_CODEGEN_BINARY_H
#define QUERN_CODEGEN_BINARY_H

#include "codegen/Codegen.h"
#include "runtime/OutputFile.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>
#include <optional>
#include <string>

namespace quern::codegen {

/// A file that appears at its place whole, or not at all (runtime/OutputFile.h), as a stream.
class PendingFile {
public:
  explicit PendingFile(llvm::StringRef path) : path(path.str()) {}
  ~PendingFile();
  PendingFile(const PendingFile &) = delete;
  PendingFile &operator=(const PendingFile &) = delete;

  /// Creates the file, with these permissions as far as the user's mask allows them;
  /// fails where its place cannot be written.
  llvm::Error create(unsigned mode = 0666);
  /// Where to write; errors can be left to `commit`.
  llvm::raw_fd_ostream &stream() { return *os; }
  /// The open file beneath the stream.
  int getDescriptor() const { return file->getDescriptor(); }
  /// Ends writing and moves the file to its place.
  llvm::Error commit();

private:
  std::string path;
  std::optional<runtime::OutputFile> file;
  std::optional<llvm::raw_fd_ostream> os;
};

/// Links `objects` as `options.kind` says, with the runtime for kinds that can run, and gives the linked file.
llvm::Expected<std::string> linkObjects(const CodegenOptions &options,
                                        llvm::ArrayRef<std::unique_ptr<llvm::MemoryBuffer>> objects);

/// Links a program that measures (runtime/measure) of the `objects` of a model.
llvm::Expected<std::string> linkMeasured(const CodegenOptions &options,
                                         llvm::ArrayRef<std::unique_ptr<llvm::MemoryBuffer>> objects);

/// Appends the data section of Format.h to the linked file: weights, tokenizer, trailer.
mlir::LogicalResult appendData(llvm::raw_fd_ostream &stream, llvm::StringRef description, uint64_t weightsBytes,
                               llvm::StringRef tokenizer,
                               llvm::function_ref<mlir::LogicalResult(llvm::raw_ostream &)> writeWeights);

/// Writes the C header of a shared library beside it: its entries in words, and how to call them.
llvm::Error writeHeader(mlir::ModuleOp module, llvm::StringRef libraryPath);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_BINARY_H
