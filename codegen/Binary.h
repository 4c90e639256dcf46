//===- Binary.h - the file that a compilation leaves ------------------------------------------===//

#ifndef QUERN_CODEGEN_BINARY_H
#define QUERN_CODEGEN_BINARY_H

#include "codegen/Codegen.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"

namespace quern::codegen {

/// A file that is written beside its final place and appears there whole, or not at all: an error, a crash or an interrupt
/// leaves nothing.
class PendingFile {
public:
  explicit PendingFile(llvm::StringRef finalPath) : finalPath(finalPath) {}
  ~PendingFile();
  PendingFile(const PendingFile &) = delete;
  PendingFile &operator=(const PendingFile &) = delete;

  /// Creates the temporary file; fails where the final place cannot be written.
  llvm::Error create();
  /// The temporary file.
  llvm::StringRef path() const { return temporaryPath; }
  /// Moves the file to its final place.
  llvm::Error commit();

private:
  llvm::SmallString<128> finalPath, temporaryPath;
};

/// Links `objects` to `path` as `options.kind` says, with the runtime for kinds that can run.
llvm::Error linkObjects(const CodegenOptions &options, llvm::ArrayRef<std::string> objects, llvm::StringRef path);

/// Appends the data section of Format.h to the linked file: weights, tokenizer, trailer.
mlir::LogicalResult appendData(mlir::ModuleOp module, llvm::StringRef path, llvm::StringRef description,
                               uint64_t weightsBytes, llvm::StringRef tokenizer,
                               llvm::function_ref<mlir::LogicalResult(llvm::raw_ostream &)> writeWeights);

/// Writes the C header of a shared library beside it: its entries in words, and how to call them.
llvm::Error writeHeader(mlir::ModuleOp module, llvm::StringRef libraryPath);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_BINARY_H
