//===- quern-opt.cpp - runs passes on IR, for tests and for compiler engineers ----------------===//

#include "dialect/Register.h"
#include "passes/Passes.h"
#include "passes/Pipeline.h"
#include "tools/ReferenceCheck.h"
#include "tools/RoundTripCheck.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

#include <cstdlib>

using namespace mlir;

/// Whether the environment says `name`=1.
static bool isOn(const char *name) {
  const char *value = std::getenv(name);
  return value && llvm::StringRef(value) == "1";
}

/// Adds the checks that the environment asks for around the passes of the command line: QUERN_CHECK_REFERENCE holds
/// each against the reference evaluator, QUERN_CHECK_ROUNDTRIP reads the input and each result again as they are
/// printed.
static void addChecks(MlirOptMainConfig &config) {
  bool reference = isOn("QUERN_CHECK_REFERENCE"), roundTrip = isOn("QUERN_CHECK_ROUNDTRIP");
  if (roundTrip)
    config.verifyRoundtrip(true);
  if (!reference && !roundTrip)
    return;
  config.setPassPipelineSetupFn([given = config, reference, roundTrip](PassManager &passes) {
    if (failed(given.setupPassPipeline(passes)))
      return failure();
    if (reference)
      passes.addInstrumentation(quern::createReferenceCheck());
    if (roundTrip)
      passes.addInstrumentation(quern::createRoundTripCheck());
    return success();
  });
}

static LogicalResult run(llvm::StringRef input, llvm::StringRef output, DialectRegistry &registry) {
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  addChecks(config);
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
