//===- Passes.h - constructors and registration of the passes ---------------------------------===//

#ifndef QUERN_PASSES_PASSES_H
#define QUERN_PASSES_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace quern {

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

} // namespace quern

#endif // QUERN_PASSES_PASSES_H
