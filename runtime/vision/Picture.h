//===- Picture.h - images as users have them ---------------------------------------------------===//

#ifndef QUERN_RUNTIME_VISION_PICTURE_H
#define QUERN_RUNTIME_VISION_PICTURE_H

#include "quern/Result.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace quern::runtime {

/// The most pixels of an image; a larger one is refused before it is decoded.
inline constexpr uint64_t maxPixels = uint64_t{1} << 26;
/// The most bytes of an image's file.
inline constexpr uint64_t maxFileBytes = uint64_t{1} << 27;

/// An image of 8 bits per colour.
struct Picture {
  int64_t height = 0;
  int64_t width = 0;
  /// [height, width, red green blue]
  std::vector<uint8_t> rgb;
};

/// Decodes a PNG or JPEG file, recognised by its first bytes: grey, palettes and CMYK become RGB, 16 bits become 8,
/// what is transparent shows white, and the picture stands as its EXIF orientation says. `name` names
/// the file in errors.
Result<Picture> decodePicture(std::span<const uint8_t> bytes, const std::string &name);

/// Reads and decodes a file.
Result<Picture> readPicture(const std::string &path);

/// The two decoders, without a look at the first bytes. `orientation` becomes the EXIF orientation, 1 to 8.
Result<Picture> decodePng(std::span<const uint8_t> bytes, const std::string &name, int &orientation);
Result<Picture> decodeJpeg(std::span<const uint8_t> bytes, const std::string &name, int &orientation);

/// Why a picture of this size is refused; success when it is not.
Result<void> checkSize(uint64_t width, uint64_t height, const std::string &name);

/// The orientation in EXIF data (a TIFF header and its directory, EXIF 2.32 section 4.6.2): 1 to 8, 1 when
/// it says none.
int readOrientation(std::span<const uint8_t> exif);

/// Turns and mirrors a picture that was stored in `orientation`.
Picture orient(Picture picture, int orientation);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_VISION_PICTURE_H
