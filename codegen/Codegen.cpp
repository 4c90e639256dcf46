//===- Codegen.cpp - modules in kernel form to native code and binaries -----------------------===//

#include "codegen/Codegen.h"

#include "codegen/Binary.h"
#include "codegen/Description.h"
#include "codegen/HalideBridge.h"
#include "codegen/NativeObject.h"
#include "codegen/Packer.h"
#include "codegen/Program.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace quern::codegen {
namespace {

/// One compilation: what its steps hand to each other.
class Compilation {
public:
  Compilation(ArrayRef<TargetModule> targets, ParameterSource &source, const CodegenOptions &options)
      : targets(targets), source(source), options(options), root(targets.front().module) {}

  LogicalResult run();

private:
  LogicalResult compileTarget(const TargetModule &target);
  LogicalResult writeOutput();
  std::string describeModel() const;
  LogicalResult fail(llvm::Error error) { return root.emitError(llvm::toString(std::move(error))); }
  std::string filePath(const llvm::Twine &name) const {
    SmallString<128> path(workDir);
    llvm::sys::path::append(path, name);
    return path.str().str();
  }

  ArrayRef<TargetModule> targets;
  ParameterSource &source;
  const CodegenOptions &options;
  ModuleOp root;
  SmallString<128> workDir;
  SmallVector<ParameterPlacement> placements;
  uint64_t weightsBytes = 0;
  /// Objects to link, and the programs' symbols in the order of the description.
  std::vector<std::string> objects, programSymbols;
};

/// `__x86_64_v3`: what makes the symbols of one target differ from another's.
std::string symbolSuffix(const TargetSpec &target) {
  std::string suffix = "__" + std::string(target.name);
  for (char &c : suffix)
    if (!llvm::isAlnum(c))
      c = '_';
  return suffix;
}

/// Compiles the kernels and programs of one target to objects.
LogicalResult Compilation::compileTarget(const TargetModule &target) {
  ModuleOp module = target.module;
  ProgramLayout layout;
  layout.symbolSuffix = symbolSuffix(*target.target);
  for (const ParameterPlacement &placement : placements)
    layout.parameterOffsets[placement.name] = placement.offset;
  for (auto [i, state] : llvm::enumerate(module.getOps<StateOp>()))
    layout.stateIndices[state.getSymName()] = i;

  options.phase("kernels");
  SmallVector<KernelJob> jobs;
  for (auto [i, kernel] : llvm::enumerate(module.getOps<KernelOp>())) {
    layout.kernelIndices[kernel.getSymName()] = i;
    std::string symbol = nativeSymbol(kernel.getSymName(), layout);
    objects.push_back(filePath(symbol + ".o"));
    jobs.push_back({kernel, *target.target, symbol});
  }
  if (failed(compileKernels(jobs, workDir, options.jobs)))
    return failure();

  options.phase("programs");
  FailureOr<OwningOpRef<ModuleOp>> lowered = lowerPrograms(target.module, layout);
  if (failed(lowered))
    return failure();
  objects.push_back(filePath("programs" + layout.symbolSuffix + ".o"));
  if (failed(writeProgramObject(**lowered, objects.back())))
    return failure();
  for (ProgramOp program : orderPrograms(target.module))
    programSymbols.push_back(nativeSymbol(program.getSymName(), layout));
  return success();
}

std::string Compilation::describeModel() const {
  DescriptionInputs inputs;
  inputs.targets = targets;
  inputs.parameters = placements;
  inputs.weightsBytes = weightsBytes;
  inputs.model = options.model;
  inputs.exact = options.exact;
  inputs.text = options.text;
  inputs.tokenizerOffset = weightsBytes;
  return describe(inputs);
}

/// Links, appends the data section where the kind has one, and moves the result to its place.
LogicalResult Compilation::writeOutput() {
  PendingFile output(options.outputPath);
  if (llvm::Error error = output.create())
    return fail(std::move(error));

  options.phase("link");
  if (llvm::Error error = linkObjects(options, objects, output.path()))
    return fail(std::move(error));
  if (options.kind != OutputKind::Object) {
    options.phase("weights");
    std::string description = describeModel();
    auto writeWeights = [&](llvm::raw_ostream &stream) {
      return packParameters(root, placements, source, stream);
    };
    llvm::StringRef tokenizer = options.text ? llvm::StringRef(options.text->tokenizerJson) : "";
    if (failed(appendData(root, output.path(), description, weightsBytes, tokenizer, writeWeights)))
      return failure();
  }
  if (options.kind == OutputKind::Shared)
    if (llvm::Error error = writeHeader(root, options.outputPath))
      return fail(std::move(error));
  if (llvm::Error error = output.commit())
    return fail(std::move(error));
  return success();
}

LogicalResult Compilation::run() {
  if (std::error_code code = llvm::sys::fs::createUniqueDirectory("quern", workDir))
    return fail(llvm::createStringError(code, "cannot create a temporary directory: " + code.message()));
  llvm::scope_exit cleanUp([&] { llvm::sys::fs::remove_directories(workDir); });

  FailureOr<SmallVector<ParameterPlacement>> placed = placeParameters(root, weightsBytes);
  if (failed(placed))
    return failure();
  placements = std::move(*placed);
  for (const TargetModule &target : targets)
    if (failed(compileTarget(target)))
      return failure();
  if (options.kind != OutputKind::Object) {
    objects.push_back(filePath("tables.o"));
    if (llvm::Error error = writeTableObject(programSymbols, describeModel(), objects.back()))
      return fail(std::move(error));
    objects.push_back(filePath("halide_runtime.o"));
    options.phase("runtime");
    if (llvm::Error error = compileRuntime(objects.back()))
      return fail(std::move(error));
  }
  return writeOutput();
}

} // namespace

LogicalResult compileModule(ArrayRef<TargetModule> targets, ParameterSource &source, const CodegenOptions &options) {
  assert(!targets.empty() && "a binary needs at least one target");
  return Compilation(targets, source, options).run();
}

} // namespace quern::codegen
