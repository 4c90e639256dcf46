//===- Kernels.cpp - what kernels of devices call back ----------------------------------------===//
//
// In place of Halide's own runtimes for devices (HalideRuntimeOpenCL.h, HalideRuntimeCuda.h, Halide 21). Each function
// gets the device as its user context, and leaves errors there: kernels are compiled to go on behind them. Only
// binaries with such kernels have this file.
//
//===------------------------------------------------------------------------------------------===//

#include "runtime/devices/Accelerator.h"
#include "runtime/devices/HalideBuffer.h"

#include <mutex>

using namespace quern::runtime;

static Accelerator *getDevice(void *user) { return static_cast<Accelerator *>(static_cast<Device *>(user)); }

/// Notes a module's text and images, `bytes` in all; `state` is a word of the kernel's object.
static int initialize(void **state, const char *text, int bytes) {
  static std::mutex lock;
  std::lock_guard<std::mutex> guard(lock);
  if (!*state)
    *state = reinterpret_cast<void *>(Accelerator::addModule(text, static_cast<size_t>(bytes)));
  return 0;
}

/// Any address that is not null: nothing looks behind it.
static const void *getInterface() {
  static const char interface = 0;
  return &interface;
}

extern "C" {

// The same for each API.
#define QUERN_API(api)                                                                                                 \
  int halide_##api##_initialize_kernels(void *, void **state, const char *text, int bytes) {                           \
    return initialize(state, text, bytes);                                                                             \
  }                                                                                                                    \
  void halide_##api##_finalize_kernels(void *, void *) {}                                                              \
  const void *halide_##api##_device_interface() { return getInterface(); }                                             \
  int halide_##api##_run(void *user, void *state, const char *kernel, int blocksX, int blocksY, int blocksZ,           \
                         int threadsX, int threadsY, int threadsZ, int sharedBytes, size_t sizes[], void *values[],    \
                         int8_t areBuffers[]) {                                                                        \
    auto size = [](int value) { return static_cast<size_t>(value > 0 ? value : 0); };                                  \
    DeviceLaunch launch{reinterpret_cast<size_t>(state),                                                               \
                        kernel,                                                                                        \
                        {size(blocksX), size(blocksY), size(blocksZ)},                                                 \
                        {size(threadsX), size(threadsY), size(threadsZ)},                                              \
                        size(sharedBytes),                                                                             \
                        sizes,                                                                                         \
                        values,                                                                                        \
                        areBuffers};                                                                                   \
    return getDevice(user)->launch(launch);                                                                            \
  }
QUERN_API(cuda)
QUERN_API(opencl)
#undef QUERN_API

// Programs give buffers of the device's memory.
int halide_copy_to_device(void *, HalideBuffer *, const void *) { return 0; }
int halide_copy_to_host(void *, HalideBuffer *) { return 0; }

/// Asked before each launch that needs the buffer.
int halide_device_malloc(void *user, HalideBuffer *buffer, const void *interface) {
  if (buffer->device)
    return 0;
  void *memory = getDevice(user)->takeScratch(buffer->countBytes());
  buffer->device = reinterpret_cast<uint64_t>(memory);
  buffer->deviceInterface = interface;
  return memory ? 0 : 1;
}

int halide_device_free(void *user, HalideBuffer *buffer) {
  if (!buffer->device)
    return 0;
  getDevice(user)->giveScratch(reinterpret_cast<void *>(buffer->device));
  buffer->device = 0;
  buffer->deviceInterface = nullptr;
  return 0;
}

void halide_device_free_as_destructor(void *user, void *buffer) {
  halide_device_free(user, static_cast<HalideBuffer *>(buffer));
}

} // extern "C"
