//===- HalideBridge.cpp - kernels to native code ----------------------------------------------===//

#include "codegen/HalideBridge.h"
#include "codegen/Backend.h"
#include "codegen/DeviceSchedule.h"
#include "codegen/EmptySteps.h"
#include "codegen/MemoryFile.h"
#include "codegen/NarrowFloats.h"
#include "codegen/SharedMemory.h"
#include "codegen/Template.h"
#include "codegen/tensorcores/HostFunction.h"
#include "codegen/tensorcores/LeftSide.h"
#include "codegen/tensorcores/Product.h"

#include "llvm/Support/MemoryBuffer.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <unistd.h>

using namespace mlir;

// Halide makes a temporary folder for each kernel, in the usual place whatever TMPDIR says, and uses it for
// static libraries alone, which are none of ours: a read-only one would refuse every kernel, and
// an interrupt would leave the folder there. So the two functions that it calls for that are defined
// here, before the system's, and know this one folder.
static constexpr char unusedFolder[] = P_tmpdir "/XXXXXX";

extern "C" char *mkdtemp(char *name) noexcept {
  if (StringRef(name) == unusedFolder)
    return name;
  static auto *others = reinterpret_cast<char *(*)(char *)>(dlsym(RTLD_NEXT, "mkdtemp"));
  return others(name);
}

extern "C" int rmdir(const char *name) noexcept {
  if (StringRef(name) == unusedFolder)
    return 0;
  static auto *others = reinterpret_cast<int (*)(const char *)>(dlsym(RTLD_NEXT, "rmdir"));
  return others(name);
}

