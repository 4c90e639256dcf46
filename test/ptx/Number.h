//===- Number.h - floats of 16 bits, and the bits of numbers -----------------------------------===//

#ifndef QUERN_TEST_PTX_NUMBER_H
#define QUERN_TEST_PTX_NUMBER_H

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace quern::ptx {

/// IEEE's float of 16 bits. The compiler computes each operation in f32 and rounds: the same as one rounding.
using Half = _Float16;

template <unsigned Bytes>
using Unsigned =
    std::conditional_t<Bytes == 1, uint8_t,
                       std::conditional_t<Bytes == 2, uint16_t, std::conditional_t<Bytes == 4, uint32_t, uint64_t>>>;

template <typename T> Unsigned<sizeof(T)> bitsOf(T value) { return std::bit_cast<Unsigned<sizeof(T)>>(value); }

/// The float nearest to `value` in steps of an ulp that is exact or has an odd last bit, so that rounding it once more
/// to fewer bits is as good as rounding `value`.
inline float roundToOdd(double value) {
  float rounded = static_cast<float>(value);
  if (std::isnan(value) || rounded == value)
    return rounded;
  uint32_t bits = bitsOf(rounded);
  if (bits & 1)
    return rounded;
  // Both neighbours of an even value are odd; the one on the side of `value` is right.
  return std::bit_cast<float>(std::fabs(static_cast<double>(rounded)) > std::fabs(value) ? bits - 1 : bits + 1);
}

/// The upper half of an f32.
struct Bfloat {
  uint16_t bits = 0;

  Bfloat() = default;
  explicit Bfloat(float value) {
    uint32_t wide = bitsOf(value);
    bits = std::isnan(value) ? 0x7fff : static_cast<uint16_t>((wide + 0x7fff + (wide >> 16 & 1)) >> 16);
  }
  operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
};

/// Whether f32 computes with this type, one rounding after.
template <typename T> inline constexpr bool isNarrow = std::is_same_v<T, Half> || std::is_same_v<T, Bfloat>;
template <typename T> inline constexpr bool isFloating = isNarrow<T> || std::is_floating_point_v<T>;

/// `value`, rounded once.
template <typename T> T roundTo(double value) {
  if constexpr (std::is_same_v<T, double>)
    return value;
  else if constexpr (std::is_same_v<T, float>)
    return static_cast<float>(value);
  else
    return static_cast<T>(roundToOdd(value));
}

/// What `.ftz` makes of an operand or a result.
template <typename T> T flush(T value) {
  if constexpr (std::is_same_v<T, float>)
    return std::fabs(value) < std::numeric_limits<float>::min() ? std::copysign(0.0f, value) : value;
  else
    return value;
}

template <typename T> using Pair = std::array<T, 2>;

/// Op on both halves of registers.
template <typename Op, typename T> struct Packed {
  template <typename... Operands> static Pair<T> apply(const Operands &...operands) {
    return {Op::apply(operands[0]...), Op::apply(operands[1]...)};
  }
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_NUMBER_H
