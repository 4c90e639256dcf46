//===- Signature.h - what makes an entry an image classifier -----------------------------------===//

#ifndef QUERN_RUNTIME_VISION_SIGNATURE_H
#define QUERN_RUNTIME_VISION_SIGNATURE_H

#include "quern/Runtime.h"

namespace quern::runtime {

/// The size of a network's input image.
struct InputSize {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
};

/// An entry of the form f32[n, c, h, w] -> f32[n, classes] with one or three channels. Its names do not matter.
struct ClassifierSignature {
  InputSize size;
  int64_t classes = 0;
  /// The most images of a run: the bound of `n`.
  int64_t batch = 1;
  /// Whether fewer will do, too.
  bool isBatchSymbolic = false;
};

/// The signature of an entry that has this role, and the form.
std::optional<ClassifierSignature> matchClassifier(const Entry &entry);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_VISION_SIGNATURE_H