namespace quern::codegen {

namespace {

/// A kernel's scheduled pipeline.
struct Pipeline {
  Halide::Pipeline pipeline;
  std::vector<Halide::Argument> arguments;
  Halide::Target target;
};

} // namespace

/// What Halide is told of a processor.
static void addProcessor(std::vector<Halide::Target::Feature> &features, const TargetSpec &target) {
  using T = Halide::Target;
  features.insert(features.end(), {T::SSE41, T::AVX, T::AVX2, T::FMA, T::F16C});
  if (target.level != TargetSpec::Level::Avx2)
    features.insert(features.end(), {T::AVX512, T::AVX512_Skylake});
  // Halide's one name for AVX-512 VNNI without tile registers. It stands for bf16 instructions too, but kernels ask for
  // these themselves, where the target has them, and never convert to bf16 other than by its bits.
  if (target.level == TargetSpec::Level::Vnni512)
    features.insert(features.end(), {T::AVX512_Cannonlake, T::AVX512_Zen4});
}

/// What Halide is told of a target. Strict floats: see Backend.h. Sizes and strides are given by getSignature, so
/// kernels do not check them again. Indices have 64 bits only where a buffer needs them. A device's kernels are told
/// which one they run on by their first argument.
static Halide::Target getHalideTarget(const TargetSpec &target, bool largeBuffers) {
  using T = Halide::Target;
  std::vector<T::Feature> features = {T::NoRuntime, T::NoAsserts, T::NoBoundsQuery, T::StrictFloat};
  if (largeBuffers)
    features.push_back(T::LargeBuffers);
  switch (target.device) {
  case TargetSpec::Device::Cpu:
    addProcessor(features, target);
    break;
  case TargetSpec::Device::Cuda:
    features.insert(features.end(), {T::UserContext, T::CUDA, T::CUDACapability80});
    break;
  case TargetSpec::Device::OpenCl:
    features.insert(features.end(), {T::UserContext, T::OpenCL});
    break;
  }
  return Halide::Target(T::Linux, T::X86, 64, features);
}

/// Runs `action`, which calls Halide; what it throws becomes a diagnostic at `kernel`.
template <typename ActionT> static LogicalResult guard(KernelOp kernel, ActionT action) {
  try {
    return action();
  } catch (const Halide::InternalError &error) {
    return kernel.emitError("internal error of Halide: ") << StringRef(error.what()).trim();
  } catch (const Halide::Error &error) {
    return kernel.emitError("Halide refuses this kernel: ") << StringRef(error.what()).trim();
  } catch (const std::exception &error) {
    return kernel.emitError("compiling this kernel failed: ") << error.what();
  }
}

/// The pipeline of scheduled `outputs`, with what Halide has to be told of a device.
static Pipeline finishPipeline(const Outputs &outputs, Lowering &lowering, const TargetSpec &target) {
  // What the system keeps of the memory that a block shares.
  constexpr int systemsBytes = 1024;
  Halide::Pipeline pipeline(outputs);
  bool isCuda = target.device == TargetSpec::Device::Cuda;
  if (isCuda)
    keepOffSharedMemory(pipeline, systemsBytes);
  if (target.isDevice()) {
    storeNarrowFloatsAsBits(pipeline, /*keepHalf=*/isCuda);
    doNothingWithout(pipeline, lowering.getHasWork());
  }
  return {pipeline, lowering.getArguments(), getHalideTarget(target, lowering.hasLargeBuffers())};
}

static FailureOr<Pipeline> buildPipeline(KernelOp kernel, const TargetSpec &target) {
  const KernelTemplate &form = getTemplate(kernel.getForm());
  FailureOr<Parameters> parameters = Parameters::get(kernel, target);
  FailureOr<std::unique_ptr<Lowering>> lowering = Lowering::create(kernel, target);
  if (failed(parameters) || failed(lowering))
    return failure();
  FailureOr<KernelPlan> plan = form.build(**lowering, *parameters);
  if (failed(plan))
    return failure();
  if (plan->outputs.size() != kernel.getNumResults())
    return kernel.emitError("has ") << kernel.getNumResults() << " results, expected " << plan->outputs.size()
                                    << " of a kernel of the form `" << stringifyKernelForm(kernel.getForm()) << "`";
  if (target.isDevice())
    plan->forDevice(DeviceSchedule((*parameters)["threads"]));
  else if (failed(plan->forProcessor()))
    return failure();
  (*lowering)->constrainOutputs(plan->outputs);
  return finishPipeline(plan->outputs, **lowering, target);
}

/// The pipeline of the left side of products on tensor cores.
static FailureOr<Pipeline> buildLeftPipeline(const TensorContraction &contraction, const TargetSpec &target) {
  FailureOr<Parameters> parameters = Parameters::get(contraction.kernel, target);
  FailureOr<std::unique_ptr<Lowering>> lowering = Lowering::create(contraction.kernel, target);
  if (failed(parameters) || failed(lowering))
    return failure();
  FailureOr<Halide::Func> left = buildLeftSide(**lowering, contraction, DeviceSchedule((*parameters)["threads"]));
  if (failed(left))
    return failure();
  return finishPipeline({*left}, **lowering, target);
}

static LogicalResult emitError(KernelOp kernel, llvm::Error error) {
  return kernel.emitError(llvm::toString(std::move(error)));
}

using PipelineBuilder = llvm::function_ref<FailureOr<Pipeline>()>;

/// What Halide writes of a pipeline of `kernel`, as one file.
static FailureOr<std::unique_ptr<llvm::MemoryBuffer>>
writePipeline(KernelOp kernel, StringRef symbol, Halide::OutputFileType kind, PipelineBuilder build) {
  llvm::Expected<MemoryFile> file = MemoryFile::create();
  if (!file)
    return emitError(kernel, file.takeError());
  LogicalResult built = guard(kernel, [&]() -> LogicalResult {
    FailureOr<Pipeline> pipeline = build();
    if (failed(pipeline))
      return failure();
    std::map<Halide::OutputFileType, std::string> outputs = {{kind, file->path()}};
    pipeline->pipeline.compile_to(outputs, pipeline->arguments, symbol.str(), pipeline->target);
    return success();
  });
  if (failed(built))
    return failure();
  auto buffer = file->read(symbol);
  if (!buffer)
    return emitError(kernel, buffer.takeError());
  return std::move(*buffer);
}

/// The bitcode of the host function of a kernel on tensor cores.
static FailureOr<std::unique_ptr<llvm::MemoryBuffer>> buildTensorBitcode(const TensorContraction &contraction,
                                                                         const TargetSpec &target, StringRef symbol) {
  FailureOr<Parameters> parameters = Parameters::get(contraction.kernel, target);
  if (failed(parameters))
    return failure();
  std::unique_ptr<llvm::MemoryBuffer> left;
  if (!contraction.left) {
    auto written = writePipeline(contraction.kernel, getLeftSideName(symbol), Halide::OutputFileType::bitcode,
                                 [&] { return buildLeftPipeline(contraction, target); });
    if (failed(written))
      return failure();
    left = std::move(*written);
  }
  llvm::Expected<std::string> text = generateProduct(contraction, getProductName(symbol));
  if (!text)
    return emitError(contraction.kernel, text.takeError());
  auto host = buildHostFunction(contraction, symbol, *text, (*parameters)["narrow"], left.get());
  if (!host)
    return emitError(contraction.kernel, host.takeError());
  return std::move(*host);
}

/// The bitcode of `kernel`'s native function.
static FailureOr<std::unique_ptr<llvm::MemoryBuffer>> buildBitcode(KernelOp kernel, const TargetSpec &target,
                                                                   StringRef symbol) {
  if (std::optional<TensorContraction> contraction = findTensorContraction(kernel, target))
    return buildTensorBitcode(*contraction, target, symbol);
  return writePipeline(kernel, symbol, Halide::OutputFileType::bitcode, [&] { return buildPipeline(kernel, target); });
}

/// Writes a kernel's machine code to `os`.
static LogicalResult emitKernelCode(const KernelJob &job, MachineCode kind, llvm::raw_pwrite_stream &os) {
  auto bitcode = buildBitcode(job.kernel, job.target, job.symbol);
  if (failed(bitcode))
    return failure();
  FailureOr<Parameters> parameters = Parameters::get(job.kernel, job.target);
  int64_t prefetchBytes = succeeded(parameters) ? parameters->getPrefetchBytes() : 0;
  if (llvm::Error error =
          emitMachineCode((*bitcode)->getMemBufferRef(), job.target, job.symbol, prefetchBytes, job.ptxas, kind, os))
    return emitError(job.kernel, std::move(error));
  return success();
}

LogicalResult compileKernel(const KernelJob &job, llvm::raw_pwrite_stream &object) {
  return emitKernelCode(job, MachineCode::Object, object);
}

/// What Halide writes as a file of its own: loops after lowering, a device's code. Of a kernel on tensor cores that is
/// its left side, before which a device's code has the products.
static LogicalResult emitOutput(KernelOp kernel, const TargetSpec &target, StringRef symbol,
                                Halide::OutputFileType kind, llvm::raw_ostream &os) {
  std::optional<TensorContraction> contraction = findTensorContraction(kernel, target);
  if (contraction && kind == Halide::OutputFileType::device_code) {
    llvm::Expected<std::string> text = generateProduct(*contraction, getProductName(symbol));
    if (!text)
      return emitError(kernel, text.takeError());
    os << *text;
  }
  if (contraction && contraction->left)
    return success();
  auto build = [&] { return contraction ? buildLeftPipeline(*contraction, target) : buildPipeline(kernel, target); };
  auto text = writePipeline(kernel, contraction ? getLeftSideName(symbol) : symbol.str(), kind, build);
  if (failed(text))
    return failure();
  StringRef written = (*text)->getBuffer();
  // One module has one head.
  if (contraction && kind == Halide::OutputFileType::device_code)
    written = written.substr(written.find(".visible"));
  os << written;
  return success();
}

LogicalResult emitKernel(KernelOp kernel, const TargetSpec &target, StringRef symbol, KernelText kind,
                         llvm::raw_ostream &os) {
  if (kind == KernelText::Loops)
    return emitOutput(kernel, target, symbol, Halide::OutputFileType::stmt, os);
  if (kind == KernelText::Device)
    return emitOutput(kernel, target, symbol, Halide::OutputFileType::device_code, os);
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream textStream(text);
  if (failed(emitKernelCode({kernel, target, symbol.str()}, MachineCode::Assembly, textStream)))
    return failure();
  os << textStream.str();
  return success();
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> compileRuntime(ObjectCache &cache) {
  constexpr StringLiteral name = "halide_runtime.o";
  std::string key = cache.getKey(name);
  if (std::unique_ptr<llvm::MemoryBuffer> cached = cache.find(key, name))
    return cached;
  llvm::Expected<MemoryFile> object = MemoryFile::create();
  if (!object)
    return object.takeError();
  try {
    Halide::compile_standalone_runtime(object->path(), Halide::Target(Halide::Target::Linux, Halide::Target::X86, 64));
  } catch (const std::exception &error) {
    return llvm::createStringError("compiling Halide's runtime failed: " + std::string(error.what()));
  }
  auto runtime = object->read(name.str());
  if (runtime)
    cache.store(key, (*runtime)->getBuffer());
  return runtime;
}

} // namespace quern::codegen
