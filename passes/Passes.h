//===- Passes.h - constructors and registration of the passes ---------------------------------===//

#ifndef QUERN_PASSES_PASSES_H
#define QUERN_PASSES_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace quern {

class ParameterSource;

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

/// Passes that decide by the values that `source` has. Without it they see the random values of tests.
std::unique_ptr<mlir::Pass> createNarrowParametersPass(ParameterSource &source, unsigned processes);
std::unique_ptr<mlir::Pass> createWidenCachesPass(ParameterSource &source, bool keep);
std::unique_ptr<mlir::Pass> createCompressParametersPass(ParameterSource &source, unsigned processes);

#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

} // namespace quern

#endif // QUERN_PASSES_PASSES_H
