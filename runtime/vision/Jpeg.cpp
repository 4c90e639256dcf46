//===- Jpeg.cpp - JPEG files, through libjpeg-turbo --------------------------------------------===//

#include "runtime/vision/Picture.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

#include <jerror.h>

namespace quern::runtime {

namespace {

/// A file with more scans than that only wants to take time, and so does one whose scans go over more pixels in all;
/// real ones have about ten scans.
constexpr int maxScans = 500;
constexpr uint64_t maxScannedPixels = uint64_t{1} << 31;

/// One file on its way. libjpeg leaves functions by longjmp at an error: whatever owns memory lives here, outside
/// of them.
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
  /// Whether the file ended before its end marker.
  bool isCut = false;
};

JpegFile &getFile(j_common_ptr decoder) { return *static_cast<JpegFile *>(decoder->client_data); }

constexpr char cutMessage[] = "the file is cut off";

[[noreturn]] void refuse(j_common_ptr decoder) {
  JpegFile &file = getFile(decoder);
  if (file.isCut)
    std::memcpy(file.message, cutMessage, sizeof(cutMessage));
  else
    file.errors.format_message(decoder, file.message);
  std::longjmp(file.onError, 1);
}

/// The decoder goes on after these with made-up pixels; we do not.
/// After the file's end it goes on as if there were an end marker.
void takeWarning(j_common_ptr decoder, int level) {
  int code = decoder->err->msg_code;
  if (level < 0 && code == JWRN_JPEG_EOF)
    getFile(decoder).isCut = true;
  bool isDamage = code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC;
  if (level < 0 && isDamage)
    refuse(decoder);
}

void countScans(j_common_ptr common) {
  auto *decoder = reinterpret_cast<j_decompress_ptr>(common);
  uint64_t pixels = uint64_t{decoder->image_width} * decoder->image_height;
  uint64_t limit = std::min<uint64_t>(maxScans, maxScannedPixels / std::max<uint64_t>(pixels, 1));
  if (static_cast<uint64_t>(decoder->input_scan_number) <= limit)
    return;
  JpegFile &file = getFile(common);
  std::snprintf(file.message, sizeof(file.message), "it has more than %d scans of %u x %u pixels",
                static_cast<int>(limit), decoder->image_width, decoder->image_height);
  std::longjmp(file.onError, 1);
}

/// Whether a file that ended before its end marker had all of the picture: the decoder tells by a warning when a scan
/// ends too early, but not when one is missing (or when the scan is of arithmetic codes, which go on in zeros).
bool isComplete(const jpeg_decompress_struct &decoder) {
  if (decoder.arith_code)
    return false;
  if (!decoder.progressive_mode)
    return decoder.comps_in_scan == decoder.num_components;
  // coef_bits[component][coefficient]: the bits still to come, -1 when none came.
  for (int i = 0; i < decoder.num_components; ++i)
    if (!std::all_of(decoder.coef_bits[i], decoder.coef_bits[i] + DCTSIZE2, [](int bits) { return bits == 0; }))
      return false;
  return true;
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
  if (file.isCut && !isComplete(decoder))
    refuse(reinterpret_cast<j_common_ptr>(&decoder));
  jpeg_finish_decompress(&decoder);
  return true;
}

/// Colour without profiles, (1 - ink) (1 - black), in the memory of the picture. As in Adobe's files, whose way all
/// others are read, too, 255 is no ink.
static std::vector<uint8_t> convertCmyk(std::vector<uint8_t> pixels) {
  size_t count = pixels.size() / 4;
  for (size_t i = 0; i < count; ++i) {
    unsigned black = pixels[4 * i + 3];
    for (size_t c = 0; c < 3; ++c)
      pixels[3 * i + c] = static_cast<uint8_t>((pixels[4 * i + c] * black + 127) / 255);
  }
  pixels.resize(3 * count);
  return pixels;
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
                 isCmyk ? convertCmyk(std::move(file.pixels)) : std::move(file.pixels)};
}

} // namespace quern::runtime
