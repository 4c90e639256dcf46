/// Any bytes as an image: a picture of the size that it says, or refused.

#include "runtime/vision/Picture.h"

#include <cstdlib>

using namespace quern::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Result<Picture> picture = decodePicture({data, size}, "f");
  if (picture && picture->rgb.size() != static_cast<size_t>(3 * picture->height * picture->width))
    std::abort();
  return 0;
}
