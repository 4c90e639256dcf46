//===- Signature.cpp - what makes an entry an image classifier ---------------------------------===//

#include "runtime/vision/Signature.h"

#include <algorithm>

namespace quern::runtime {

std::optional<ClassifierSignature> matchClassifier(const Entry &entry) {
  if (entry.role != "image_classifier" || entry.inputs.size() != 1 || entry.results.size() != 1)
    return std::nullopt;
  const Operand &image = entry.inputs[0], &scores = entry.results[0];
  if (image.dtype != DType::F32 || image.shape.size() != 4 || scores.dtype != DType::F32 || scores.shape.size() != 2)
    return std::nullopt;
  const Dim &batch = image.shape[0];
  bool isFixed = std::all_of(image.shape.begin() + 1, image.shape.end(), [](const Dim &dim) { return dim.symbol < 0; });
  bool sameBatch = scores.shape[0].symbol == batch.symbol && scores.shape[0].size == batch.size;
  int64_t channels = image.shape[1].size;
  if (!isFixed || !sameBatch || scores.shape[1].symbol >= 0 || (channels != 1 && channels != 3))
    return std::nullopt;
  return ClassifierSignature{{channels, image.shape[2].size, image.shape[3].size},
                             scores.shape[1].size,
                             batch.symbol < 0 ? batch.size : entry.symbols[static_cast<size_t>(batch.symbol)].bound,
                             batch.symbol >= 0};
}

} // namespace quern::runtime
