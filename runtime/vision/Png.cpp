//===- Png.cpp - PNG files, through libpng -----------------------------------------------------===//

#include "runtime/vision/Picture.h"

#include <csetjmp>
#include <cstring>
#include <iterator>
#include <png.h>

namespace quern::runtime {

namespace {

/// One file on its way. libpng leaves functions by longjmp at an error: whatever owns memory lives here, outside
/// of them.
struct PngFile {
  explicit PngFile(std::span<const uint8_t> bytes) : rest(bytes) {}
  ~PngFile() { png_destroy_read_struct(&png, &info, nullptr); }

  std::span<const uint8_t> rest;
  std::string message;
  png_structp png = nullptr;
  png_infop info = nullptr;
  /// [height, width, channels], 3 or 4 channels.
  std::vector<uint8_t> pixels;
  std::vector<png_bytep> rows;
  png_uint_32 width = 0, height = 0;
  size_t channels = 0;
  /// Whether all rows were read, and whether the file ended before its end chunk.
  bool hasRows = false, isCut = false;
};

[[noreturn]] void refuse(png_structp png, png_const_charp message) {
  static_cast<PngFile *>(png_get_error_ptr(png))->message = message;
  png_longjmp(png, 1);
}

void ignoreWarning(png_structp, png_const_charp) {}

void readBytes(png_structp png, png_bytep to, size_t count) {
  auto &file = *static_cast<PngFile *>(png_get_io_ptr(png));
  file.isCut = count > file.rest.size();
  if (file.isCut)
    png_error(png, "the file is cut off");
  std::memcpy(to, file.rest.data(), count);
  file.rest = file.rest.subspan(count);
}

} // namespace

/// Chunks that say nothing of the pixels as we read them. They may be thousands,
/// of megabytes each when they are decompressed.
static void skipTexts(png_structp png) {
  static constexpr char names[][5] = {"bKGD", "cHRM", "gAMA", "hIST", "iCCP", "iTXt", "oFFs", "pCAL", "pHYs",
                                      "sBIT", "sCAL", "sPLT", "sRGB", "sTER", "tEXt", "tIME", "zTXt"};
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, reinterpret_cast<png_const_bytep>(names),
                              static_cast<int>(std::size(names)));
}

/// Reads up to the pixels; whether that worked.
static bool readHeader(PngFile &file) {
  if (setjmp(png_jmpbuf(file.png)))
    return false;
  png_set_read_fn(file.png, &file, readBytes);
  skipTexts(file.png);
  png_set_user_limits(file.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(file.png, file.info);
  file.width = png_get_image_width(file.png, file.info);
  file.height = png_get_image_height(file.png, file.info);
  return true;
}

/// Reads the pixels and what follows them; whether that worked.
/// A file that ends after its rows lacks nothing of the picture.
static bool readPixels(PngFile &file) {
  if (setjmp(png_jmpbuf(file.png)))
    return file.hasRows && file.isCut;
  png_set_expand(file.png);
  png_set_scale_16(file.png);
  png_set_gray_to_rgb(file.png);
  png_set_interlace_handling(file.png);
  png_read_update_info(file.png, file.info);
  file.channels = png_get_channels(file.png, file.info);
  size_t rowBytes = png_get_rowbytes(file.png, file.info);
  file.pixels.resize(rowBytes * file.height);
  for (size_t y = 0; y < file.height; ++y)
    file.rows.push_back(file.pixels.data() + y * rowBytes);
  png_read_image(file.png, file.rows.data());
  file.hasRows = true;
  png_read_end(file.png, file.info);
  return true;
}

static int findOrientation(const PngFile &file) {
  png_uint_32 bytes = 0;
  png_bytep exif = nullptr;
  return png_get_eXIf_1(file.png, file.info, &bytes, &exif) ? readOrientation({exif, bytes}) : 1;
}

/// Colours over white, alpha colour + (1 - alpha) 255, in the memory of the picture.
static std::vector<uint8_t> dropAlpha(std::vector<uint8_t> pixels) {
  size_t count = pixels.size() / 4;
  for (size_t i = 0; i < count; ++i) {
    unsigned alpha = pixels[4 * i + 3];
    for (size_t c = 0; c < 3; ++c)
      pixels[3 * i + c] = static_cast<uint8_t>((alpha * pixels[4 * i + c] + (255 - alpha) * 255 + 127) / 255);
  }
  pixels.resize(3 * count);
  return pixels;
}

Result<Picture> decodePng(std::span<const uint8_t> bytes, const std::string &name, int &orientation) {
  PngFile file(bytes);
  file.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &file, refuse, ignoreWarning);
  file.info = file.png ? png_create_info_struct(file.png) : nullptr;
  if (!file.info)
    return Error{"`" + name + "`: no memory to decode the image"};
  if (!readHeader(file))
    return Error{"`" + name + "`: the PNG image is broken: " + file.message};
  if (Result<void> valid = checkSize(file.width, file.height, name); !valid)
    return valid.error();
  if (!readPixels(file))
    return Error{"`" + name + "`: the PNG image is broken: " + file.message};
  orientation = findOrientation(file);
  bool hasAlpha = file.channels == 4;
  return Picture{file.height, file.width, hasAlpha ? dropAlpha(std::move(file.pixels)) : std::move(file.pixels)};
}

} // namespace quern::runtime
