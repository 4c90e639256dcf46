/// Any bytes as a safetensors file: its tensors lie in the file, or it is refused.

#include "frontend/checkpoint/Safetensors.h"

#include <cstdlib>

using namespace llvm;
using namespace quern::frontend;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Expected<std::vector<StoredTensor>> tensors = parseSafetensors({data, size}, "f");
  if (!tensors) {
    consumeError(tensors.takeError());
    return 0;
  }
  for (const StoredTensor &tensor : *tensors)
    if (tensor.offset > size || tensor.bytes > size - tensor.offset)
      std::abort();
  return 0;
}
