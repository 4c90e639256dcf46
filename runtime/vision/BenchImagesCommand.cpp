//===- BenchImagesCommand.cpp - images per second of a classifier's network ---------------------===//

#include "runtime/cli/Benchmark.h"
#include "runtime/cli/Command.h"
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

namespace {

class BenchImagesCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--bench", "measure images per second").chooses(),
        Option("--batch", batch, "N", {1, mostThings}, "images at once (1)"),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&measurement, &launches}; }
  Result<void> run(Session &session) override;

private:
  int64_t batch = 1;
  MeasurementOptions measurement;
  LaunchOptions launches;
};

} // namespace

Result<void> BenchImagesCommand::run(Session &session) {
  Result<ImageClassifier> classifier = ImageClassifier::create(session, batch);
  if (!classifier)
    return classifier.error();
  int64_t images = classifier->getBatch();
  BenchTest test{std::to_string(images) + (images == 1 ? " image" : " images"),
                 {{"n_images", images}},
                 images,
                 [&](RandomGenerator &random) { return measureOnce(*classifier, random); }};
  return measure(session, {&test, 1}, {"images/s", "is"}, measurement, launches);
}

std::unique_ptr<Command> makeBenchImagesCommand() { return std::make_unique<BenchImagesCommand>(); }

} // namespace quern::runtime
