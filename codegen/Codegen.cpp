//===- Codegen.cpp - modules in kernel form to native code and binaries -----------------------===//

#include "codegen/Codegen.h"

#include "codegen/Binary.h"
#include "codegen/Description.h"
#include "codegen/HalideBridge.h"
#include "codegen/NativeObject.h"
#include "codegen/Packer.h"
#include "codegen/Program.h"
#include "runtime/Workers.h"

using namespace mlir;

namespace quern::codegen {
namespace {

/// One compilation: what its steps hand to each other.
class Compilation {
public:
  Compilation(ArrayRef<TargetModule> targets, ParameterSource &source, const CodegenOptions &options)
      : targets(targets), source(source), options(options), root(targets.front().module), cache(options.cacheDir) {}

  LogicalResult run();

private:
  LogicalResult compileTarget(const TargetModule &target);
  LogicalResult writeOutput();
  LogicalResult pack(PendingFile &output, llvm::raw_ostream &stream);
  std::string describeModel() const;
  LogicalResult fail(llvm::Error error) { return root.emitError(llvm::toString(std::move(error))); }

  ArrayRef<TargetModule> targets;
  ParameterSource &source;
  const CodegenOptions &options;
  ModuleOp root;
  ObjectCache cache;
  SmallVector<ParameterPlacement> placements;
  uint64_t weightsBytes = 0;
  /// What is to be linked.
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> objects;
  /// The programs' symbols in the order of the description.
  std::vector<std::string> programSymbols;
};

/// Compiles the kernels and programs of one target to objects.
LogicalResult Compilation::compileTarget(const TargetModule &target) {
  ModuleOp module = target.module;
  ProgramLayout layout = makeLayout(target, placements);

  options.phase("kernels");
  SmallVector<KernelJob> jobs;
  for (auto kernel : module.getOps<KernelOp>())
    jobs.push_back({kernel, *target.target, nativeSymbol(kernel.getSymName(), layout), options.ptxas});
  FailureOr<std::vector<std::unique_ptr<llvm::MemoryBuffer>>> kernels = compileKernels(jobs, options.jobs, cache);
  if (failed(kernels))
    return failure();
  std::move(kernels->begin(), kernels->end(), std::back_inserter(objects));

  options.phase("programs");
  FailureOr<OwningOpRef<ModuleOp>> lowered = lowerPrograms(module, layout);
  if (failed(lowered))
    return failure();
  FailureOr<std::unique_ptr<llvm::MemoryBuffer>> programs =
      compilePrograms(**lowered, "programs" + layout.symbolSuffix + ".o");
  if (failed(programs))
    return failure();
  objects.push_back(std::move(*programs));
  for (ProgramOp program : orderPrograms(module))
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
  inputs.image = options.image;
  inputs.guesses = options.guesses;
  inputs.tokenizerOffset = weightsBytes;
  return describe(inputs);
}

/// Writes the weights to `stream`, which is that of `output`; to a file in several processes.
LogicalResult Compilation::pack(PendingFile &output, llvm::raw_ostream &stream) {
  unsigned processes = runtime::countWorkers(weightsBytes, options.jobs);
  if (processes < 2 || !output.stream().isRegularFile())
    return packParameters(root, placements, source, stream);
  uint64_t begin = stream.tell();
  stream.flush();
  if (failed(packParameters(root, placements, source, {output.getDescriptor(), begin, options.outputPath}, processes)))
    return failure();
  output.stream().seek(begin + weightsBytes);
  return success();
}

/// Links, appends the data section where the kind has one, and moves the result to its place.
LogicalResult Compilation::writeOutput() {
  PendingFile output(options.outputPath);
  if (llvm::Error error = output.create(options.kind == OutputKind::Object ? 0666 : 0777))
    return fail(std::move(error));

  options.phase("link");
  llvm::Expected<std::string> code = linkObjects(options, objects);
  if (!code)
    return fail(code.takeError());
  output.stream() << *code;
  if (options.kind != OutputKind::Object) {
    options.phase("weights");
    auto writeWeights = [&](llvm::raw_ostream &stream) { return pack(output, stream); };
    llvm::StringRef tokenizer = options.text ? llvm::StringRef(options.text->tokenizerJson) : "";
    if (failed(appendData(output.stream(), describeModel(), weightsBytes, tokenizer, writeWeights)))
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
  FailureOr<SmallVector<ParameterPlacement>> placed = placeParameters(root, weightsBytes);
  if (failed(placed))
    return failure();
  placements = std::move(*placed);
  for (const TargetModule &target : targets)
    if (failed(compileTarget(target)))
      return failure();
  if (options.kind != OutputKind::Object) {
    options.phase("runtime");
    auto tables = compileTables(programSymbols, describeModel());
    if (!tables)
      return fail(tables.takeError());
    auto runtime = compileRuntime(cache);
    if (!runtime)
      return fail(runtime.takeError());
    objects.push_back(std::move(*tables));
    objects.push_back(std::move(*runtime));
  }
  if (failed(options.confirm()))
    return failure();
  return writeOutput();
}

} // namespace

LogicalResult compileModule(ArrayRef<TargetModule> targets, ParameterSource &source, const CodegenOptions &options) {
  assert(!targets.empty() && "a binary needs at least one target");
  return Compilation(targets, source, options).run();
}

} // namespace quern::codegen
