//===- ExplainReport.h - explanations as text and as JSON -------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_EXPLAINREPORT_H
#define QUERN_TOOLS_DRIVER_EXPLAINREPORT_H

#include "frontend/MedusaTree.h"
#include "tools/driver/Explanation.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace quern::tool {

/// Gives the text of a line of the model.
using GetLine = llvm::function_ref<llvm::StringRef(mlir::FileLineColLoc)>;

/// Prints the steps of `plan`, each with what it holds and why, then the lines of the model with the steps they became.
void printPlan(const Plan &plan, GetLine getLine, llvm::raw_ostream &os);

/// The same as JSON. Times are in microseconds.
llvm::json::Object describePlan(const Plan &plan, GetLine getLine);

/// Seconds that steps take at least, by the limits of the machine: of one row, and of the rows of a tree.
struct StepEstimate {
  double row = 0, tree = 0;
};

/// Prints which guesses a step tries, and what it is expected to write.
void printTree(const frontend::MedusaTree &tree, const std::optional<StepEstimate> &estimate, llvm::raw_ostream &os);

/// The same as JSON; null without a tree.
llvm::json::Value describeTree(const std::optional<frontend::MedusaTree> &tree,
                               const std::optional<StepEstimate> &estimate);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_EXPLAINREPORT_H
