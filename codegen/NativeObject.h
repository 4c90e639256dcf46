//===- NativeObject.h - objects that LLVM writes, and the linker ------------------------------===//

#ifndef QUERN_CODEGEN_NATIVEOBJECT_H
#define QUERN_CODEGEN_NATIVEOBJECT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace quern::codegen {

/// Translates a module of the LLVM dialect and writes it as a relocatable object for the baseline of this architecture:
/// programs only call kernels, they need no features.
mlir::LogicalResult writeProgramObject(mlir::ModuleOp llvmModule, llvm::StringRef path);

/// Writes the object that holds `quern_programs` (functions of these names, in this order) and `quern_description`.
llvm::Error writeTableObject(llvm::ArrayRef<std::string> programSymbols, llvm::StringRef description,
                             llvm::StringRef path);

/// Runs the system's C++ compiler as a linker with these arguments; its messages become the error.
llvm::Error link(llvm::ArrayRef<std::string> arguments);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_NATIVEOBJECT_H
