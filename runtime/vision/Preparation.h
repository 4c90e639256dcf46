//===- Preparation.h - pictures to the input of a network --------------------------------------===//

#ifndef QUERN_RUNTIME_VISION_PREPARATION_H
#define QUERN_RUNTIME_VISION_PREPARATION_H

#include "quern/Runtime.h"
#include "runtime/vision/Picture.h"
#include "runtime/vision/Signature.h"

namespace quern::runtime {

/// Why `image` cannot make inputs of this size; success when it can.
Result<void> checkPreparation(const ImageDescription &image, const InputSize &size);

/// Resizes, crops and normalises as `image` says, which fits `size`. `values` is [channels, height, width]. One channel
/// is the luma 0.299 r + 0.587 g + 0.114 b. Pixels are not rounded between the steps.
void preparePicture(const Picture &picture, const ImageDescription &image, const InputSize &size,
                    std::span<float> values);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_VISION_PREPARATION_H
