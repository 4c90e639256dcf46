//===- Cubins.h - kernels of CUDA that no driver has to compile -------------------------------===//

#ifndef QUERN_CODEGEN_CUBINS_H
#define QUERN_CODEGEN_CUBINS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

#include <string>

namespace quern::codegen {

/// NVIDIA's assembler of PTX, a program of the CUDA toolkit.
class Ptxas {
public:
  /// The program `path`, which must be there.
  static llvm::Expected<Ptxas> open(llvm::StringRef path);

  /// What tells one such program from others.
  llvm::StringRef getDigest() const { return digest; }
  /// What it makes of `text` for a compute capability, 80 for 8.0: a cubin.
  llvm::Expected<std::string> assemble(llvm::StringRef text, unsigned capability) const;

private:
  Ptxas(std::string path, std::string digest) : path(std::move(path)), digest(std::move(digest)) {}
  std::string path, digest;
};

/// Puts cubins of each text of PTX that `module` has its kernels be made of behind that text, as quern/Format.h says
/// (QuernModuleImage): a driver has to compile it only for devices that none of them is for.
llvm::Error addCubins(llvm::Module &module, const Ptxas &ptxas);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_CUBINS_H
