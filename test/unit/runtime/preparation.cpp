/// Resizing, cropping and normalising, by values that are easily computed. `preparation FILE HEIGHT WIDTH FILTER`
/// writes an image that is resized as Pillow does it, FILTER 0 bilinear, 1 bicubic: f32[3, height, width].

#include "runtime/vision/Preparation.h"
#include "Check.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

/// Grey values in one row, or in one column.
Picture line(std::vector<uint8_t> greys, bool isColumn = false) {
  auto count = static_cast<int64_t>(greys.size());
  Picture picture{isColumn ? count : 1, isColumn ? 1 : count, {}};
  for (uint8_t grey : greys)
    picture.rgb.insert(picture.rgb.end(), 3, grey);
  return picture;
}

void gives(Checks &checks, const Picture &picture, const ImageDescription &image, const InputSize &size,
           std::vector<float> expected, std::source_location where = std::source_location::current()) {
  if (!checks.that(static_cast<bool>(checkPreparation(image, size)), where))
    return;
  std::vector<float> values(expected.size());
  preparePicture(picture, image, size, values);
  for (size_t i = 0; i < expected.size(); ++i)
    if (std::abs(values[i] - expected[i]) > 1e-4f)
      checks.equal(values[i], expected[i], where);
  checks.that(true, where);
}

void testResize(Checks &checks) {
  ImageDescription image;
  image.resize = ImageSize{1, 4};
  gives(checks, line({0, 100}), image, {1, 1, 4}, {0, 25, 75, 100});
  image.alignCorners = true;
  gives(checks, line({0, 90}), image, {1, 1, 4}, {0, 30, 60, 90});
  gives(checks, line({7}), image, {1, 1, 4}, {7, 7, 7, 7});
  image.resize = ImageSize{4, 1};
  gives(checks, line({0, 90}, /*isColumn=*/true), image, {1, 4, 1}, {0, 30, 60, 90});
  image.alignCorners = false;
  image.resize = ImageSize{1, 2};
  gives(checks, line({0, 10, 20, 130}), image, {1, 1, 2}, {5, 75});
  // Triangles about 1 and 3 with the weights 3 3 1 and 1 3 3, over 7.
  image.antialias = true;
  gives(checks, line({0, 14, 28, 140}), image, {1, 1, 2}, {10, 74});
}

void testCrop(Checks &checks) {
  ImageDescription image;
  image.crop = ImageSize{1, 3};
  gives(checks, line({1, 2, 3, 4, 5}), image, {1, 1, 3}, {2, 3, 4});
  // Wider than the picture: zeros around it, the odd one before it.
  image.crop = ImageSize{1, 4};
  gives(checks, line({9}), image, {1, 1, 4}, {0, 0, 9, 0});
  image.shortestEdge = 2;
  image.crop = ImageSize{2, 2};
  gives(checks, line({0, 0, 50, 50, 0, 0}), image, {1, 2, 2}, {50, 50, 50, 50});
}

void testNormalize(Checks &checks) {
  ImageDescription image;
  image.resize = ImageSize{1, 1};
  image.rescaleFactor = 1.0 / 255;
  image.mean = {0.5, 0.25, 0};
  image.std = {0.5, 1, 2};
  gives(checks, Picture{1, 1, {255, 0, 102}}, image, {3, 1, 1}, {1, -0.25f, 0.2f});
  image.mean = image.std = {};
  image.rescaleFactor = 1;
  gives(checks, Picture{1, 1, {100, 200, 50}}, image, {1, 1, 1}, {153});
}

void testRefuse(Checks &checks) {
  ImageDescription image;
  auto refuses = [&](const std::string &message, std::source_location where = std::source_location::current()) {
    Result<void> valid = checkPreparation(image, {3, 4, 4});
    if (checks.that(!valid, where))
      checks.equal(valid.error().message, message, where);
  };
  refuses("the model's files leave images at sizes of their own, the model takes 4 x 4; say `size` or `crop_size` in "
          "`preprocessor_config.json`");
  image.resize = ImageSize{4, 5};
  refuses("the model's files make images of 4 x 5, the model takes 4 x 4");
  image.crop = ImageSize{4, 4};
  image.mean = {1};
  refuses("the model's files give 1 means or deviations, the model takes 3 channels");
}

int resizeFile(char **arguments) {
  ImageDescription image;
  InputSize size{3, std::atoll(arguments[1]), std::atoll(arguments[2])};
  image.resize = ImageSize{size.height, size.width};
  image.filter = static_cast<Filter>(std::atoi(arguments[3]));
  image.antialias = true;
  Result<Picture> picture = readPicture(arguments[0]);
  if (!picture)
    return 1;
  std::vector<float> values(static_cast<size_t>(3 * size.height * size.width));
  preparePicture(*picture, image, size, values);
  return std::fwrite(values.data(), sizeof(float), values.size(), stdout) == values.size() ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 5)
    return resizeFile(argv + 1);
  Checks checks;
  testResize(checks);
  testCrop(checks);
  testNormalize(checks);
  testRefuse(checks);
  return checks.status();
}
