//===- IndexLimits.h - what indices may be -----------------------------------------------------===//

#ifndef QUERN_CODEGEN_INDEXLIMITS_H
#define QUERN_CODEGEN_INDEXLIMITS_H

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

namespace quern::codegen {

/// The sizes that the elements of an argument of `program` must lie below, because kernels index by them and say
/// nothing of others: indices of gathers, the weights that rows choose, rotary positions. Each once, in the order of
/// the launches; none for what is no index.
llvm::SmallVector<Dim> getIndexLimits(ProgramOp program, mlir::BlockArgument argument);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_INDEXLIMITS_H
