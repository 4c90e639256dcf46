//===- ImageClassifier.h - the runs of an image classifier -------------------------------------===//

#ifndef QUERN_RUNTIME_VISION_IMAGECLASSIFIER_H
#define QUERN_RUNTIME_VISION_IMAGECLASSIFIER_H

#include "quern/Runtime.h"
#include "runtime/vision/Preparation.h"
#include "runtime/vision/Signature.h"

namespace quern::runtime {

/// A class and how likely it is.
struct ClassScore {
  std::string label;
  float probability = 0;
};

/// Classifies pictures with the classifier entry of a session, several in one run.
class ImageClassifier {
public:
  /// The session's first entry of that form. `session` outlives the classifier. A run takes at most `batch` images, and
  /// at most the entry's bound, which is also the default.
  static Result<ImageClassifier> create(Session &session, std::optional<int64_t> batch);

  /// Takes a picture into the next run; there is room for one.
  void add(const Picture &picture);
  int64_t getPending() const { return pending; }
  bool isFull() const { return pending == batch; }
  /// The most images of a run.
  int64_t getBatch() const { return batch; }

  /// f32[batch, c, h, w], what the network is given.
  std::span<float> getInput() { return input.get<float>(); }
  /// Runs the network alone on the first `count` images of the input: f32[count, classes], valid until the next run.
  Result<std::span<const float>> compute(int64_t count);

  /// Runs what was added: the `top` likeliest classes of each, the likeliest first,
  /// equal ones in the order of the classes.
  Result<std::vector<std::vector<ClassScore>>> run(int64_t top);

private:
  ImageClassifier(Session &session, uint32_t entry, const ClassifierSignature &signature)
      : session(&session), entry(entry), signature(signature) {}
  Result<std::vector<ClassScore>> rank(std::span<const float> values, int64_t top) const;

  Session *session;
  uint32_t entry;
  ClassifierSignature signature;
  int64_t batch = 1;
  int64_t pending = 0;
  /// f32[n, c, h, w] and f32[n, classes] at their largest; a run uses the front.
  Tensor input, output;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_VISION_IMAGECLASSIFIER_H
