//===- ImageClassifier.cpp - the runs of an image classifier -----------------------------------===//

#include "runtime/vision/ImageClassifier.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace quern::runtime {

Result<ImageClassifier> ImageClassifier::create(Session &session, std::optional<int64_t> batch) {
  const Description &description = session.getDescription();
  assert(description.image && "a binary reads images iff it knows how they are prepared");
  for (size_t i = 0; i < description.entries.size(); ++i) {
    std::optional<ClassifierSignature> signature = matchClassifier(description.entries[i]);
    if (!signature)
      continue;
    if (Result<void> valid = checkPreparation(*description.image, signature->size); !valid)
      return valid.error();
    size_t labels = description.image->labels.size();
    if (labels && labels != static_cast<size_t>(signature->classes))
      return Error{"the model's files name " + std::to_string(labels) + " classes, the model has " +
                   std::to_string(signature->classes)};
    if (batch.value_or(1) > signature->batch)
      return Error{"`--batch` is " + std::to_string(*batch) + ", the model takes at most " +
                   std::to_string(signature->batch) + " images at once"};
    ImageClassifier classifier(session, static_cast<uint32_t>(i), *signature);
    classifier.batch = signature->isBatchSymbolic ? batch.value_or(signature->batch) : signature->batch;
    classifier.input =
        Tensor(DType::F32, {classifier.batch, signature->size.channels, signature->size.height, signature->size.width});
    classifier.output = Tensor(DType::F32, {classifier.batch, signature->classes});
    return classifier;
  }
  return Error{"the model has no entry of an image classifier, f32[n, channels, height, width] -> f32[n, classes]"};
}

void ImageClassifier::add(const Picture &picture) {
  assert(!isFull() && "a run takes only so many images");
  std::span<float> values = input.get<float>();
  size_t each = values.size() / static_cast<size_t>(batch);
  preparePicture(picture, *session->getDescription().image, signature.size,
                 values.subspan(static_cast<size_t>(pending) * each, each));
  ++pending;
}

/// softmax(z) = exp(z - max z) / Σ exp(z - max z)
static std::vector<float> takeSoftmax(std::span<const float> logits) {
  float largest = *std::max_element(logits.begin(), logits.end());
  std::vector<float> values;
  for (float logit : logits)
    values.push_back(std::exp(logit - largest));
  float sum = std::accumulate(values.begin(), values.end(), 0.0f);
  for (float &value : values)
    value /= sum;
  return values;
}

Result<std::vector<ClassScore>> ImageClassifier::rank(std::span<const float> values, int64_t top) const {
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
    return Error{"the model gives values that are not finite numbers"};
  const ImageDescription &image = *session->getDescription().image;
  std::vector<float> probabilities =
      image.givesProbabilities ? std::vector<float>(values.begin(), values.end()) : takeSoftmax(values);
  std::vector<size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return probabilities[a] != probabilities[b] ? probabilities[a] > probabilities[b] : a < b;
  });
  order.resize(std::min(order.size(), static_cast<size_t>(top)));
  std::vector<ClassScore> scores;
  for (size_t i : order)
    scores.push_back({image.labels.empty() ? std::to_string(i) : image.labels[i], probabilities[i]});
  return scores;
}

Result<std::span<const float>> ImageClassifier::compute(int64_t count) {
  // A fixed number of images is always run; what is left over from before is not looked at.
  int64_t images = signature.isBatchSymbolic ? count : batch;
  const int64_t inputShape[] = {images, signature.size.channels, signature.size.height, signature.size.width};
  const int64_t outputShape[] = {images, signature.classes};
  const TensorView inputs[] = {{DType::F32, inputShape, input.view().data}};
  const MutableTensorView outputs[] = {{DType::F32, outputShape, output.mutableView().data}};
  if (Result<void> done = session->run(entry, inputs, outputs); !done)
    return done.error();
  return std::span<const float>(output.get<float>()).first(static_cast<size_t>(count * signature.classes));
}

Result<std::vector<std::vector<ClassScore>>> ImageClassifier::run(int64_t top) {
  Result<std::span<const float>> values = compute(std::exchange(pending, 0));
  if (!values)
    return values.error();
  std::vector<std::vector<ClassScore>> all;
  auto classes = static_cast<size_t>(signature.classes);
  for (size_t i = 0; i < values->size(); i += classes) {
    Result<std::vector<ClassScore>> scores = rank(values->subspan(i, classes), top);
    if (!scores)
      return scores.error();
    all.push_back(std::move(*scores));
  }
  return all;
}

} // namespace quern::runtime
