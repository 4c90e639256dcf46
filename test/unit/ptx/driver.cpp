//===- driver.cpp - the driver that the interpreter plays, and the faults it is ordered --------===//
//
// driver SCENARIO: prints what the driver's functions return; variables of the environment order its faults.
//
//===------------------------------------------------------------------------------------------===//

#include "test/unit/ptx/Device.h"

#include <cstdio>
#include <cstring>

using namespace quern::test;

static const std::string addOne = "mul.wide.u32 %rd2, %r1, 4; add.s64 %rd1, %rd1, %rd2; ld.global.u32 %r2, [%rd1];\n"
                                  "add.u32 %r2, %r2, 1; st.global.u32 [%rd1], %r2;";

static void print(const char *what, int error) {
  const char *name = nullptr;
  cuGetErrorName(error, &name);
  std::printf("%s: %s\n", what, name ? name : "?");
}

/// What a program finds out before it begins.
static void describe() {
  int version = 0, count = 0, device = 0, major = 0, minor = 0;
  size_t bytes = 0;
  print("before cuInit", cuDeviceGetCount(&count));
  print("cuInit", cuInit(0));
  cuDriverGetVersion(&version);
  cuDeviceGetCount(&count);
  print("cuDeviceGet", cuDeviceGet(&device, 0));
  cuDeviceGetAttribute(&major, 75, device);
  cuDeviceGetAttribute(&minor, 76, device);
  cuDeviceTotalMem_v2(&bytes, device);
  std::printf("version %d, %d devices, capability %d.%d, %zu bytes\n", version, count, major, minor, bytes);
  uint64_t address = 0;
  print("without a context", cuMemAlloc_v2(&address, 16));
}

static void load() {
  Device device;
  void *module = nullptr;
  char log[256] = "";
  int options[] = {5, 6};
  void *values[] = {log, reinterpret_cast<void *>(sizeof(log))};
  std::string text = header + ".entry k() { frobnicate; }";
  print("load", cuModuleLoadData(&module, makeKernel(1, addOne).c_str()));
  print("load with a log", cuModuleLoadDataEx(&module, text.c_str(), 2, options, values));
  std::printf("%s\n", log);
}

static void allocate() {
  Device device;
  uint64_t first = 0, second = 0, third = 0;
  size_t free = 0, total = 0;
  print("allocate", cuMemAlloc_v2(&first, 1000));
  print("allocate", cuMemAlloc_v2(&second, 2000));
  print("allocate too much", cuMemAlloc_v2(&third, 1 << 20));
  print("allocate nothing", cuMemAlloc_v2(&third, 0));
  cuMemGetInfo_v2(&free, &total);
  std::printf("%zu of %zu bytes are free, aligned: %d\n", free, total, first % 256 == 0);
  print("copy too much", cuMemsetD8_v2(first, 0, 1001));
  print("free", cuMemFree_v2(first));
  print("free again", cuMemFree_v2(first));
  print("copy to what is freed", cuMemsetD8_v2(first, 0, 1));
}

/// Three launches; the errors of what is asynchronous come later.
static void launch() {
  Device device;
  void *module = nullptr, *kernel = nullptr, *other = nullptr;
  uint64_t memory = device.upload(std::vector<uint32_t>(64, 5));
  cuModuleLoadData(&module, makeKernel(1, addOne).c_str());
  print("function", cuModuleGetFunction(&kernel, module, "k"));
  print("other function", cuModuleGetFunction(&other, module, "other"));
  void *parameters[] = {&memory};
  auto run = [&](unsigned grid, unsigned threads, unsigned shared) {
    return cuLaunchKernel(kernel, grid, 1, 1, threads, 1, 1, shared, nullptr, parameters, nullptr);
  };
  print("launch", run(1, 64, 0));
  print("launch", run(1, 64, 0));
  print("launch", run(1, 64, 0));
  print("synchronize", cuStreamSynchronize(nullptr));
  print("empty grid", run(0, 64, 0));
  print("too many threads", run(1, 1025, 0));
  print("too much shared memory", run(1, 64, 50000));
  print("ask for it", cuFuncSetAttribute(kernel, 8, 100000));
  print("shared memory", run(1, 64, 50000));
  std::vector<uint32_t> found = device.download<uint32_t>(memory, 64);
  print("download", device.status);
  std::printf("%u %u\n", found[0], found[63]);
}

/// Host memory is not to be read before somebody has waited.
static void wait() {
  Device device;
  void *module = nullptr, *kernel = nullptr, *stream = nullptr, *start = nullptr, *end = nullptr, *host = nullptr;
  uint64_t memory = device.upload(std::vector<uint32_t>(64, 5));
  cuModuleLoadData(&module, makeKernel(1, addOne).c_str());
  cuModuleGetFunction(&kernel, module, "k");
  print("stream", cuStreamCreate(&stream, 1));
  print("event", cuEventCreate(&start, 0));
  print("event", cuEventCreate(&end, 0));
  print("pinned memory", cuMemHostAlloc(&host, 256, 0));
  uint32_t *values = static_cast<uint32_t *>(host);
  values[0] = 1;
  void *parameters[] = {&memory};
  print("record", cuEventRecord(start, stream));
  print("launch", cuLaunchKernel(kernel, 1, 1, 1, 64, 1, 1, 0, stream, parameters, nullptr));
  print("copy", cuMemcpyDtoHAsync_v2(values, memory, 256, stream));
  print("record", cuEventRecord(end, stream));
  std::printf("before: %u\n", values[0]);
  print("synchronize", cuEventSynchronize(end));
  float milliseconds = -1;
  print("elapsed", cuEventElapsedTime(&milliseconds, start, end));
  std::printf("after: %u, %d\n", values[0], milliseconds >= 0);
  print("destroy", cuEventDestroy_v2(start));
  print("destroy", cuStreamDestroy_v2(stream));
  print("use it", cuMemcpyDtoHAsync_v2(values, memory, 256, stream));
}

static void contexts() {
  void *primary = nullptr, *found = nullptr;
  uint64_t address = 0;
  cuInit(0);
  print("retain", cuDevicePrimaryCtxRetain(&primary, 0));
  print("no context", cuMemAlloc_v2(&address, 16));
  print("push", cuCtxPushCurrent_v2(primary));
  print("allocate", cuMemAlloc_v2(&address, 16));
  print("pop", cuCtxPopCurrent_v2(&found));
  std::printf("the same: %d\n", found == primary);
  print("pop again", cuCtxPopCurrent_v2(&found));
  print("set", cuCtxSetCurrent(primary));
  print("release", cuDevicePrimaryCtxRelease_v2(0));
  print("use it", cuMemAlloc_v2(&address, 16));
}

int main(int argc, char **argv) {
  static constexpr std::pair<const char *, void (*)()> scenarios[] = {{"describe", describe}, {"load", load},
                                                                      {"allocate", allocate}, {"launch", launch},
                                                                      {"wait", wait},         {"contexts", contexts}};
  for (auto [name, run] : scenarios)
    if (argc == 2 && std::strcmp(argv[1], name) == 0) {
      run();
      return 0;
    }
  return 1;
}
