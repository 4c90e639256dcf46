//===- Jpeg.cpp - JPEG files, through libjpeg-turbo --------------------------------------------===//

#include "runtime/vision/Picture.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

#include <jerror.h>

namespace quern::runtime {

namespace {

/// A progressive file with more scans than that only wants to take time; real ones have about ten.
constexpr int maxScans = 500;

/// One file on its way. libjpeg leaves functions by longjmp at an error: whatever owns memory lives here, outside of them.
struct JpegFile {
  ~JpegFile() { jpeg_destroy_decompress(&decoder); }

  jpeg_decompress_struct decoder{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf onError;
  char message[JMSG_LENGTH_MAX] = "";
  /// [height, width, channels], 3 or 4 channels.
  std::vector<uint8_t> pixels;
  int orientation = 1;
};

JpegFile &getFile(j_common_ptr decoder) { return *static_cast<JpegFile *>(decoder->client_data); }

[[noreturn]] void refuse(j_common_ptr decoder) {
  JpegFile &file = getFile(decoder);
  file.errors.format_message(decoder, file.message);
  std::longjmp(file.onError, 1);
}

/// The decoder goes on after these with made-up pixels; we do not.
void takeWarning(j_common_ptr decoder, int level) {
  int code = decoder->err->msg_code;
  bool isDamage = code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_JPEG_EOF ||
                  code == JWRN_MUST_RESYNC;
  if (level < 0 && isDamage)
    refuse(decoder);
}

void countScans(j_common_ptr decoder) {
  if (reinterpret_cast<j_decompress_ptr>(decoder)->input_scan_number <= maxScans)
    return;
  JpegFile &file = getFile(decoder);
  std::snprintf(file.message, sizeof(file.message), "it has more than %d scans", maxScans);
  std::longjmp(file.onError, 1);
}

} // namespace

/// The orientation in the first EXIF segment.
static int findOrientation(const jpeg_decompress_struct &decoder) {
  constexpr char magic[] = "Exif\0";
  for (jpeg_saved_marker_ptr marker = decoder.marker_list; marker; marker = marker->next)
    if (marker->data_length > sizeof(magic) && std::memcmp(marker->data, magic, sizeof(magic)) == 0)
      return readOrientation({marker->data + sizeof(magic), marker->data_length - sizeof(magic)});
  return 1;
}

/// Reads up to the pixels; whether that worked.
static bool readHeader(JpegFile &file, std::span<const uint8_t> bytes) {
  if (setjmp(file.onError))
    return false;
  jpeg_create_decompress(&file.decoder);
  file.decoder.client_data = &file;
  file.decoder.progress = &file.progress;
  jpeg_mem_src(&file.decoder, bytes.data(), bytes.size());
  jpeg_save_markers(&file.decoder, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&file.decoder, TRUE);
  file.orientation = findOrientation(file.decoder);
  return true;
}

/// Reads the pixels and what follows them; whether that worked.
static bool readPixels(JpegFile &file) {
  if (setjmp(file.onError))
    return false;
  jpeg_decompress_struct &decoder = file.decoder;
  bool isCmyk = decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  decoder.out_color_space = isCmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&decoder);
  size_t rowBytes = size_t{decoder.output_width} * static_cast<size_t>(decoder.output_components);
  file.pixels.resize(rowBytes * decoder.output_height);
  while (decoder.output_scanline < decoder.output_height) {
    JSAMPROW row = file.pixels.data() + rowBytes * decoder.output_scanline;
    jpeg_read_scanlines(&decoder, &row, 1);
  }
  jpeg_finish_decompress(&decoder);
  return true;
}

/// Colour without profiles: (1 - ink) (1 - black). As in Adobe's files, whose way all others are read, too, 255 is no ink.
static std::vector<uint8_t> convertCmyk(const std::vector<uint8_t> &cmyk) {
  std::vector<uint8_t> rgb(cmyk.size() / 4 * 3);
  for (size_t i = 0; i < cmyk.size() / 4; ++i)
    for (size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] = static_cast<uint8_t>((unsigned{cmyk[4 * i + c]} * cmyk[4 * i + 3] + 127) / 255);
  return rgb;
}

Result<Picture> decodeJpeg(std::span<const uint8_t> bytes, const std::string &name, int &orientation) {
  JpegFile file;
  file.decoder.err = jpeg_std_error(&file.errors);
  file.decoder.client_data = &file;
  file.errors.error_exit = refuse;
  file.errors.emit_message = takeWarning;
  file.progress.progress_monitor = countScans;
  if (!readHeader(file, bytes))
    return Error{"`" + name + "`: the JPEG image is broken: " + file.message};
  const jpeg_decompress_struct &decoder = file.decoder;
  if (Result<void> valid = checkSize(decoder.image_width, decoder.image_height, name); !valid)
    return valid.error();
  if (!readPixels(file))
    return Error{"`" + name + "`: the JPEG image is broken: " + file.message};
  orientation = file.orientation;
  bool isCmyk = decoder.output_components == 4;
  return Picture{decoder.image_height, decoder.image_width,
                 isCmyk ? convertCmyk(file.pixels) : std::move(file.pixels)};
}

} // namespace quern::runtime
