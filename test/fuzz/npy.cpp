/// Any bytes as a NumPy array: as many elements as its shape says, or refused; what is written again reads the same.

#include "runtime/Npy.h"

#include <cstdlib>
#include <cstring>

using namespace quern::runtime;

/// The file of an array of f32 or i32.
static std::string format(const Tensor &tensor) {
  std::string bytes = formatNpyHeader(tensor.getDType(), tensor.getShape());
  return bytes.append(static_cast<const char *>(tensor.view().data), 4 * static_cast<size_t>(tensor.getElementCount()));
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Result<Tensor> tensor = parseNpy({reinterpret_cast<const char *>(data), size}, "f");
  if (!tensor)
    return 0;
  std::string bytes = format(*tensor);
  Result<Tensor> again = parseNpy(bytes, "f");
  if (!again || again->getDType() != tensor->getDType() || format(*again) != bytes)
    std::abort();
  return 0;
}
