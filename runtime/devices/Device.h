//===- Device.h - what runs kernels, and its memory -------------------------------------------===//

#ifndef QUERN_RUNTIME_DEVICES_DEVICE_H
#define QUERN_RUNTIME_DEVICES_DEVICE_H

#include "runtime/include/quern/Result.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quern::runtime {

/// Elements that lie apart: `outer` times `inner` of `bytes` each, 2 or 4; strides are in bytes.
struct SpreadElements {
  uint64_t bytes;
  uint32_t outer, inner;
  uint64_t outerStride, innerStride;
};

/// What runs the kernels of a session, and the memory that they read and write. Programs run on the processor; they
/// launch kernels by its addresses. What is asked for happens in its order, but not always at once.
class Device {
public:
  /// What memory is for: the system may be asked for other pages.
  enum class Use {
    Whole,  ///< used as a whole, and often
    Touched ///< taken exactly where it is touched
  };

  virtual ~Device() = default;

  /// Whether its addresses are the processor's.
  virtual bool isHost() const = 0;
  /// What it is called, for people.
  virtual std::string getName() const = 0;

  /// `bytes` of zeros, aligned to QUERN_ALIGNMENT; `what` names them in the error. Never null, for 0 bytes neither.
  virtual Result<void *> allocate(uint64_t bytes, Use use, const char *what) = 0;
  /// Gives back what `allocate` gave.
  virtual void release(void *memory) = 0;
  virtual Result<void> write(void *to, const void *from, uint64_t bytes) = 0;
  virtual Result<void> read(void *to, const void *from, uint64_t bytes) = 0;
  /// Within its memory.
  virtual Result<void> copy(void *to, const void *from, uint64_t bytes) = 0;
  /// The same of elements that lie apart in the same way in both places.
  virtual Result<void> copy(void *to, const void *from, const SpreadElements &elements) = 0;
  /// Makes all of what `allocate` gave zeros again.
  virtual Result<void> clear(void *memory, uint64_t bytes) = 0;
  /// Waits until all is done. The first error of anything since the last call.
  virtual Result<void> finish() = 0;

  /// Asks for the time at which all is done that was asked for before: the number of this mark.
  virtual size_t mark() = 0;
  /// Waits for the marks from number `first` on, puts their times into `times`, and forgets them: nanoseconds of the
  /// device's clock, counted so that those of the first are the processor's when it was asked for.
  virtual Result<void> takeMarks(size_t first, std::vector<int64_t> &times) = 0;
};

/// The processor's monotonic clock, in nanoseconds.
int64_t getMonotonicTime();

/// The processor.
std::unique_ptr<Device> createCpu();

/// The devices that are taken where nobody asks for one, in the order in which they are tried; the processor is last.
std::vector<std::string_view> listDefaultDevices();

/// The device `name` of the description (`cpu`, `opencl`, `cuda`), where this machine has it.
Result<std::unique_ptr<Device>> createDevice(std::string_view name);

/// Memory of a device, given back at the end of its life.
class DeviceMemory {
public:
  DeviceMemory() = default;
  DeviceMemory(DeviceMemory &&other) noexcept { swap(other); }
  DeviceMemory &operator=(DeviceMemory &&other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceMemory() {
    if (device)
      device->release(address);
  }

  static Result<DeviceMemory> allocate(Device &device, uint64_t bytes, Device::Use use, const char *what);

  uint8_t *data() const { return address; }
  uint64_t size() const { return bytes; }
  Result<void> clear() { return device->clear(address, bytes); }

private:
  void swap(DeviceMemory &other) {
    std::swap(device, other.device);
    std::swap(address, other.address);
    std::swap(bytes, other.bytes);
  }

  Device *device = nullptr;
  uint8_t *address = nullptr;
  uint64_t bytes = 0;
};

/// Some of a device's memory for the processor to read: that memory itself, or a copy of it.
class HostView {
public:
  static Result<HostView> open(Device &device, const void *memory, uint64_t bytes);
  const uint8_t *data() const { return memory ? memory : copied.data(); }

private:
  /// Null where it is copied.
  const uint8_t *memory = nullptr;
  std::vector<uint8_t> copied;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_DEVICE_H
