//===- Dot.h - modules as drawings -------------------------------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_DOT_H
#define QUERN_TOOLS_DRIVER_DOT_H

#include "mlir/IR/BuiltinOps.h"

namespace quern::tool {

/// Prints what `module` computes as Graphviz text: a box for every entry or program, in it a node for every op or
/// launch and an arrow for every value or buffer that goes from one to another; groups of fused ops are boxes of their
/// own. Parameters appear only by name, in the nodes that use them. The same module gives the same text.
void printDot(mlir::ModuleOp module, llvm::raw_ostream &os);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_DOT_H
