//===- Accelerator.h - devices with a memory and a queue of their own -------------------------===//

#ifndef QUERN_RUNTIME_DEVICES_ACCELERATOR_H
#define QUERN_RUNTIME_DEVICES_ACCELERATOR_H

#include "runtime/devices/Device.h"

#include <cstddef>
#include <map>
#include <unordered_map>

namespace quern::runtime {

/// What a kernel is made of: text, and images of it for some devices of CUDA (quern/Format.h: QuernModuleImage).
struct DeviceCode {
  const char *text;
  std::span<const uint8_t> images;

  /// The best of the images that run on a device of compute capability `capability`, 80 for 8.0; null: none does.
  const void *findImage(uint32_t capability) const;
};

/// A kernel's launch, as Halide's code asks for it.
struct DeviceLaunch {
  /// The module, counted from 1 in the order of `Accelerator::addModule`.
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

/// A device that does what it is asked for in order, when it comes to it. Kernels are built when they are first
/// launched. The first error is kept; behind it nothing is done until `finish` has told it.
class Accelerator : public Device {
public:
  bool isHost() const final { return false; }
  std::string getName() const final { return name; }
  Result<void *> allocate(uint64_t bytes, Use use, const char *what) final;
  void release(void *memory) final;
  Result<void> write(void *to, const void *from, uint64_t bytes) final;
  Result<void> read(void *to, const void *from, uint64_t bytes) final;
  Result<void> copy(void *to, const void *from, uint64_t bytes) final;
  Result<void> copy(void *to, const void *from, const SpreadElements &elements) final;
  Result<void> clear(void *memory, uint64_t bytes) final;
  Result<void> finish() final;
  size_t mark() final;
  Result<void> takeMarks(size_t first, std::vector<int64_t> &times) final;

  /// The number of a module: its text and images, `bytes` in all, which outlive all devices.
  static size_t addModule(const char *text, size_t bytes);
  /// 0, or another number with an error for `finish`.
  int launch(const DeviceLaunch &launch);

  /// Memory for the kernel that is being launched, which is given back when its last launch is asked for; null with an
  /// error for `finish`.
  void *takeScratch(uint64_t bytes);
  void giveScratch(void *memory);

protected:
  /// `kind` is what messages call the API: `OpenCL`.
  explicit Accelerator(const char *kind) : kind(kind) {}

  /// Which memory is the processor's.
  enum class Move { ToDevice, ToHost, Within };

  /// Room for `bytes`, at least 1; null where there is none.
  virtual void *allocateMemory(uint64_t bytes) = 0;
  virtual void freeMemory(void *memory) = 0;
  /// What the device has, for the message where it has no more.
  virtual std::string describeMemory() const = 0;
  /// Moves `bytes`, at least 1, and waits for it where some are the processor's; the API's error, 0 is none.
  virtual int64_t move(Move kind, void *to, const void *from, uint64_t bytes) = 0;
  /// Makes `bytes`, at least 1, zeros; the API's error.
  virtual int64_t fill(void *memory, uint64_t bytes) = 0;
  /// Waits; the API's error.
  virtual int64_t wait() = 0;
  /// The number of the module of CopyKernels.h.
  virtual size_t getCopyModule() = 0;
  /// A module of this code, or null with an error; what it frees again.
  virtual void *loadModule(const DeviceCode &code) = 0;
  virtual void freeModule(void *module) = 0;
  /// The kernel `name` of a module, or null with an error; what it frees again, before its module.
  virtual void *findKernel(void *module, const char *name) = 0;
  virtual void freeKernel(void *) {}
  /// Asks for a launch that has blocks and threads; the API's error.
  virtual int64_t start(void *kernel, const DeviceLaunch &launch) = 0;
  /// A place in the queue whose time `getTime` tells; in place of `event`, which may be null, and whose own place is of
  /// no more use. Null with an error.
  virtual void *record(void *event) = 0;
  virtual void freeEvent(void *event) = 0;
  /// The nanoseconds from one place to another, both of which were waited for; the API's error.
  virtual int64_t measure(void *from, void *to, int64_t &nanoseconds) = 0;
  /// What the API calls an error.
  virtual std::string describeError(int64_t code) const { return "error " + std::to_string(code); }

  /// Keeps an error, unless there is one; 1.
  int fail(std::string message);
  /// Keeps the API's error, if it is one, and gives what is kept.
  Result<void> check(int64_t code, const char *what);
  /// Frees kernels, modules, events, and what kernels were given; to be called before the API ends.
  void freeAll();

  std::string name;

private:
  Result<void> move(Move kind, void *to, const void *from, uint64_t bytes, const char *what);
  void *build(size_t module, const char *kernel);

  /// A place in the queue, and when it was asked for.
  struct Mark {
    void *event = nullptr;
    int64_t asked = 0;
  };

  const char *kind;
  std::string error;
  /// Of which the first `marked` are in use.
  std::vector<Mark> marks;
  size_t marked = 0;
  /// By their number; null: not loaded yet.
  std::vector<void *> loaded;
  /// By their module and the address of their name: equal names of several modules may lie at one.
  std::map<std::pair<size_t, const char *>, void *> kernels;
  /// Scratch memory in powers of two: what is free, and the power of each block.
  std::vector<void *> free[64];
  std::unordered_map<void *, unsigned> powers;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_ACCELERATOR_H
