//===- Device.h - a device for tests of the interpreter ----------------------------------------===//

#ifndef QUERN_TEST_UNIT_PTX_DEVICE_H
#define QUERN_TEST_UNIT_PTX_DEVICE_H

#include "test/unit/ptx/CudaDriver.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace quern::test {

/// Numbers of errors of the driver.
enum CudaError {
  InvalidValue = 1,
  OutOfMemory = 2,
  NoBinary = 209,
  InvalidPtx = 218,
  UnsupportedPtx = 222,
  InvalidHandle = 400,
  NotFound = 500,
  IllegalAddress = 700,
  LaunchTimeout = 702,
  IllegalInstruction = 715,
  MisalignedAddress = 716,
  LaunchFailed = 719,
};

/// What stands before a module's first directive: PTX 7.8 for sm_80.
inline const std::string header = ".version 7.8\n.target sm_80\n.address_size 64\n";

using Extent = std::array<unsigned, 3>;

/// A context, and all that a test allocates in it.
class Device {
public:
  Device() {
    cuInit(0);
    cuCtxCreate_v2(&context, 0, 0);
  }
  ~Device() { cuCtxDestroy_v2(context); }
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  uint64_t allocate(size_t bytes) {
    uint64_t address = 0;
    cuMemAlloc_v2(&address, bytes);
    return address;
  }

  template <typename T> uint64_t upload(const std::vector<T> &values) {
    uint64_t address = allocate(values.size() * sizeof(T));
    cuMemcpyHtoD_v2(address, values.data(), values.size() * sizeof(T));
    return address;
  }

  template <typename T> std::vector<T> download(uint64_t address, size_t count) {
    std::vector<T> values(count);
    status = cuMemcpyDtoH_v2(values.data(), address, count * sizeof(T));
    return values;
  }

  /// Loads a module and launches its kernel `k` with these values as parameters; the first error of that, or of what
  /// the kernel does.
  template <typename... Arguments>
  int run(const std::string &text, Extent grid, Extent block, unsigned sharedBytes, Arguments... arguments) {
    void *module = nullptr, *kernel = nullptr;
    if (int error = cuModuleLoadData(&module, text.c_str()))
      return error;
    if (int error = cuModuleGetFunction(&kernel, module, "k"))
      return error;
    void *parameters[] = {&arguments..., nullptr};
    int error = cuLaunchKernel(kernel, grid[0], grid[1], grid[2], block[0], block[1], block[2], sharedBytes, nullptr,
                               parameters, nullptr);
    if (int later = cuCtxSynchronize())
      return later;
    cuModuleUnload(module);
    return error;
  }

  /// Of the last download.
  int status = 0;

private:
  void *context = nullptr;
};

/// An entry `k` with `count` parameters of 64 bits in %rd1, %rd2, …, the thread's number in %r1 and these statements.
inline std::string makeKernel(unsigned count, const std::string &body, const std::string &before = "") {
  std::string text = header + before + ".visible .entry k(";
  for (unsigned i = 0; i < count; ++i)
    text += std::string(i ? ", " : "") + ".param .u64 p" + std::to_string(i + 1);
  text += ") {\n.reg .pred %p<8>; .reg .b16 %h<32>; .reg .b32 %r<64>; .reg .b64 %rd<32>;\nmov.u32 %r1, %tid.x;\n";
  for (unsigned i = 1; i <= count; ++i)
    text += "ld.param.u64 %rd" + std::to_string(i) + ", [p" + std::to_string(i) + "];\n";
  return text + body + "\nret;\n}\n";
}

/// An element of one thread's results: 32 bits of %r2 go to the first parameter, at the thread's place.
inline const std::string storeResult = "mul.wide.u32 %rd31, %r1, 4;\nadd.u64 %rd31, %rd31, %rd1;\n"
                                       "st.global.u32 [%rd31], %r2;\n";

} // namespace quern::test

#endif // QUERN_TEST_UNIT_PTX_DEVICE_H
