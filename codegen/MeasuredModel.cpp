//===- MeasuredModel.cpp - a model whose kernels have several plans ---------------------------===//

#include "codegen/MeasuredModel.h"

#include "codegen/Binary.h"
#include "codegen/Description.h"
#include "codegen/NativeObject.h"
#include "runtime/Workers.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

using namespace mlir;

namespace quern::codegen {

MeasuredModel::MeasuredModel(const TargetModule &target, const CodegenOptions &options)
    : target(target), options(options), cache(options.cacheDir) {
  llvm::append_range(kernels, this->target.module.getOps<KernelOp>());
}

MeasuredModel::~MeasuredModel() {
  if (data >= 0)
    close(data);
}

FailureOr<std::unique_ptr<MeasuredModel>> MeasuredModel::create(const TargetModule &target, ParameterSource &source,
                                                                const CodegenOptions &options,
                                                                llvm::StringRef directory,
                                                                llvm::function_ref<bool()> isOver) {
  std::unique_ptr<MeasuredModel> model(new MeasuredModel(target, options));
  if (failed(model->compileDefault(isOver)) || failed(model->writeData(source, directory)))
    return failure();
  return std::move(model);
}

/// The kernels as they are scheduled.
LogicalResult MeasuredModel::compileOwnPlans(llvm::function_ref<bool()> isOver) {
  options.phase("kernels");
  SmallVector<KernelJob> jobs;
  for (KernelOp kernel : kernels)
    jobs.push_back({kernel, *target.target, nativeSymbol(kernel.getSymName(), layout), options.ptxas});
  std::vector<KernelObject> tried = tryKernels(jobs, options.jobs, cache, isOver);
  if (isOver())
    return failure();
  if (llvm::all_of(tried, [](const KernelObject &kernel) { return kernel.object != nullptr; })) {
    for (KernelObject &kernel : tried)
      objects.push_back(std::move(kernel.object));
    return success();
  }
  // What did not compile says why.
  auto compiled = compileKernels(jobs, options.jobs, cache);
  if (failed(compiled))
    return failure();
  objects = std::move(*compiled);
  return success();
}

LogicalResult MeasuredModel::compileDefault(llvm::function_ref<bool()> isOver) {
  ModuleOp module = target.module;
  FailureOr<SmallVector<ParameterPlacement>> placed = placeParameters(module, weightsBytes);
  if (failed(placed))
    return failure();
  placements = std::move(*placed);
  layout = makeLayout(target, placements);
  layout.isMeasured = true;
  if (failed(compileOwnPlans(isOver)))
    return failure();

  options.phase("programs");
  FailureOr<OwningOpRef<ModuleOp>> lowered = lowerPrograms(module, layout);
  if (failed(lowered))
    return failure();
  FailureOr<std::unique_ptr<llvm::MemoryBuffer>> programs = compilePrograms(**lowered, "programs.o");
  if (failed(programs))
    return failure();
  std::vector<std::string> symbols;
  for (ProgramOp program : orderPrograms(module))
    symbols.push_back(nativeSymbol(program.getSymName(), layout));
  DescriptionInputs inputs;
  inputs.targets = target;
  inputs.parameters = placements;
  inputs.weightsBytes = weightsBytes;
  inputs.model = options.model;
  inputs.exact = options.exact;
  description = describe(inputs);
  auto tables = compileTables(symbols, description);
  if (!tables)
    return fail(tables.takeError());
  auto runtime = compileRuntime(cache);
  if (!runtime)
    return fail(runtime.takeError());
  objects.push_back(std::move(*programs));
  objects.push_back(std::move(*tables));
  objects.push_back(std::move(*runtime));
  return success();
}

/// An open file in `directory` that has no name.
static llvm::Expected<int> createNameless(llvm::StringRef directory) {
  int file = open(directory.str().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    // A file system that only knows names.
    std::string path = (directory + "/.quern-XXXXXX").str();
    file = mkstemp(path.data());
    if (file >= 0)
      unlink(path.c_str());
  }
  if (file < 0)
    return llvm::createStringError(std::error_code(errno, std::generic_category()),
                                   "cannot create a file for weights in `" + directory + "`");
  // Programs that measure open it by its number.
  fcntl(file, F_SETFD, 0);
  return file;
}

LogicalResult MeasuredModel::writeData(ParameterSource &source, llvm::StringRef directory) {
  options.phase("weights");
  llvm::Expected<int> file = createNameless(directory);
  if (!file)
    return fail(file.takeError());
  data = *file;
  llvm::raw_fd_ostream stream(data, /*shouldClose=*/false);
  unsigned processes = runtime::countWorkers(weightsBytes, options.jobs);
  auto writeWeights = [&](llvm::raw_ostream &) -> LogicalResult {
    uint64_t begin = stream.tell();
    stream.flush();
    if (failed(packParameters(target.module, placements, source, {data, begin, directory}, processes)))
      return failure();
    stream.seek(begin + weightsBytes);
    return success();
  };
  LogicalResult written = appendData(stream, description, weightsBytes, "", writeWeights);
  stream.flush();
  bool isFull = stream.has_error();
  std::string reason = isFull ? stream.error().message() : "";
  stream.clear_error();
  if (succeeded(written) && isFull)
    return fail(llvm::createStringError("cannot write the weights to a file in `" + directory + "`: " + reason));
  return written;
}

std::vector<KernelObject> MeasuredModel::compile(llvm::ArrayRef<Candidate> candidates,
                                                 llvm::function_ref<bool()> isOver) {
  // A kernel is printed, and compiled in a copy of this process, with the schedule that it has then: each job needs a
  // kernel of its own.
  OwningOpRef<ModuleOp> scratch = ModuleOp::create(target.module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(scratch->getBody());
  SmallVector<KernelJob> jobs;
  for (const Candidate &candidate : candidates) {
    auto kernel = cast<KernelOp>(builder.clone(*kernels[candidate.kernel]));
    kernel.setScheduleAttr(candidate.schedule);
    jobs.push_back({kernel, *target.target, nativeSymbol(kernel.getSymName(), layout), options.ptxas});
  }
  return tryKernels(jobs, options.jobs, cache, isOver);
}

llvm::Expected<MemoryFile> MeasuredModel::link(llvm::ArrayRef<MeasuredArm> arms) {
  std::vector<std::vector<std::string>> symbols;
  for (KernelOp kernel : kernels)
    symbols.push_back({nativeSymbol(kernel.getSymName(), layout)});
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> all;
  for (const MeasuredArm &arm : arms) {
    std::vector<std::string> &own = symbols[arm.kernel];
    own.push_back(own.front() + "__arm" + std::to_string(own.size()));
    auto renamed = renameSymbol(arm.object, own.front(), own.back());
    if (!renamed)
      return renamed.takeError();
    all.push_back(std::move(*renamed));
  }
  auto tables = compileArms(symbols);
  if (!tables)
    return tables.takeError();
  all.push_back(std::move(*tables));
  for (const std::unique_ptr<llvm::MemoryBuffer> &object : objects)
    all.push_back(llvm::MemoryBuffer::getMemBuffer(object->getMemBufferRef(), /*RequiresNullTerminator=*/false));
  llvm::Expected<std::string> program = linkMeasured(options, all);
  if (!program)
    return program.takeError();
  llvm::Expected<MemoryFile> file = MemoryFile::create();
  if (!file)
    return file.takeError();
  if (llvm::Error error = file->write(*program))
    return error;
  if (llvm::Error error = file->seal())
    return error;
  return file;
}

} // namespace quern::codegen
