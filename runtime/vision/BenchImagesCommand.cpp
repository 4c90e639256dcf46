//===- BenchImagesCommand.cpp - images per second of a classifier's network ---------------------===//

#include "runtime/cli/Benchmark.h"
#include "runtime/vision/Commands.h"
#include "runtime/vision/ImageClassifier.h"

#include <algorithm>

namespace quern::runtime {

/// One run of the network on random values in [0, 1): its time in nanoseconds.
static Result<uint64_t> measureOnce(ImageClassifier &classifier, RandomGenerator &random) {
  std::ranges::generate(classifier.getInput(), [&] { return random.nextFloat(); });
  uint64_t begin = nowInNanoseconds();
  Result<std::span<const float>> scores = classifier.compute(classifier.getBatch());
  return scores ? Result<uint64_t>(nowInNanoseconds() - begin) : scores.error();
}

Result<void> runBenchImages(Session &session, const CommandLine &line) {
  Result<ImageClassifier> classifier = ImageClassifier::create(session, line.batch.value_or(1));
  if (!classifier)
    return classifier.error();
  int64_t images = classifier->getBatch();
  BenchTest test{std::to_string(images) + (images == 1 ? " image" : " images"),
                 {{"n_images", images}},
                 images,
                 [&](RandomGenerator &random) { return measureOnce(*classifier, random); }};
  return measure(session, {&test, 1}, {"images/s", "is"}, line);
}

} // namespace quern::runtime
