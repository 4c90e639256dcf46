//===- ReferenceCheck.h - evaluates a module before and after each pass -----------------------===//

#ifndef QUERN_TOOLS_REFERENCECHECK_H
#define QUERN_TOOLS_REFERENCECHECK_H

#include "mlir/Pass/PassInstrumentation.h"

#include <memory>

namespace quern {

/// Runs every entry and program on random values (dialect/RandomValues.h) around each pass over a module, and ends the
/// process with status 1 where a pass changes what one gives, or where a variant gives something else than its general
/// form. A result may change by 1e-4 of its largest value, by 5e-2 in a pass that narrows operands of products and the
/// like: quantises activations, rounds weights. Entries of more than 2^28 operations are left alone, and so are modules
/// that cannot be evaluated or hold more than 2^24 weights.
std::unique_ptr<mlir::PassInstrumentation> createReferenceCheck();

} // namespace quern

#endif // QUERN_TOOLS_REFERENCECHECK_H
