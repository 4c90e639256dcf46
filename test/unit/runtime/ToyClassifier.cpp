/// An image classifier written by hand in place of ToyModel.cpp: for f32[n, 3, 4, 4] with at most two images, the logit
/// of each of three classes is four times the mean of its channel, f32[n, 3].

#include "ToyModel.h"

#include "quern/Format.h"

#include <iterator>

extern "C" const uint8_t quern_description[] = R"({
  "version": 3, "model": "ToyClassifier",
  "entries": [
    {"name": "classify", "role": "image_classifier",
     "inputs": [{"name": "image", "dtype": "f32", "shape": ["n", 3, 4, 4]}],
     "results": [{"name": "logits", "dtype": "f32", "shape": ["n", 3]}],
     "symbols": ["n"], "bounds": {"n": 2}}],
  "states": [], "weights_bytes": 1280, "parameters": [],
  "targets": [{"name": "plain", "features": [],
               "programs": [{"entry": 0, "when": {}, "arena_bytes": 0, "kernels": []}]}],
  "quantization": {}, "exact": true, "text": null,
  "image": {"resize": {"shortest_edge": 4}, "filter": "bilinear", "align_corners": false, "antialias": true,
            "crop": {"height": 4, "width": 4}, "rescale_factor": 0.00392156862745098,
            "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "labels": ["red", "green", "blue"],
            "probabilities": false},
  "versions": {"quern": "0.1.0"}})";
extern "C" const uint64_t quern_description_size = sizeof(quern_description) - 1;

namespace quern::test {

static int32_t runClassify(const QuernProgramArgs *args) {
  const auto *image = static_cast<const float *>(args->operands[0]);
  auto *logits = static_cast<float *>(args->operands[1]);
  for (int32_t i = 0; i < 3 * args->dims[0]; ++i) {
    float sum = 0;
    for (int32_t j = 0; j < 16; ++j)
      sum += image[16 * i + j];
    logits[i] = sum / 4;
  }
  return 0;
}

static constexpr QuernProgram programs[] = {runClassify};

std::string_view getToyDescription() {
  return {reinterpret_cast<const char *>(quern_description), sizeof(quern_description) - 1};
}

} // namespace quern::test

extern "C" const struct QuernProgramTable quern_programs = {std::size(quern::test::programs), quern::test::programs};
