//===- OpenCl.cpp - devices that OpenCL reaches -----------------------------------------------===//

#include "runtime/devices/OpenCl.h"

#include "runtime/devices/HalideBuffer.h"
#include "runtime/devices/OpenClPrelude.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <mutex>

namespace quern::runtime {

// cl.h
static constexpr uint64_t deviceTypeGpu = 1 << 2, deviceTypeAll = 0xffffffff;
static constexpr uint32_t infoMaxConstantArgs = 0x1021, infoMaxConstantBytes = 0x1020, infoMaxAllocation = 0x1010,
                          infoMaxGroup = 0x1004, infoGlobalBytes = 0x101f, infoName = 0x102b, infoVersion = 0x102f,
                          infoSvm = 0x1053, infoBuildLog = 0x1183;
static constexpr uint64_t svmCoarseBuffers = 1, memoryReadWrite = 1;
/// The threads of a block of a kernel are no more than the compiler's (codegen/Targets.def).
static constexpr uint64_t leastGroup = 128;

/// The modules of this process, whose numbers kernels keep.
static std::mutex modulesLock;
static std::vector<std::string_view> modules;

Result<const OpenClLibrary *> OpenClLibrary::open() {
  static OpenClLibrary library;
  if (library.clGetPlatformIDs)
    return &library;
  const char *asked = std::getenv("QUERN_OPENCL_LIBRARY");
  std::string file = asked ? asked : "libOpenCL.so.1";
  void *handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return Error{"no OpenCL: `" + file + "` could not be opened (is a driver with an OpenCL loader installed?)"};
  OpenClLibrary found;
#define QUERN_CL(name, result, parameters)                                                                             \
  found.name = reinterpret_cast<result(*) parameters>(dlsym(handle, #name));                                           \
  if (!found.name)                                                                                                     \
    return Error{"no OpenCL: `" + file + "` has no function `" #name "`, expected OpenCL 2.0 or newer"};
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
  for (auto step : {&OpenCl::findDevice, &OpenCl::checkDevice, &OpenCl::start})
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

Result<void> OpenCl::start() {
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
  for (auto &[key, kernel] : kernels)
    if (kernel)
      cl->clReleaseKernel(kernel);
  for (void *program : programs)
    if (program)
      cl->clReleaseProgram(program);
  for (auto &[memory, power] : scratchPowers)
    cl->clSVMFree(context, memory);
  if (queue)
    cl->clReleaseCommandQueue(queue);
  if (context)
    cl->clReleaseContext(context);
}

int OpenCl::fail(std::string message) {
  if (error.empty())
    error = "the OpenCL device `" + name + "`: " + std::move(message);
  return 1;
}

Result<void> OpenCl::check(int32_t code, const char *what) {
  if (code != 0)
    fail(std::string(what) + " gave error " + std::to_string(code));
  return error.empty() ? Result<void>() : Error{error};
}

void *OpenCl::allocateMemory(uint64_t bytes) {
  return cl->clSVMAlloc(context, memoryReadWrite, std::max<uint64_t>(bytes, 1), 0);
}

Result<void *> OpenCl::allocate(uint64_t bytes, Use, const char *what) {
  void *memory = bytes <= largestBytes ? allocateMemory(bytes) : nullptr;
  if (!memory)
    return Error{"the OpenCL device `" + name + "` could not give " + std::to_string(bytes) + " bytes for " + what +
                 "; it has " + std::to_string(getNumber(infoGlobalBytes)) + ", and gives " +
                 std::to_string(largestBytes) + " at a time"};
  if (Result<void> done = clear(memory, bytes); !done)
    return done.error();
  return memory;
}

void OpenCl::release(void *memory, uint64_t) {
  cl->clFinish(queue);
  cl->clSVMFree(context, memory);
}

Result<void> OpenCl::write(void *to, const void *from, uint64_t bytes) {
  return bytes == 0 ? check(0, "")
                    : check(cl->clEnqueueSVMMemcpy(queue, 1, to, from, bytes, 0, nullptr, nullptr), "writing memory");
}

Result<void> OpenCl::read(void *to, const void *from, uint64_t bytes) {
  return bytes == 0 ? check(0, "")
                    : check(cl->clEnqueueSVMMemcpy(queue, 1, to, from, bytes, 0, nullptr, nullptr), "reading memory");
}

Result<void> OpenCl::copy(void *to, const void *from, uint64_t bytes) {
  return bytes == 0 ? check(0, "")
                    : check(cl->clEnqueueSVMMemcpy(queue, 0, to, from, bytes, 0, nullptr, nullptr), "copying memory");
}

Result<void> OpenCl::clear(void *memory, uint64_t bytes) {
  uint8_t zero = 0;
  return bytes == 0 ? check(0, "")
                    : check(cl->clEnqueueSVMMemFill(queue, memory, &zero, 1, bytes, 0, nullptr, nullptr),
                            "clearing memory");
}

Result<void> OpenCl::finish() {
  Result<void> done = check(cl->clFinish(queue), "waiting");
  error.clear();
  return done;
}

void *OpenCl::takeScratch(uint64_t bytes) {
  auto power = static_cast<unsigned>(std::bit_width(std::max<uint64_t>(bytes, 512) - 1));
  std::vector<void *> &free = freeScratch[power];
  if (!free.empty()) {
    void *memory = free.back();
    free.pop_back();
    return memory;
  }
  void *memory = allocateMemory(uint64_t{1} << power);
  if (memory)
    scratchPowers[memory] = power;
  else
    fail("a kernel needs " + std::to_string(bytes) + " bytes of memory, which could not be had");
  return memory;
}

// The queue is in order: what the next kernel writes there comes after what this one reads.
void OpenCl::giveScratch(void *memory) {
  if (auto found = scratchPowers.find(memory); found != scratchPowers.end())
    freeScratch[found->second].push_back(memory);
}

size_t OpenCl::addModule(const char *text, size_t bytes) {
  std::lock_guard<std::mutex> guard(modulesLock);
  modules.emplace_back(text, bytes);
  return modules.size();
}

/// The program of module `module`, built; null with an error.
void *OpenCl::build(size_t module) {
  if (programs.size() < module)
    programs.resize(module);
  void *&program = programs[module - 1];
  if (program)
    return program;
  std::string_view text;
  {
    std::lock_guard<std::mutex> guard(modulesLock);
    text = modules[module - 1];
  }
  // The text's size counts a zero at its end.
  text = text.substr(0, text.find('\0'));
  const char *texts[] = {openClPrelude.data(), text.data()};
  size_t sizes[] = {openClPrelude.size(), text.size()};
  int32_t code = 0;
  void *made = cl->clCreateProgramWithSource(context, 2, texts, sizes, &code);
  if (made && code == 0)
    code = cl->clBuildProgram(made, 1, &device, options.c_str(), nullptr, nullptr);
  if (made && code == 0)
    return program = made;
  std::string log(4096, '\0');
  if (made) {
    cl->clGetProgramBuildInfo(made, device, infoBuildLog, log.size() - 1, log.data(), nullptr);
    cl->clReleaseProgram(made);
  }
  fail("a kernel could not be built, error " + std::to_string(code) + ": " + log.substr(0, log.find_first_of("\n\0", 0, 2)));
  return nullptr;
}

void *OpenCl::findKernel(const OpenClLaunch &launch) {
  void *&kernel = kernels[{launch.module, launch.kernel}];
  if (kernel)
    return kernel;
  void *program = build(launch.module);
  int32_t code = 0;
  void *made = program ? cl->clCreateKernel(program, launch.kernel, &code) : nullptr;
  if (made && code == 0)
    return kernel = made;
  fail(std::string("there is no kernel `") + launch.kernel + "`, error " + std::to_string(code));
  return nullptr;
}

int OpenCl::setArguments(void *kernel, const OpenClLaunch &launch) {
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
  return code == 0 ? 0 : fail("argument " + std::to_string(i) + " of a kernel gave error " + std::to_string(code));
}

int OpenCl::launch(const OpenClLaunch &launch) {
  if (!error.empty())
    return 1;
  size_t global[3];
  for (int d = 0; d < 3; ++d)
    global[d] = launch.blocks[d] * launch.threads[d];
  // Nothing to do is an error to OpenCL.
  if (std::find(global, global + 3, size_t(0)) != global + 3)
    return 0;
  void *kernel = findKernel(launch);
  if (!kernel || setArguments(kernel, launch) != 0)
    return 1;
  int32_t code = cl->clEnqueueNDRangeKernel(queue, kernel, 3, nullptr, global, launch.threads, 0, nullptr, nullptr);
  return code == 0 ? 0 : fail(std::string("launching `") + launch.kernel + "` gave error " + std::to_string(code));
}

} // namespace quern::runtime
