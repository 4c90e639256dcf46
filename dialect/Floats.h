//===- Floats.h - f32 to and from the floats of 16 bits ---------------------------------------===//
//
// Without branches, so that loops over them run on vectors: a model of 7 billion weights is converted twice.
//
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_DIALECT_FLOATS_H
#define QUERN_DIALECT_FLOATS_H

#include <bit>
#include <cstdint>

namespace quern {

/// IEEE binary16 bits to f32, exact.
inline float halfToFloat(uint16_t bits) {
  uint32_t magnitude = uint32_t(bits & 0x7fff) << 13;
  // The exponent's bias is 112 greater, and that of infinities and NaNs another 112. Zero and subnormal numbers are
  // those of exponent 1 without its leading one, 2^-14.
  float subnormal = std::bit_cast<float>(magnitude + (113u << 23)) - 0x1p-14f;
  uint32_t normal = magnitude + (112u << 23) + (magnitude >= 0x0f800000u ? 112u << 23 : 0);
  uint32_t result = magnitude < 0x00800000u ? std::bit_cast<uint32_t>(subnormal) : normal;
  return std::bit_cast<float>(uint32_t(bits & 0x8000) << 16 | result);
}

/// f32 to IEEE binary16 bits, round to nearest even; overflow gives infinity, and a NaN stays one.
inline uint16_t floatToHalf(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
  uint32_t nan = 0x7e00 | ((magnitude >> 13) & 0x3ff);
  // Below 2^-14 in units of 2^-24: adding 2^23 rounds to an integer, to nearest even.
  // Larger ones are cut to what has no use.
  float small = std::bit_cast<float>(magnitude < 0x38800000u ? magnitude : 0);
  uint32_t subnormal = std::bit_cast<uint32_t>(small * 0x1p24f + 0x1p23f) & 0x7ff;
  // A carry past 65504 gives infinity.
  uint32_t normal = (magnitude + 0xfff + ((magnitude >> 13) & 1) - (112u << 23)) >> 13;
  uint32_t result = magnitude < 0x38800000u ? subnormal : normal;
  result = magnitude >= 0x47800000u ? 0x7c00 : result; // 65536 and above
  result = magnitude > 0x7f800000u ? nan : result;
  return uint16_t(sign | result);
}

/// bfloat16 bits to f32, exact.
inline float bfloatToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

/// f32 to bfloat16 bits, round to nearest even; a NaN stays one.
inline uint16_t floatToBfloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return uint16_t((bits & 0x7fffffff) > 0x7f800000u ? bits >> 16 | 0x40 : rounded);
}

} // namespace quern

#endif // QUERN_DIALECT_FLOATS_H
