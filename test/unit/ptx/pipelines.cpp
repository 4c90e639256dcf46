//===- pipelines.cpp - kernels of Halide on the interpreter, against the CPU -------------------===//

#include "test/unit/Check.h"
#include "test/unit/ptx/Device.h"

#include "HalideRuntime.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

using namespace quern::test;

// The pipelines of generate-pipelines.cpp.
extern "C" {
int elements_host(void *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *);
int elements_device(void *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *);
int norm_host(void *, halide_buffer_t *, halide_buffer_t *);
int norm_device(void *, halide_buffer_t *, halide_buffer_t *);
int dots_host(void *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *);
int dots_device(void *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *);
int stages_host(void *, halide_buffer_t *, halide_buffer_t *);
int stages_device(void *, halide_buffer_t *, halide_buffer_t *);
}

// What the pipelines need of Halide's runtime. The state of a kernel's module is the module.

extern "C" int halide_cuda_initialize_kernels(void *, void **state, const char *source, int) {
  return *state ? 0 : cuModuleLoadData(state, source);
}

extern "C" int halide_cuda_run(void *, void *state, const char *entry, int gridX, int gridY, int gridZ, int blockX,
                               int blockY, int blockZ, int sharedBytes, size_t sizes[], void *arguments[],
                               int8_t isBuffer[]) {
  void *kernel = nullptr, *parameters[16] = {};
  if (int error = cuModuleGetFunction(&kernel, state, entry))
    return error;
  for (unsigned i = 0; sizes[i]; ++i)
    parameters[i] = isBuffer[i] ? &static_cast<halide_buffer_t *>(arguments[i])->device : arguments[i];
  auto number = [](int value) { return static_cast<unsigned>(value); };
  return cuLaunchKernel(kernel, number(gridX), number(gridY), number(gridZ), number(blockX), number(blockY),
                        number(blockZ), number(sharedBytes), nullptr, parameters, nullptr);
}

extern "C" void halide_cuda_finalize_kernels(void *, void *) {}

extern "C" const halide_device_interface_t *halide_cuda_device_interface() {
  static const int any = 0;
  return reinterpret_cast<const halide_device_interface_t *>(&any);
}

extern "C" int halide_copy_to_device(void *, halide_buffer_t *, const halide_device_interface_t *) { return 0; }

/// It is called again where a buffer is used.
extern "C" int halide_device_malloc(void *, halide_buffer_t *buffer, const halide_device_interface_t *) {
  return buffer->device ? 0 : cuMemAlloc_v2(&buffer->device, buffer->size_in_bytes());
}

extern "C" int halide_device_free(void *, halide_buffer_t *buffer) {
  int error = cuMemFree_v2(buffer->device);
  buffer->device = 0;
  return error;
}

extern "C" void halide_device_free_as_destructor(void *context, void *buffer) {
  halide_device_free(context, static_cast<halide_buffer_t *>(buffer));
}

extern "C" void *halide_malloc(void *, size_t bytes) { return std::aligned_alloc(128, (bytes + 127) / 128 * 128); }

extern "C" void halide_free(void *, void *pointer) { std::free(pointer); }

static constexpr int width = 200, rows = 7;

static Checks checks;

namespace {
/// A dense buffer on both sides, with the same values.
template <typename T> class Buffer {
public:
  Buffer(Device &device, std::vector<int> extents, std::vector<T> contents) : values(std::move(contents)) {
    int stride = 1;
    for (size_t i = 0; i < extents.size(); ++i) {
      dimensions[i] = {0, extents[i], stride, 0};
      stride *= extents[i];
    }
    onHost.host = reinterpret_cast<uint8_t *>(values.data());
    onHost.type = halide_type_of<T>();
    onHost.dimensions = static_cast<int>(extents.size());
    onHost.dim = dimensions;
    onDevice = onHost;
    onDevice.host = nullptr;
    onDevice.device = device.upload(values);
    onDevice.device_interface = halide_cuda_device_interface();
  }

  std::vector<T> values;
  halide_dimension_t dimensions[2];
  halide_buffer_t onHost{}, onDevice{};
};
} // namespace

/// Whether what the device wrote is what the CPU did.
static void compare(Device &device, const char *name, const Buffer<float> &output) {
  std::vector<float> found = device.download<float>(output.onDevice.device, output.values.size());
  checks.equal(device.status, 0);
  for (size_t i = 0; i < found.size(); ++i)
    if (!checks.that(std::fabs(found[i] - output.values[i]) <= 1e-5f * std::max(1.0f, std::fabs(output.values[i])))) {
      std::cerr << name << ": " << found[i] << " at " << i << ", expected " << output.values[i] << "\n";
      return;
    }
}

template <typename T> static std::vector<T> makeNumbers(size_t count) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::vector<T> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(static_cast<T>(std::uniform_real_distribution<float>(-3, 3)(random)));
  return values;
}

static std::vector<uint32_t> makeWords(size_t count) {
  std::mt19937 random(1);
  std::vector<uint32_t> values(count);
  for (uint32_t &value : values)
    value = random();
  return values;
}

int main() {
  Device device;
  Buffer<float> x(device, {width, rows}, makeNumbers<float>(width * rows));
  std::vector<float> empty(width * rows, -1);
  {
    Buffer<_Float16> h(device, {width}, makeNumbers<_Float16>(width));
    h.onHost.type = h.onDevice.type = halide_type_t(halide_type_float, 16);
    Buffer<float> out(device, {width, rows}, empty);
    checks.equal(elements_host(nullptr, &x.onHost, &h.onHost, &out.onHost), 0);
    checks.equal(elements_device(nullptr, &x.onDevice, &h.onDevice, &out.onDevice), 0);
    compare(device, "elements", out);
  }
  {
    Buffer<float> out(device, {width, rows}, empty);
    checks.equal(norm_host(nullptr, &x.onHost, &out.onHost), 0);
    checks.equal(norm_device(nullptr, &x.onDevice, &out.onDevice), 0);
    compare(device, "norm", out);
  }
  {
    Buffer<uint32_t> a(device, {width / 4, rows}, makeWords(width / 4 * rows)),
        b(device, {width / 4}, makeWords(width / 4));
    Buffer<_Float16> scale(device, {rows}, makeNumbers<_Float16>(rows));
    Buffer<float> out(device, {rows}, std::vector<float>(rows));
    checks.equal(dots_host(nullptr, &a.onHost, &b.onHost, &scale.onHost, &out.onHost), 0);
    checks.equal(dots_device(nullptr, &a.onDevice, &b.onDevice, &scale.onDevice, &out.onDevice), 0);
    compare(device, "dots", out);
  }
  {
    Buffer<float> out(device, {width, rows}, empty);
    checks.equal(stages_host(nullptr, &x.onHost, &out.onHost), 0);
    checks.equal(stages_device(nullptr, &x.onDevice, &out.onDevice), 0);
    compare(device, "stages", out);
  }
  return checks.status();
}
