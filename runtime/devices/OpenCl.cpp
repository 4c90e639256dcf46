//===- OpenCl.cpp - devices that OpenCL reaches -----------------------------------------------===//

#include "runtime/devices/OpenCl.h"

#include "runtime/devices/CopyKernels.h"
#include "runtime/devices/DriverLibrary.h"
#include "runtime/devices/HalideBuffer.h"
#include "runtime/devices/OpenClPrelude.h"

#include <algorithm>
#include <cstring>

namespace quern::runtime {

// cl.h
static constexpr uint64_t deviceTypeGpu = 1 << 2, deviceTypeAll = 0xffffffff;
static constexpr uint32_t infoMaxConstantArgs = 0x1021, infoMaxConstantBytes = 0x1020, infoMaxAllocation = 0x1010,
                          infoMaxGroup = 0x1004, infoGlobalBytes = 0x101f, infoName = 0x102b, infoVersion = 0x102f,
                          infoSvm = 0x1053, infoBuildLog = 0x1183;
static constexpr uint64_t svmCoarseBuffers = 1, memoryReadWrite = 1, queueProfiling = 2;
static constexpr uint32_t profilingEnd = 0x1283;
/// The threads of a block of a kernel are no more than the compiler's (codegen/Targets.def).
static constexpr uint64_t leastGroup = 128;

Result<const OpenClLibrary *> OpenClLibrary::open() {
  static OpenClLibrary library;
  if (library.clGetPlatformIDs)
    return &library;
  Result<DriverLibrary> opened = DriverLibrary::open("libOpenCL.so.1", "QUERN_OPENCL_LIBRARY",
                                                     {"OpenCL", "a driver with an OpenCL loader", "OpenCL 2.0"});
  if (!opened)
    return opened.error();
  OpenClLibrary found;
#define QUERN_CL(name, result, parameters)                                                                             \
  Result<void *> name = opened->find(#name);                                                                           \
  if (!name)                                                                                                           \
    return name.error();                                                                                               \
  found.name = reinterpret_cast<result(*) parameters>(*name);
#include "runtime/devices/OpenCl.def"
  library = found;
  return &library;
}

Result<std::unique_ptr<OpenCl>> OpenCl::create() {
  Result<const OpenClLibrary *> library = OpenClLibrary::open();
  if (!library)
    return library.error();
  std::unique_ptr<OpenCl> made(new OpenCl);
  made->cl = *library;
  for (auto step : {&OpenCl::findDevice, &OpenCl::checkDevice, &OpenCl::startQueue})
    if (Result<void> done = (made.get()->*step)(); !done)
      return done.error();
  return made;
}

/// The first GPU of all platforms, or else the first device.
Result<void> OpenCl::findDevice() {
  uint32_t count = 0;
  std::vector<void *> platforms(16);
  if (cl->clGetPlatformIDs(static_cast<uint32_t>(platforms.size()), platforms.data(), &count) != 0 || count == 0)
    return Error{"no OpenCL: there is no platform (is a driver installed?)"};
  platforms.resize(std::min<size_t>(count, platforms.size()));
  for (uint64_t type : {deviceTypeGpu, deviceTypeAll})
    for (void *platform : platforms)
      if (!device && (cl->clGetDeviceIDs(platform, type, 1, &device, &count) != 0 || count == 0))
        device = nullptr;
  if (!device)
    return Error{"no OpenCL: the platforms have no device"};
  return {};
}

uint64_t OpenCl::getNumber(uint32_t what) const {
  uint64_t value = 0;
  return cl->clGetDeviceInfo(device, what, sizeof(value), &value, nullptr) == 0 ? value : 0;
}

std::string OpenCl::getText(uint32_t what) const {
  size_t bytes = 0;
  if (cl->clGetDeviceInfo(device, what, 0, nullptr, &bytes) != 0)
    return "";
  std::string text(bytes, '\0');
  cl->clGetDeviceInfo(device, what, bytes, text.data(), nullptr);
  text.resize(std::strlen(text.c_str()));
  return text;
}

Result<void> OpenCl::checkDevice() {
  name = getText(infoName);
  if (!(getNumber(infoSvm) & svmCoarseBuffers))
    return Error{"the OpenCL device `" + name + "` (" + getText(infoVersion) +
                 ") has no shared virtual memory, expected OpenCL 2.0's coarse-grained buffers"};
  if (uint64_t most = getNumber(infoMaxGroup); most < leastGroup)
    return Error{"the OpenCL device `" + name + "` has " + std::to_string(most) + " threads in a block, expected " +
                 std::to_string(leastGroup)};
  largestBytes = getNumber(infoMaxAllocation);
  // What Halide's text asks for.
  options = "-D MAX_CONSTANT_BUFFER_SIZE=" + std::to_string(getNumber(infoMaxConstantBytes)) +
            " -D MAX_CONSTANT_ARGS=" + std::to_string(getNumber(infoMaxConstantArgs));
  return {};
}

Result<void> OpenCl::startQueue() {
  int32_t code = 0;
  context = cl->clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
  if (context && code == 0)
    queue = cl->clCreateCommandQueue(context, device, 0, &code);
  if (!queue || code != 0)
    return Error{"the OpenCL device `" + name + "` could not be started: error " + std::to_string(code)};
  return {};
}

OpenCl::~OpenCl() {
  if (queue)
    cl->clFinish(queue);
  freeAll();
  if (queue)
    cl->clReleaseCommandQueue(queue);
  if (context)
    cl->clReleaseContext(context);
}

void *OpenCl::allocateMemory(uint64_t bytes) {
  return bytes <= largestBytes ? cl->clSVMAlloc(context, memoryReadWrite, bytes, 0) : nullptr;
}

void OpenCl::freeMemory(void *memory) { cl->clSVMFree(context, memory); }

std::string OpenCl::describeMemory() const {
  return "it has " + std::to_string(getNumber(infoGlobalBytes)) + ", and gives " + std::to_string(largestBytes) +
         " at a time";
}

int64_t OpenCl::move(Move kind, void *to, const void *from, uint64_t bytes) {
  return cl->clEnqueueSVMMemcpy(queue, kind != Move::Within, to, from, bytes, 0, nullptr, nullptr);
}

int64_t OpenCl::fill(void *memory, uint64_t bytes) {
  uint8_t zero = 0;
  return cl->clEnqueueSVMMemFill(queue, memory, &zero, 1, bytes, 0, nullptr, nullptr);
}

int64_t OpenCl::wait() { return cl->clFinish(queue); }

size_t OpenCl::getCopyModule() {
  static const size_t module = addModule(openClCopyKernels.data(), openClCopyKernels.size() + 1);
  return module;
}

void *OpenCl::loadModule(const DeviceCode &source) {
  const char *texts[] = {openClPrelude.data(), source.text};
  size_t sizes[] = {openClPrelude.size(), std::strlen(source.text)};
  int32_t code = 0;
  void *program = cl->clCreateProgramWithSource(context, 2, texts, sizes, &code);
  if (program && code == 0)
    code = cl->clBuildProgram(program, 1, &device, options.c_str(), nullptr, nullptr);
  if (program && code == 0)
    return program;
  std::string log(4096, '\0');
  if (program) {
    cl->clGetProgramBuildInfo(program, device, infoBuildLog, log.size() - 1, log.data(), nullptr);
    cl->clReleaseProgram(program);
  }
  log.resize(std::min(std::strlen(log.c_str()), log.find('\n')));
  fail("a kernel could not be built, error " + std::to_string(code) + ": " + log);
  return nullptr;
}

void OpenCl::freeModule(void *module) { cl->clReleaseProgram(module); }

void *OpenCl::findKernel(void *module, const char *name) {
  int32_t code = 0;
  void *kernel = cl->clCreateKernel(module, name, &code);
  if (kernel && code == 0)
    return kernel;
  fail(std::string("there is no kernel `") + name + "`, error " + std::to_string(code));
  return nullptr;
}

void OpenCl::freeKernel(void *kernel) { cl->clReleaseKernel(kernel); }

int64_t OpenCl::start(void *kernel, const DeviceLaunch &launch) {
  uint32_t i = 0;
  int32_t code = 0;
  for (; launch.sizes[i] && code == 0; ++i) {
    if (!launch.areBuffers[i]) {
      code = cl->clSetKernelArg(kernel, i, launch.sizes[i], launch.values[i]);
      continue;
    }
    const auto *buffer = static_cast<const HalideBuffer *>(launch.values[i]);
    code = cl->clSetKernelArgSVMPointer(kernel, i, reinterpret_cast<const void *>(buffer->device));
  }
  // Behind the arguments stands the memory that a block shares.
  if (code == 0)
    code = cl->clSetKernelArg(kernel, i, std::max<size_t>(launch.sharedBytes, 1), nullptr);
  if (code != 0)
    return code;
  size_t global[3];
  for (int d = 0; d < 3; ++d)
    global[d] = launch.blocks[d] * launch.threads[d];
  return cl->clEnqueueNDRangeKernel(queue, kernel, 3, nullptr, global, launch.threads, 0, nullptr, nullptr);
}

/// Has what comes tell its time, which queues do that were made so.
int64_t OpenCl::startClock() {
  int32_t code = cl->clFinish(queue);
  if (code != 0)
    return code;
  void *other = cl->clCreateCommandQueue(context, device, queueProfiling, &code);
  if (!other || code != 0)
    return code ? code : -1;
  cl->clReleaseCommandQueue(queue);
  queue = other;
  hasClock = true;
  return 0;
}

void *OpenCl::record(void *event) {
  if (event)
    cl->clReleaseEvent(event);
  event = nullptr;
  int64_t code = hasClock ? 0 : startClock();
  if (code == 0)
    code = cl->clEnqueueMarkerWithWaitList(queue, 0, nullptr, &event);
  if (code != 0)
    fail("asking for the time gave " + describeError(code));
  return event;
}

void OpenCl::freeEvent(void *event) { cl->clReleaseEvent(event); }

int64_t OpenCl::measure(void *from, void *to, int64_t &nanoseconds) {
  uint64_t begin = 0, end = 0;
  int32_t code = cl->clGetEventProfilingInfo(from, profilingEnd, sizeof(begin), &begin, nullptr);
  if (code == 0)
    code = cl->clGetEventProfilingInfo(to, profilingEnd, sizeof(end), &end, nullptr);
  nanoseconds = static_cast<int64_t>(end - begin);
  return code;
}

} // namespace quern::runtime
