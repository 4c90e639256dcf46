//===- NativeObject.h - objects that LLVM writes, and the linker ------------------------------===//

#ifndef QUERN_CODEGEN_NATIVEOBJECT_H
#define QUERN_CODEGEN_NATIVEOBJECT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace quern::codegen {

/// The relocatable object of a module of the LLVM dialect, named `name`, for the baseline of this architecture:
/// programs only call kernels, they need no features.
mlir::FailureOr<std::unique_ptr<llvm::MemoryBuffer>> compilePrograms(mlir::ModuleOp llvmModule, llvm::StringRef name);

/// The object that holds `quern_programs` (functions of these names, in this order) and `quern_description`.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> compileTables(llvm::ArrayRef<std::string> programSymbols,
                                                                  llvm::StringRef description);

/// The object that holds the tables of runtime/measure/Arms.h: `arms` has, for each kernel, the functions that compute
/// it.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> compileArms(llvm::ArrayRef<std::vector<std::string>> arms);

/// `object` with its symbol `from` called `to`.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> renameSymbol(llvm::MemoryBufferRef object, llvm::StringRef from,
                                                                 llvm::StringRef to);

/// Links all of `objects` with the system's C++ compiler, which gets these arguments too, and gives the linked file.
/// Objects and result are only ever in memory. What the linker says becomes the error.
llvm::Expected<std::string> link(llvm::ArrayRef<std::unique_ptr<llvm::MemoryBuffer>> objects,
                                 llvm::ArrayRef<std::string> arguments);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_NATIVEOBJECT_H
