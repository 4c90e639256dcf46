//===- RoundTripCheck.h - prints a module after each pass and reads it again ------------------===//

#ifndef QUERN_TOOLS_ROUNDTRIPCHECK_H
#define QUERN_TOOLS_ROUNDTRIPCHECK_H

#include "mlir/Pass/PassInstrumentation.h"

#include <memory>

namespace quern {

/// Prints the module after each pass, parses that text and ends the process with status 1 where it is refused, or where
/// what it says is not the same: attributes, types, locations and all.
std::unique_ptr<mlir::PassInstrumentation> createRoundTripCheck();

} // namespace quern

#endif // QUERN_TOOLS_ROUNDTRIPCHECK_H
