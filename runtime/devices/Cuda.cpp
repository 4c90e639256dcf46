//===- Cuda.cpp - NVIDIA's GPUs ---------------------------------------------------------------===//

#include "runtime/devices/Cuda.h"

#include "runtime/devices/CopyKernels.h"
#include "runtime/devices/DriverLibrary.h"
#include "runtime/devices/HalideBuffer.h"

namespace quern::runtime {

// cuda.h
static constexpr int attributeMajor = 75, attributeMinor = 76, functionSharedBytes = 8;
static constexpr unsigned streamNonBlocking = 1;
static constexpr int32_t outOfMemory = 2;
/// Shared memory of a block that a kernel need not ask for.
static constexpr size_t plainSharedBytes = 48 << 10;
/// What reads PTX 7.0, and what the kernels' PTX is for.
static constexpr int leastVersion = 11000, leastMajor = 8;

static std::string formatVersion(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

static uint64_t toAddress(const void *memory) { return reinterpret_cast<uint64_t>(memory); }

Result<const CudaLibrary *> CudaLibrary::open() {
  static CudaLibrary library;
  if (library.cuInit)
    return &library;
  std::string expected = "a driver for CUDA " + formatVersion(leastVersion);
  Result<DriverLibrary> opened =
      DriverLibrary::open("libcuda.so.1", "QUERN_CUDA_LIBRARY", {"CUDA", "the NVIDIA driver", expected.c_str()});
  if (!opened)
    return opened.error();
  CudaLibrary found;
#define QUERN_CUDA(name, symbol, parameters)                                                                           \
  Result<void *> name = opened->find(symbol);                                                                          \
  if (!name)                                                                                                           \
    return name.error();                                                                                               \
  found.name = reinterpret_cast<int32_t(*) parameters>(*name);
#include "runtime/devices/Cuda.def"
  library = found;
  return &library;
}

Result<std::unique_ptr<Cuda>> Cuda::create() {
  Result<const CudaLibrary *> library = CudaLibrary::open();
  if (!library)
    return library.error();
  std::unique_ptr<Cuda> made(new Cuda);
  made->cuda = *library;
  for (auto step : {&Cuda::checkDriver, &Cuda::findDevice, &Cuda::startStream})
    if (Result<void> done = (made.get()->*step)(); !done)
      return done.error();
  return made;
}

std::string Cuda::describeError(int64_t code) const {
  const char *text = nullptr;
  bool isKnown = cuda->cuGetErrorName(static_cast<int32_t>(code), &text) == 0 && text;
  return isKnown ? text : "error " + std::to_string(code);
}

Result<void> Cuda::checkDriver() {
  int version = 0;
  if (cuda->cuDriverGetVersion(&version) == 0 && version < leastVersion)
    return Error{"no CUDA: the driver is for CUDA " + formatVersion(version) + ", expected " +
                 formatVersion(leastVersion) + " or newer"};
  if (int32_t code = cuda->cuInit(0))
    return Error{"no CUDA: the driver could not be started: " + describeError(code)};
  return {};
}

int Cuda::getAttribute(int what, int of) const {
  int value = 0;
  return cuda->cuDeviceGetAttribute(&value, what, of) == 0 ? value : 0;
}

Result<void> Cuda::findDevice() {
  int count = 0;
  cuda->cuDeviceGetCount(&count);
  std::string others;
  for (int i = 0; i < count && device < 0; ++i) {
    int found = -1;
    char text[256] = "";
    if (cuda->cuDeviceGet(&found, i) != 0 || cuda->cuDeviceGetName(text, sizeof(text) - 1, found) != 0)
      continue;
    int major = getAttribute(attributeMajor, found), minor = getAttribute(attributeMinor, found);
    if (major >= leastMajor)
      device = found, name = text, capability = static_cast<uint32_t>(10 * major + minor);
    else
      others += std::string("; `") + text + "` has " + std::to_string(major) + "." + std::to_string(minor);
  }
  if (device < 0)
    return Error{"no CUDA: there is no device of compute capability " + std::to_string(leastMajor) + ".0 or newer" +
                 others};
  return {};
}

Result<void> Cuda::startStream() {
  int32_t code = cuda->cuDevicePrimaryCtxRetain(&context, device);
  if (code == 0)
    code = cuda->cuCtxSetCurrent(context);
  if (code == 0)
    code = cuda->cuStreamCreate(&stream, streamNonBlocking);
  if (code != 0)
    return Error{"the CUDA device `" + name + "` could not be started: " + describeError(code)};
  return {};
}

Cuda::~Cuda() {
  if (!context)
    return;
  enter();
  if (stream)
    cuda->cuStreamSynchronize(stream);
  freeAll();
  if (stream)
    cuda->cuStreamDestroy(stream);
  cuda->cuDevicePrimaryCtxRelease(device);
}

void *Cuda::allocateMemory(uint64_t bytes) {
  enter();
  uint64_t address = 0;
  int32_t code = cuda->cuMemAlloc(&address, bytes);
  if (code == 0)
    return reinterpret_cast<void *>(address);
  // A device that is lost has no memory either.
  if (code != outOfMemory)
    fail("asking for memory gave " + describeError(code));
  return nullptr;
}

void Cuda::freeMemory(void *memory) {
  enter();
  cuda->cuMemFree(toAddress(memory));
}

std::string Cuda::describeMemory() const {
  size_t free = 0, total = 0;
  cuda->cuMemGetInfo(&free, &total);
  return "it has " + std::to_string(total) + ", of which " + std::to_string(free) + " are free";
}

int64_t Cuda::move(Move kind, void *to, const void *from, uint64_t bytes) {
  enter();
  if (kind == Move::Within)
    return cuda->cuMemcpyDtoDAsync(toAddress(to), toAddress(from), bytes, stream);
  int32_t code = kind == Move::ToDevice ? cuda->cuMemcpyHtoDAsync(toAddress(to), from, bytes, stream)
                                        : cuda->cuMemcpyDtoHAsync(to, toAddress(from), bytes, stream);
  return code ? code : cuda->cuStreamSynchronize(stream);
}

int64_t Cuda::fill(void *memory, uint64_t bytes) {
  enter();
  return cuda->cuMemsetD8Async(toAddress(memory), 0, bytes, stream);
}

int64_t Cuda::wait() {
  enter();
  return cuda->cuStreamSynchronize(stream);
}

size_t Cuda::getCopyModule() {
  static const size_t module = addModule(cudaCopyKernels.data(), cudaCopyKernels.size() + 1);
  return module;
}

void *Cuda::loadModule(const DeviceCode &source) {
  enter();
  void *module = nullptr;
  // Of an image that the driver does not take the text remains.
  if (const void *image = source.findImage(capability))
    if (cuda->cuModuleLoadData(&module, image) == 0)
      return module;
  int32_t code = cuda->cuModuleLoadData(&module, source.text);
  if (code == 0)
    return module;
  fail("a kernel could not be loaded: " + describeError(code));
  return nullptr;
}

void Cuda::freeModule(void *module) { cuda->cuModuleUnload(module); }

void *Cuda::findKernel(void *module, const char *name) {
  enter();
  void *kernel = nullptr;
  int32_t code = cuda->cuModuleGetFunction(&kernel, module, name);
  if (code == 0)
    return kernel;
  fail(std::string("there is no kernel `") + name + "`: " + describeError(code));
  return nullptr;
}

int64_t Cuda::start(void *kernel, const DeviceLaunch &launch) {
  enter();
  std::vector<void *> values;
  for (size_t i = 0; launch.sizes[i]; ++i) {
    auto *buffer = static_cast<HalideBuffer *>(launch.values[i]);
    values.push_back(launch.areBuffers[i] ? &buffer->device : launch.values[i]);
  }
  if (launch.sharedBytes > plainSharedBytes)
    if (int32_t code = cuda->cuFuncSetAttribute(kernel, functionSharedBytes, static_cast<int>(launch.sharedBytes)))
      return code;
  auto blocks = [&](int d) { return static_cast<unsigned>(launch.blocks[d]); };
  auto threads = [&](int d) { return static_cast<unsigned>(launch.threads[d]); };
  return cuda->cuLaunchKernel(kernel, blocks(0), blocks(1), blocks(2), threads(0), threads(1), threads(2),
                              static_cast<unsigned>(launch.sharedBytes), stream, values.data(), nullptr);
}

void *Cuda::record(void *event) {
  enter();
  int32_t code = event ? 0 : cuda->cuEventCreate(&event, 0);
  if (code == 0)
    code = cuda->cuEventRecord(event, stream);
  if (code != 0)
    fail("asking for the time gave " + describeError(code));
  return event;
}

void Cuda::freeEvent(void *event) { cuda->cuEventDestroy(event); }

int64_t Cuda::measure(void *from, void *to, int64_t &nanoseconds) {
  enter();
  float milliseconds = 0;
  int32_t code = cuda->cuEventElapsedTime(&milliseconds, from, to);
  nanoseconds = static_cast<int64_t>(double(milliseconds) * 1e6 + 0.5);
  return code;
}

} // namespace quern::runtime
