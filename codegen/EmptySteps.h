//===- EmptySteps.h - launches of no rows -----------------------------------------------------===//

#ifndef QUERN_CODEGEN_EMPTYSTEPS_H
#define QUERN_CODEGEN_EMPTYSTEPS_H

#include "Halide.h"

namespace quern::codegen {

/// Has `pipeline` do something only where `hasWork`: launches for what it needs would read the last row of an input
/// that has none.
void doNothingWithout(Halide::Pipeline &pipeline, const Halide::Expr &hasWork);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_EMPTYSTEPS_H
