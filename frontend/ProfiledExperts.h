//===- ProfiledExperts.h - what a routing profile says of a model ------------------------------===//

#ifndef QUERN_FRONTEND_PROFILEDEXPERTS_H
#define QUERN_FRONTEND_PROFILEDEXPERTS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace quern::frontend {

/// Reads the routing profile `path` and notes in `graph` how often its experts were chosen (dialect/ExpertUse.h).
/// Refuses a file that is no profile, and one of another model: every array of experts of the graph, and no other, is
/// in it, with as many experts of as many numbers. Of experts that no row went by, nothing is noted.
llvm::Error noteExpertUse(llvm::StringRef path, mlir::ModuleOp graph);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_PROFILEDEXPERTS_H
