//===- Cuda.h - NVIDIA's GPUs -----------------------------------------------------------------===//

#ifndef QUERN_RUNTIME_DEVICES_CUDA_H
#define QUERN_RUNTIME_DEVICES_CUDA_H

#include "runtime/devices/Accelerator.h"

namespace quern::runtime {

/// The functions of the driver, or null.
struct CudaLibrary {
#define QUERN_CUDA(name, symbol, parameters) int32_t(*name) parameters = nullptr;
#include "runtime/devices/Cuda.def"

  /// Opens `libcuda.so.1`, or the file that QUERN_CUDA_LIBRARY names; it stays open.
  static Result<const CudaLibrary *> open();
};

/// The first GPU of CUDA's driver that runs PTX for compute capability 8.0, in one stream. The driver compiles a
/// kernel's PTX when it is first launched, unless it was assembled for this device, and keeps what comes of it.
class Cuda final : public Accelerator {
public:
  static Result<std::unique_ptr<Cuda>> create();
  ~Cuda() override;

private:
  Cuda() : Accelerator("CUDA") {}
  Result<void> checkDriver();
  Result<void> findDevice();
  Result<void> startStream();
  int getAttribute(int what, int of) const;
  /// Has this thread work on the device.
  void enter() const { cuda->cuCtxSetCurrent(context); }

  void *allocateMemory(uint64_t bytes) override;
  void freeMemory(void *memory) override;
  std::string describeMemory() const override;
  int64_t move(Move kind, void *to, const void *from, uint64_t bytes) override;
  int64_t fill(void *memory, uint64_t bytes) override;
  int64_t wait() override;
  size_t getCopyModule() override;
  void *loadModule(const DeviceCode &code) override;
  void freeModule(void *module) override;
  void *findKernel(void *module, const char *name) override;
  int64_t start(void *kernel, const DeviceLaunch &launch) override;
  void *record(void *event) override;
  void freeEvent(void *event) override;
  int64_t measure(void *from, void *to, int64_t &nanoseconds) override;
  std::string describeError(int64_t code) const override;

  const CudaLibrary *cuda = nullptr;
  int device = -1;
  /// The compute capability, 80 for 8.0.
  uint32_t capability = 0;
  void *context = nullptr, *stream = nullptr;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_CUDA_H
