//===- RoundTripCheck.cpp - prints a module after each pass and reads it again ----------------===//

#include "tools/RoundTripCheck.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace mlir;
using namespace quern;

namespace {

class RoundTripCheck final : public PassInstrumentation {
public:
  void runAfterPass(Pass *pass, Operation *op) override;
};

} // namespace

/// The text of `op` with its locations: each op in its own syntax, or all as `generic` ops, where nothing is left out.
static std::string print(Operation *op, bool generic) {
  std::string text;
  llvm::raw_string_ostream os(text);
  op->print(os, OpPrintingFlags().enableDebugInfo(true, /*prettyForm=*/false).printGenericOpForm(generic));
  return text;
}

/// The first line of `text` that differs from that of `other`.
static StringRef findDifference(StringRef text, StringRef other) {
  StringRef line;
  do {
    std::tie(line, text) = text.split('\n');
    StringRef otherLine;
    std::tie(otherLine, other) = other.split('\n');
    if (line != otherLine)
      return line;
  } while (!text.empty());
  return line;
}

/// Ends the process: the module after `pass` does not survive its text.
[[noreturn]] static void fail(Pass *pass, StringRef how, StringRef detail) {
  llvm::errs() << "error: the module " << how << " after " << pass->getName() << "; " << detail << "\n";
  std::exit(1);
}

void RoundTripCheck::runAfterPass(Pass *pass, Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module || module->getParentOp())
    return;
  std::string refusal;
  OwningOpRef<ModuleOp> read;
  {
    ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
      if (refusal.empty())
        refusal = diagnostic.str();
      return success();
    });
    read = parseSourceString<ModuleOp>(print(module, /*generic=*/false), module.getContext());
  }
  if (!read)
    fail(pass, "cannot be read as it is printed", refusal);
  std::string expected = print(module, /*generic=*/true), found = print(*read, /*generic=*/true);
  if (found != expected)
    fail(pass, "is another when it is printed and read",
         "expected `" + findDifference(expected, found).trim().str() + "`, found `" +
             findDifference(found, expected).trim().str() + "`");
}

std::unique_ptr<PassInstrumentation> quern::createRoundTripCheck() { return std::make_unique<RoundTripCheck>(); }
