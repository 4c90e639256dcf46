//===- ModelBase.h - the base that a model file is given ---------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_MODELBASE_H
#define QUERN_TOOLS_DRIVER_MODELBASE_H

#include "mlir/Support/LogicalResult.h"
#include "llvm/ADT/ArrayRef.h"

#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace quern::tool {

/// Lets `command` take `--base FILE`.
void addBaseOption(CLI::App &command, std::string &base);

/// Whether `base`, empty for none, is given where one of `models` imports a base, and only there; a failure, which has
/// been told, is bad usage. Files that cannot be read or have syntax errors are passed over.
mlir::LogicalResult checkBase(llvm::ArrayRef<std::string> models, llvm::StringRef base);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_MODELBASE_H
