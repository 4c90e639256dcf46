//===- HalideBuffer.h - the buffers that programs hand to kernels -----------------------------===//

#ifndef QUERN_RUNTIME_DEVICES_HALIDEBUFFER_H
#define QUERN_RUNTIME_DEVICES_HALIDEBUFFER_H

#include <cstdint>

namespace quern::runtime {

/// `halide_dimension_t` of HalideRuntime.h (Halide 21), which the compiler holds it against.
struct HalideDimension {
  int32_t min, extent, stride;
  uint32_t flags;
};

/// `halide_buffer_t` of HalideRuntime.h.
struct HalideBuffer {
  uint64_t device;
  const void *deviceInterface;
  uint8_t *host;
  uint64_t flags;
  uint8_t typeCode, typeBits;
  uint16_t typeLanes;
  int32_t dimensions;
  HalideDimension *dim;
  void *padding;

  /// The bytes from its first element to its last, of strides that are not negative.
  uint64_t countBytes() const {
    uint64_t elements = 1;
    for (int32_t i = 0; i < dimensions; ++i) {
      if (dim[i].extent <= 0)
        return 0;
      elements += static_cast<uint64_t>(dim[i].extent - 1) * static_cast<uint64_t>(dim[i].stride);
    }
    return elements * ((typeBits + 7u) / 8u);
  }
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_HALIDEBUFFER_H
