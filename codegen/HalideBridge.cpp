//===- HalideBridge.cpp - kernels to native code ----------------------------------------------===//

#include "codegen/HalideBridge.h"
#include "codegen/Backend.h"
#include "codegen/Template.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace quern::codegen {

namespace {

/// A kernel's scheduled pipeline.
struct Pipeline {
  Halide::Func output;
  std::vector<Halide::Argument> arguments;
};

/// A file that lasts as long as this object.
class TemporaryFile {
public:
  static llvm::Expected<TemporaryFile> create(StringRef suffix) {
    llvm::SmallString<128> path;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("quern", suffix, path))
      return llvm::createStringError(error, "cannot create a temporary file");
    return TemporaryFile(path);
  }
  TemporaryFile(TemporaryFile &&other) : name(std::move(other.name)) { other.name.clear(); }
  TemporaryFile &operator=(TemporaryFile &&) = delete;
  ~TemporaryFile() {
    if (!name.empty())
      llvm::sys::fs::remove(name);
  }
  std::string path() const { return std::string(name); }

private:
  explicit TemporaryFile(StringRef path) : name(path) {}
  llvm::SmallString<128> name;
};

} // namespace

/// What Halide is told of a target. Strict floats: see Backend.h. Sizes and strides are given by getSignature, so kernels
/// do not check them again.
static Halide::Target getHalideTarget(const TargetSpec &target) {
  using T = Halide::Target;
  std::vector<T::Feature> features = {T::SSE41,     T::AVX,       T::AVX2,          T::FMA,        T::F16C,
                                      T::NoRuntime, T::NoAsserts, T::NoBoundsQuery, T::StrictFloat};
  if (target.level != TargetSpec::Level::Avx2)
    features.insert(features.end(), {T::AVX512, T::AVX512_Skylake});
  // Halide's one name for AVX-512 VNNI without tile registers. It stands for bf16 instructions too, but kernels never
  // convert to bf16 other than by its bits.
  if (target.level == TargetSpec::Level::Vnni512)
    features.insert(features.end(), {T::AVX512_Cannonlake, T::AVX512_Zen4});
  return Halide::Target(T::Linux, T::X86, 64, features);
}

/// Runs `action`, which calls Halide; what it throws becomes a diagnostic at `kernel`.
template <typename ActionT>
static LogicalResult guard(KernelOp kernel, ActionT action) {
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

static FailureOr<Pipeline> buildPipeline(KernelOp kernel, const TargetSpec &target) {
  const KernelTemplate &form = getTemplate(kernel.getForm());
  FailureOr<Parameters> parameters = Parameters::get(kernel, form.space(kernel, target));
  FailureOr<std::unique_ptr<Lowering>> lowering = Lowering::create(kernel, target);
  if (failed(parameters) || failed(lowering))
    return failure();
  FailureOr<Halide::Func> output = form.build(**lowering, *parameters);
  if (failed(output))
    return failure();
  (*lowering)->constrainOutput(*output);
  return Pipeline{*output, (*lowering)->getArguments()};
}

static LogicalResult emitError(KernelOp kernel, llvm::Error error) {
  return kernel.emitError(llvm::toString(std::move(error)));
}

/// Writes `kernel`'s machine code to `os`.
static LogicalResult emitKernelCode(KernelOp kernel, const TargetSpec &target, StringRef symbol, MachineCode kind,
                                    llvm::raw_pwrite_stream &os) {
  llvm::Expected<TemporaryFile> bitcode = TemporaryFile::create("bc");
  if (!bitcode)
    return emitError(kernel, bitcode.takeError());
  LogicalResult built = guard(kernel, [&]() -> LogicalResult {
    FailureOr<Pipeline> pipeline = buildPipeline(kernel, target);
    if (failed(pipeline))
      return failure();
    pipeline->output.compile_to_bitcode(bitcode->path(), pipeline->arguments, symbol.str(), getHalideTarget(target));
    return success();
  });
  if (failed(built))
    return failure();
  auto buffer = llvm::MemoryBuffer::getFile(bitcode->path());
  if (!buffer)
    return kernel.emitError("cannot read ") << bitcode->path() << ": " << buffer.getError().message();
  if (llvm::Error error = emitMachineCode((*buffer)->getMemBufferRef(), target, symbol, kind, os))
    return emitError(kernel, std::move(error));
  return success();
}

LogicalResult compileKernel(KernelOp kernel, const TargetSpec &target, StringRef symbol, StringRef objectPath) {
  llvm::SmallVector<char, 0> code;
  llvm::raw_svector_ostream os(code);
  if (failed(emitKernelCode(kernel, target, symbol, MachineCode::Object, os)))
    return failure();
  std::error_code error;
  llvm::raw_fd_ostream file(objectPath, error);
  if (!error) {
    file.write(code.data(), code.size());
    file.close();
    error = file.error();
    file.clear_error();
  }
  if (error)
    return kernel.emitError("cannot write `") << objectPath << "`: " << error.message();
  return success();
}

/// Halide's loops after lowering.
static LogicalResult emitLoops(KernelOp kernel, const TargetSpec &target, StringRef symbol, llvm::raw_ostream &os) {
  llvm::Expected<TemporaryFile> text = TemporaryFile::create("stmt");
  if (!text)
    return emitError(kernel, text.takeError());
  LogicalResult built = guard(kernel, [&]() -> LogicalResult {
    FailureOr<Pipeline> pipeline = buildPipeline(kernel, target);
    if (failed(pipeline))
      return failure();
    std::map<Halide::OutputFileType, std::string> outputs = {{Halide::OutputFileType::stmt, text->path()}};
    pipeline->output.compile_to(outputs, pipeline->arguments, symbol.str(), getHalideTarget(target));
    return success();
  });
  if (failed(built))
    return failure();
  auto buffer = llvm::MemoryBuffer::getFile(text->path());
  if (!buffer)
    return kernel.emitError("cannot read ") << text->path() << ": " << buffer.getError().message();
  os << (*buffer)->getBuffer();
  return success();
}

LogicalResult emitKernel(KernelOp kernel, const TargetSpec &target, StringRef symbol, KernelText kind,
                         llvm::raw_ostream &os) {
  if (kind == KernelText::Loops)
    return emitLoops(kernel, target, symbol, os);
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream textStream(text);
  if (failed(emitKernelCode(kernel, target, symbol, MachineCode::Assembly, textStream)))
    return failure();
  os << textStream.str();
  return success();
}

llvm::Error compileRuntime(StringRef objectPath) {
  // Halide ends the process when it cannot write.
  std::error_code unwritable;
  llvm::raw_fd_ostream(objectPath, unwritable);
  if (unwritable)
    return llvm::createStringError(unwritable, "cannot write `" + objectPath.str() + "`: " + unwritable.message());
  try {
    Halide::compile_standalone_runtime(objectPath.str(), Halide::Target(Halide::Target::Linux, Halide::Target::X86, 64));
    return llvm::Error::success();
  } catch (const std::exception &error) {
    return llvm::createStringError("compiling Halide's runtime failed: " + std::string(error.what()));
  }
}

} // namespace quern::codegen
