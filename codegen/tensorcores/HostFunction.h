//===- HostFunction.h - what launches products on tensor cores --------------------------------===//

#ifndef QUERN_CODEGEN_TENSORCORES_HOSTFUNCTION_H
#define QUERN_CODEGEN_TENSORCORES_HOSTFUNCTION_H

#include "codegen/tensorcores/TensorCores.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace quern::codegen {

/// The name of the kernel of `symbol`'s products, and of the host function that computes their left side: the function
/// takes what `symbol`'s does but for the result, and the buffer of the left side.
std::string getProductName(llvm::StringRef symbol);
std::string getLeftSideName(llvm::StringRef symbol);

/// The bitcode of the host function `symbol`, of the signature that Halide gives it: it launches the product whose PTX
/// is `text`, of up to `narrowRows` rows by the narrow tile. `leftSide` is the bitcode of a module with the function of
/// the left side, or null where that is an argument.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> buildHostFunction(const TensorContraction &contraction,
                                                                      llvm::StringRef symbol, llvm::StringRef text,
                                                                      int narrowRows,
                                                                      const llvm::MemoryBuffer *leftSide);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TENSORCORES_HOSTFUNCTION_H
