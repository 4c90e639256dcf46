//===- quern-opt.cpp - runs passes on IR, for tests and for compiler engineers ----------------===//

#include "dialect/Register.h"
#include "passes/Passes.h"
#include "passes/Pipeline.h"
#include "tools/ReferenceCheck.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

#include <cstdlib>

using namespace mlir;

/// Whether each pass is checked against the reference evaluator: the environment says QUERN_CHECK_REFERENCE=1.
static bool checksReference() {
  const char *value = std::getenv("QUERN_CHECK_REFERENCE");
  return value && llvm::StringRef(value) == "1";
}

/// Adds the check behind the passes of the command line.
static void addReferenceCheck(MlirOptMainConfig &config) {
  config.setPassPipelineSetupFn([given = config](PassManager &passes) {
    if (failed(given.setupPassPipeline(passes)))
      return failure();
    passes.addInstrumentation(quern::createReferenceCheck());
    return success();
  });
}

static LogicalResult run(llvm::StringRef input, llvm::StringRef output, DialectRegistry &registry) {
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (checksReference())
    addReferenceCheck(config);
  std::string message;
  auto source = openInputFile(input, &message);
  auto result = source ? openOutputFile(output, &message) : nullptr;
  if (!result) {
    llvm::errs() << "error: " << message << "\n";
    return failure();
  }
  if (failed(MlirOptMain(result->os(), std::move(source), registry, config)))
    return failure();
  result->keep();
  return success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  quern::registerDialects(registry);
  quern::registerQuernPasses();
  quern::registerPipelines();
  registerTransformsPasses();
  auto [input, output] = registerAndParseCLIOptions(argc, argv, "Quern's optimizer driver\n", registry);
  return asMainReturnCode(run(input, output, registry));
}
