/// Which image of a kernel a device takes.

#include "Check.h"
#include "runtime/devices/Accelerator.h"

#include "quern/Format.h"

#include <cstring>
#include <string>
#include <vector>

using namespace quern::runtime;
using quern::test::Checks;

/// Appends an image of `bytes` for a compute capability; where its first byte is.
static size_t append(std::vector<uint8_t> &images, uint32_t capability, uint64_t bytes) {
  QuernModuleImage image{capability, 0, bytes};
  size_t begin = images.size() + sizeof(image);
  images.resize((begin + bytes + QUERN_MODULE_ALIGNMENT - 1) / QUERN_MODULE_ALIGNMENT * QUERN_MODULE_ALIGNMENT);
  std::memcpy(&images[begin - sizeof(image)], &image, sizeof(image));
  return begin;
}

int main() {
  Checks checks;
  std::vector<uint8_t> images;
  size_t first = append(images, 80, 5), second = append(images, 90, 16), third = append(images, 86, 1);
  DeviceCode code{"", images};
  auto find = [&](uint32_t capability) {
    auto *found = static_cast<const uint8_t *>(code.findImage(capability));
    return found ? found - images.data() : -1;
  };
  auto at = [](size_t place) { return static_cast<std::ptrdiff_t>(place); };
  checks.equal(find(80), at(first));
  checks.equal(find(85), at(first));
  checks.equal(find(86), at(third));
  checks.equal(find(89), at(third));
  checks.equal(find(90), at(second));
  // Another major one, and less than any.
  checks.equal(find(100), std::ptrdiff_t(-1));
  checks.equal(find(75), std::ptrdiff_t(-1));
  checks.equal(DeviceCode{"", {}}.findImage(90), static_cast<const void *>(nullptr));
  return checks.status();
}
