//===- HfImage.cpp - Hugging Face's preprocessor_config.json --------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/HfImage.h"

#include "frontend/checkpoint/HfConfig.h"
#include "frontend/checkpoint/StoredTensor.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;

namespace {

/// Reads fields of one file. The first mistake is kept.
class FieldReader {
public:
  FieldReader(const ModelConfig &config, StringRef path) : config(config), path(path) {}

  bool getFlag(StringRef key, bool otherwise);
  double getNumber(StringRef key);
  int64_t getSize(StringRef key);
  std::vector<double> getNumbers(StringRef key);
  std::pair<int64_t, int64_t> getSizes(const std::string &key) {
    return {getSize(key + ".height"), getSize(key + ".width")};
  }
  bool has(StringRef key) const { return config.find(key); }
  void expect(StringRef key, StringRef expected);

  std::string mistake;

private:
  const ModelConfig &config;
  StringRef path;
};

} // namespace

void FieldReader::expect(StringRef key, StringRef expected) {
  if (!mistake.empty())
    return;
  const ConfigValue *value = config.find(key);
  mistake =
      ("`" + path + "`: `" + key + "` is " + (value ? value->describe() : "missing") + ", expected " + expected).str();
}

bool FieldReader::getFlag(StringRef key, bool otherwise) {
  const ConfigValue *value = config.find(key);
  if (!value)
    return otherwise;
  if (const bool *flag = value->asBool())
    return *flag;
  expect(key, "true or false");
  return otherwise;
}

/// Python's JSON knows infinities and NaNs; here they are no numbers.
static std::optional<double> asNumber(const ConfigValue &value) {
  if (const int64_t *integer = value.asInt())
    return double(*integer);
  if (const double *number = value.asDouble(); number && std::isfinite(*number))
    return *number;
  return std::nullopt;
}

double FieldReader::getNumber(StringRef key) {
  const ConfigValue *value = config.find(key);
  std::optional<double> number = value ? asNumber(*value) : std::nullopt;
  if (!number)
    expect(key, "a number");
  return number.value_or(0);
}

int64_t FieldReader::getSize(StringRef key) {
  const ConfigValue *value = config.find(key);
  const int64_t *size = value ? value->asInt() : nullptr;
  if (size && *size > 0 && *size <= INT32_MAX)
    return *size;
  expect(key, "a number of pixels");
  return 1;
}

std::vector<double> FieldReader::getNumbers(StringRef key) {
  const ConfigValue *value = config.find(key);
  std::vector<double> numbers;
  if (value && value->asList())
    for (const ConfigValue &element : *value->asList())
      if (std::optional<double> number = asNumber(element))
        numbers.push_back(*number);
  if (!value || !value->asList() || numbers.empty() || numbers.size() != value->asList()->size())
    expect(key, "a list of numbers");
  return numbers;
}

/// Pillow's number of a filter by its name.
static std::string readFilter(FieldReader &fields) {
  double number = fields.has("resample") ? fields.getNumber("resample") : 2;
  if (number == 3)
    return "bicubic";
  if (number != 2)
    fields.expect("resample", "2 (bilinear) or 3 (bicubic)");
  return "bilinear";
}

/// The steps that the file asks for.
static void readSteps(FieldReader &fields, ImageAssets &image) {
  for (StringRef other : {"do_flip_channel_order", "do_pad", "do_thumbnail", "do_reduce_labels"})
    if (fields.getFlag(other, false))
      fields.expect(other, "false: it is a step that is not done here");
  if (fields.getFlag("do_resize", false)) {
    if (fields.has("size.shortest_edge"))
      image.shortestEdge = fields.getSize("size.shortest_edge");
    else
      image.resize = fields.getSizes("size");
    image.filter = readFilter(fields);
    image.alignCorners = fields.getFlag("align_corners", false);
    image.antialias = fields.getFlag("antialias", !image.alignCorners);
    if (image.alignCorners && image.antialias)
      fields.expect("antialias", "false where corners are aligned");
    if (image.filter == "bicubic" && image.alignCorners)
      fields.expect("align_corners", "false where `resample` is 3");
    if (image.filter == "bicubic" && !image.antialias)
      fields.expect("antialias", "true where `resample` is 3");
  }
  if (fields.getFlag("do_center_crop", false))
    image.crop = fields.getSizes("crop_size");
  if (fields.getFlag("do_rescale", false))
    image.rescaleFactor = fields.getNumber("rescale_factor");
  if (fields.getFlag("do_normalize", false)) {
    image.mean = fields.getNumbers("image_mean");
    image.std = fields.getNumbers("image_std");
    if (llvm::is_contained(image.std, 0.0))
      fields.expect("image_std", "numbers to divide by");
  }
}

Expected<ImageAssets> quern::frontend::readHfImage(StringRef path, const ModelConfig &model) {
  Expected<ModelConfig> config = readHfConfig(path);
  if (!config)
    return config.takeError();
  ImageAssets image;
  FieldReader fields(*config, path);
  readSteps(fields, image);
  if (!fields.mistake.empty())
    return refuse(fields.mistake);
  while (const ConfigValue *label = model.find("id2label." + std::to_string(image.labels.size()))) {
    const std::string *name = label->asString();
    image.labels.push_back(name ? *name : std::to_string(image.labels.size()));
  }
  const ConfigValue *activation = model.find("classifier_activation");
  if (activation && (!activation->asString() || *activation->asString() != "softmax"))
    return refuse("`" + model.origin() + "`: `classifier_activation` is " + activation->describe() +
                  ", expected \"softmax\" or null");
  image.givesProbabilities = activation;
  return image;
}
