//===- OpenCl.h - devices that OpenCL reaches -------------------------------------------------===//

#ifndef QUERN_RUNTIME_DEVICES_OPENCL_H
#define QUERN_RUNTIME_DEVICES_OPENCL_H

#include "runtime/devices/Device.h"

#include <cstddef>
#include <map>
#include <unordered_map>

namespace quern::runtime {

/// The functions of the library, or null.
struct OpenClLibrary {
#define QUERN_CL(name, result, parameters) result(*name) parameters = nullptr;
#include "runtime/devices/OpenCl.def"

  /// Opens `libOpenCL.so.1`, or the file that QUERN_OPENCL_LIBRARY names; it stays open.
  static Result<const OpenClLibrary *> open();
};

/// A kernel's launch, as Halide's code asks for it.
struct OpenClLaunch {
  /// The module, counted from 1 in the order of `OpenCl::addModule`.
  size_t module;
  const char *kernel;
  /// Blocks, and threads of each.
  size_t blocks[3], threads[3];
  size_t sharedBytes;
  /// Sizes, up to a 0; a buffer's value is a HalideBuffer.
  const size_t *sizes;
  void *const *values;
  const int8_t *areBuffers;
};

/// A device of an OpenCL platform with buffers in a shared virtual memory (OpenCL 2.0, coarse-grained), in one queue,
/// in order: a GPU where there is one, else whatever there is. Kernels are built when they are first launched. The
/// first error is kept; behind it nothing is done.
class OpenCl final : public Device {
public:
  static Result<std::unique_ptr<OpenCl>> create();
  ~OpenCl() override;

  bool isHost() const override { return false; }
  std::string getName() const override { return name; }
  Result<void *> allocate(uint64_t bytes, Use use, const char *what) override;
  void release(void *memory, uint64_t bytes) override;
  Result<void> write(void *to, const void *from, uint64_t bytes) override;
  Result<void> read(void *to, const void *from, uint64_t bytes) override;
  Result<void> copy(void *to, const void *from, uint64_t bytes) override;
  Result<void> clear(void *memory, uint64_t bytes) override;
  Result<void> finish() override;
  void *takeScratch(uint64_t bytes) override;
  void giveScratch(void *memory) override;

  /// The number of a module: its text, which outlives all devices.
  static size_t addModule(const char *text, size_t bytes);
  /// 0, or another number with an error for `finish`.
  int launch(const OpenClLaunch &launch);

private:
  OpenCl() = default;
  Result<void> findDevice();
  Result<void> checkDevice();
  Result<void> start();
  uint64_t getNumber(uint32_t what) const;
  std::string getText(uint32_t what) const;
  void *build(size_t module);
  void *findKernel(const OpenClLaunch &launch);
  int setArguments(void *kernel, const OpenClLaunch &launch);
  /// Keeps an error, unless there is one; 1.
  int fail(std::string message);
  Result<void> check(int32_t code, const char *what);
  void *allocateMemory(uint64_t bytes);

  const OpenClLibrary *cl = nullptr;
  void *device = nullptr, *context = nullptr, *queue = nullptr;
  std::string name, options, error;
  uint64_t largestBytes = 0;
  /// By module; null: not built yet.
  std::vector<void *> programs;
  /// By their module and the address of their name: equal names of several modules may lie at one.
  std::map<std::pair<size_t, const char *>, void *> kernels;
  /// Scratch memory in powers of two: what is free, and the power of each block.
  std::vector<void *> freeScratch[64];
  std::unordered_map<void *, unsigned> scratchPowers;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_OPENCL_H
