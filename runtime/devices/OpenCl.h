//===- OpenCl.h - devices that OpenCL reaches -------------------------------------------------===//

#ifndef QUERN_RUNTIME_DEVICES_OPENCL_H
#define QUERN_RUNTIME_DEVICES_OPENCL_H

#include "runtime/devices/Accelerator.h"

namespace quern::runtime {

/// The functions of the library, or null.
struct OpenClLibrary {
#define QUERN_CL(name, result, parameters) result(*name) parameters = nullptr;
#include "runtime/devices/OpenCl.def"

  /// Opens `libOpenCL.so.1`, or the file that QUERN_OPENCL_LIBRARY names; it stays open.
  static Result<const OpenClLibrary *> open();
};

/// A device of an OpenCL platform with buffers in a shared virtual memory (OpenCL 2.0, coarse-grained), in one queue:
/// a GPU where there is one, else whatever there is.
class OpenCl final : public Accelerator {
public:
  static Result<std::unique_ptr<OpenCl>> create();
  ~OpenCl() override;

private:
  OpenCl() : Accelerator("OpenCL") {}
  Result<void> findDevice();
  Result<void> checkDevice();
  Result<void> startQueue();
  uint64_t getNumber(uint32_t what) const;
  std::string getText(uint32_t what) const;

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
  void freeKernel(void *kernel) override;
  int64_t start(void *kernel, const DeviceLaunch &launch) override;
  void *record(void *event) override;
  void freeEvent(void *event) override;
  int64_t measure(void *from, void *to, int64_t &nanoseconds) override;
  int64_t startClock();

  const OpenClLibrary *cl = nullptr;
  void *device = nullptr, *context = nullptr, *queue = nullptr;
  std::string options;
  uint64_t largestBytes = 0;
  /// Whether the queue tells times.
  bool hasClock = false;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_OPENCL_H
