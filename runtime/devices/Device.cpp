//===- Device.cpp - what runs kernels, and its memory -----------------------------------------===//

#include "runtime/devices/Device.h"

#include <ctime>

namespace quern::runtime {

int64_t getMonotonicTime() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Result<DeviceMemory> DeviceMemory::allocate(Device &device, uint64_t bytes, Device::Use use, const char *what) {
  Result<void *> address = device.allocate(bytes, use, what);
  if (!address)
    return address.error();
  DeviceMemory memory;
  memory.device = &device;
  memory.address = static_cast<uint8_t *>(*address);
  memory.bytes = bytes;
  return memory;
}

Result<HostView> HostView::open(Device &device, const void *memory, uint64_t bytes) {
  HostView view;
  if (device.isHost()) {
    view.memory = static_cast<const uint8_t *>(memory);
    return view;
  }
  view.copied.resize(bytes);
  if (Result<void> done = device.read(view.copied.data(), memory, bytes); !done)
    return done.error();
  return view;
}

} // namespace quern::runtime
