//===- HalideBridge.cpp - kernels to native code ----------------------------------------------===//

#include "codegen/HalideBridge.h"
#include "codegen/Backend.h"
#include "codegen/Template.h"

#include "llvm/Support/MemoryBuffer.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

using namespace mlir;

namespace quern::codegen {

namespace {

/// A kernel's scheduled pipeline.
struct Pipeline {
  Halide::Func output;
  std::vector<Halide::Argument> arguments;
};

/// A file in memory, for what Halide writes to files only: nothing is left on a disk, whatever ends the process.
class MemoryFile {
public:
  static llvm::Expected<MemoryFile> create() {
    int descriptor = memfd_create("quern", MFD_CLOEXEC);
    if (descriptor < 0) {
      std::error_code error(errno, std::generic_category());
      return llvm::createStringError(error, "cannot create a file in memory: " + error.message());
    }
    return MemoryFile(descriptor);
  }
  MemoryFile(MemoryFile &&other) : descriptor(std::exchange(other.descriptor, -1)) {}
  MemoryFile &operator=(MemoryFile &&) = delete;
  ~MemoryFile() {
    if (descriptor >= 0)
      close(descriptor);
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor); }

private:
  explicit MemoryFile(int descriptor) : descriptor(descriptor) {}
  int descriptor;
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
  llvm::Expected<MemoryFile> bitcode = MemoryFile::create();
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

static llvm::Error writeFile(StringRef path, StringRef content) {
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (!code) {
    file << content;
    file.close();
    code = file.error();
    file.clear_error();
  }
  if (code)
    return llvm::createStringError(code, "cannot write `" + path.str() + "`: " + code.message());
  return llvm::Error::success();
}

LogicalResult compileKernel(KernelOp kernel, const TargetSpec &target, StringRef symbol, StringRef objectPath) {
  llvm::SmallVector<char, 0> code;
  llvm::raw_svector_ostream os(code);
  if (failed(emitKernelCode(kernel, target, symbol, MachineCode::Object, os)))
    return failure();
  if (llvm::Error error = writeFile(objectPath, os.str()))
    return emitError(kernel, std::move(error));
  return success();
}

/// Halide's loops after lowering.
static LogicalResult emitLoops(KernelOp kernel, const TargetSpec &target, StringRef symbol, llvm::raw_ostream &os) {
  llvm::Expected<MemoryFile> text = MemoryFile::create();
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
  llvm::Expected<MemoryFile> object = MemoryFile::create();
  if (!object)
    return object.takeError();
  try {
    Halide::compile_standalone_runtime(object->path(), Halide::Target(Halide::Target::Linux, Halide::Target::X86, 64));
    auto buffer = llvm::MemoryBuffer::getFile(object->path());
    if (!buffer)
      return llvm::createStringError(buffer.getError(), "cannot read the runtime: " + buffer.getError().message());
    return writeFile(objectPath, (*buffer)->getBuffer());
  } catch (const std::exception &error) {
    return llvm::createStringError("compiling Halide's runtime failed: " + std::string(error.what()));
  }
}

} // namespace quern::codegen
