//===- Picture.cpp - images as users have them -------------------------------------------------===//

#include "runtime/vision/Picture.h"

#include "runtime/File.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace quern::runtime {

Result<void> checkSize(uint64_t width, uint64_t height, const std::string &name) {
  if (width == 0 || height == 0)
    return Error{"`" + name + "`: the image is empty"};
  if (width <= maxPixels && height <= maxPixels / width)
    return {};
  return Error{"`" + name + "`: the image has " + std::to_string(width) + " x " + std::to_string(height) +
               " pixels, expected at most " + std::to_string(maxPixels)};
}

namespace {

/// Numbers of a TIFF structure in its order of bytes; 0 beyond its end.
class TiffReader {
public:
  TiffReader(std::span<const uint8_t> bytes, bool isLittleEndian) : bytes(bytes), isLittleEndian(isLittleEndian) {}

  /// The number of `size` bytes at `offset`.
  uint32_t read(uint64_t offset, unsigned size) const {
    uint32_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
      uint64_t place = offset + (isLittleEndian ? size - 1 - i : i);
      value = value << 8 | (place < bytes.size() ? bytes[place] : 0u);
    }
    return value;
  }

private:
  std::span<const uint8_t> bytes;
  bool isLittleEndian;
};

} // namespace

/// The first value of a directory's entry, whose four bytes it stands in if it is an integer (TIFF 6.0, section 2);
/// 0 when it is none.
static uint32_t readInteger(const TiffReader &tiff, uint64_t entry) {
  // By the number of the type: BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, SLONG.
  constexpr unsigned sizes[] = {0, 1, 0, 2, 4, 0, 1, 0, 2, 4};
  uint32_t type = tiff.read(entry + 2, 2);
  unsigned size = type < std::size(sizes) ? sizes[type] : 0;
  return tiff.read(entry + 8, size);
}

int readOrientation(std::span<const uint8_t> exif) {
  constexpr uint32_t orientationTag = 0x0112;
  bool isLittleEndian = exif.size() > 2 && exif[0] == 'I';
  TiffReader tiff(exif, isLittleEndian);
  uint64_t directory = tiff.read(4, 4);
  uint32_t entries = tiff.read(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    uint64_t entry = directory + 2 + 12 * uint64_t{i};
    if (tiff.read(entry, 2) != orientationTag)
      continue;
    uint32_t value = readInteger(tiff, entry);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Picture orient(Picture picture, int orientation) {
  if (orientation == 1)
    return picture;
  // Orientations 2 to 4 mirror; 5 to 8 exchange rows and columns, too.
  bool isTransposed = orientation >= 5;
  bool mirrorsColumns = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  bool mirrorsRows = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Picture result;
  result.height = isTransposed ? picture.width : picture.height;
  result.width = isTransposed ? picture.height : picture.width;
  result.rgb.resize(picture.rgb.size());
  for (int64_t y = 0; y < result.height; ++y)
    for (int64_t x = 0; x < result.width; ++x) {
      int64_t row = isTransposed ? x : y, column = isTransposed ? y : x;
      if (mirrorsRows)
        row = picture.height - 1 - row;
      if (mirrorsColumns)
        column = picture.width - 1 - column;
      std::memcpy(&result.rgb[static_cast<size_t>(3 * (y * result.width + x))],
                  &picture.rgb[static_cast<size_t>(3 * (row * picture.width + column))], 3);
    }
  return result;
}

/// What a file is that is neither PNG nor JPEG, by its first bytes.
static std::string_view findFormat(std::string_view bytes) {
  struct Format {
    size_t offset;
    std::string_view magic;
    std::string_view name;
  };
  using namespace std::string_view_literals;
  static constexpr Format formats[] = {
#define FORMAT(offset, magic, name) {offset, magic##sv, name##sv},
#include "runtime/vision/Formats.def"
  };
  if (bytes.empty())
    return "nothing";
  for (const Format &format : formats)
    if (bytes.size() >= format.offset && bytes.substr(format.offset).starts_with(format.magic))
      return format.name;
  return "something else";
}

Result<Picture> decodePicture(std::span<const uint8_t> bytes, const std::string &name) {
  struct Decoder {
    std::string_view magic;
    Result<Picture> (*decode)(std::span<const uint8_t>, const std::string &, int &);
  };
  constexpr Decoder decoders[] = {{"\x89PNG\r\n\x1a\n", decodePng}, {"\xff\xd8\xff", decodeJpeg}};
  std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  for (const Decoder &decoder : decoders) {
    if (!text.starts_with(decoder.magic))
      continue;
    int orientation = 1;
    Result<Picture> picture = decoder.decode(bytes, name, orientation);
    return picture ? orient(std::move(*picture), orientation) : picture;
  }
  return Error{"`" + name + "`: found " + std::string(findFormat(text)) + ", expected a PNG or JPEG image"};
}

Result<Picture> readPicture(const std::string &path) {
  Result<FileDescriptor> file = FileDescriptor::openForReading(path);
  if (!file)
    return file.error();
  Result<std::string> bytes = readAll(file->get(), "`" + path + "`", maxFileBytes);
  if (!bytes)
    return bytes.error();
  return decodePicture({reinterpret_cast<const uint8_t *>(bytes->data()), bytes->size()}, path);
}

} // namespace quern::runtime
