//===- Convert.cpp - conversions of numbers ----------------------------------------------------===//

#include "test/ptx/Number.h"
#include "test/ptx/instructions/Decoders.h"

#include <algorithm>

namespace quern::ptx {

namespace {
/// Rounding to an integer.
enum class ToInteger : uint8_t { None, Nearest, Zero, Down, Up };

/// How the results are made; in `elementBytes` of the instruction.
enum Mode : uint8_t { ToIntegerBits = 7, Saturates = 8, Flushes = 16, RoundsToZero = 32, RoundsElsewhere = 64 };
} // namespace

static double roundInteger(double value, ToInteger mode) {
  switch (mode) {
  case ToInteger::None:
    return value;
  case ToInteger::Nearest:
    return std::nearbyint(value);
  case ToInteger::Zero:
    return std::trunc(value);
  case ToInteger::Down:
    return std::floor(value);
  case ToInteger::Up:
    return std::ceil(value);
  }
  return value;
}

/// The nearest integer of the type that is not above; of no number 0, or for 64 bits the upper bit.
template <typename D> static D toInteger(double value, bool fromDouble) {
  constexpr unsigned bits = 8 * sizeof(D);
  constexpr double above =
      bits == 64 ? (std::is_signed_v<D> ? 0x1p63 : 0x1p64) : static_cast<double>(std::numeric_limits<D>::max()) + 1;
  if (std::isnan(value))
    return fromDouble || bits == 64 ? static_cast<D>(uint64_t{1} << (bits - 1)) : D{0};
  if (value >= above)
    return std::numeric_limits<D>::max();
  if (value <= static_cast<double>(std::numeric_limits<D>::min()))
    return std::numeric_limits<D>::min();
  return static_cast<D>(value);
}

template <typename D, typename S> static D convertInteger(S value, bool saturates) {
  if (!saturates)
    return static_cast<D>(value);
  using Wide = __int128;
  return static_cast<D>(std::clamp<Wide>(value, std::numeric_limits<D>::min(), std::numeric_limits<D>::max()));
}

/// In the present mode of rounding; what the compiler makes of such conversions may be right to the nearest only.
template <typename D> [[gnu::noinline]] static D convertRounded(uint64_t value) {
  if (value >> 63 == 0)
    return static_cast<D>(static_cast<int64_t>(value));
  // The last bit stays, so that halves are told from what is above them.
  return static_cast<D>(static_cast<int64_t>(value >> 1 | (value & 1))) * 2;
}

/// To a float of 16 bits towards 0.
template <typename D> static D truncateTo(double value) {
  D result = roundTo<D>(value);
  uint16_t bits = bitsOf(result);
  if (std::fabs(static_cast<double>(static_cast<float>(result))) > std::fabs(value))
    --bits;
  return std::bit_cast<D>(bits);
}

template <typename D> static D convertFloat(double value, uint8_t mode) {
  value = roundInteger(value, static_cast<ToInteger>(mode & ToIntegerBits));
  if (mode & Saturates)
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  D result;
  if constexpr (isNarrow<D>)
    result = mode & RoundsToZero ? truncateTo<D>(value) : roundTo<D>(value);
  else
    result = static_cast<D>(value);
  return mode & Flushes ? flush(result) : result;
}

template <typename D, typename S> static D convert(S value, uint8_t mode) {
  if constexpr (isFloating<S>) {
    if constexpr (std::is_same_v<S, float>)
      value = mode & Flushes ? flush(value) : value;
    double wide = isNarrow<S> ? static_cast<double>(static_cast<float>(value)) : static_cast<double>(value);
    if constexpr (isFloating<D>)
      return convertFloat<D>(wide, mode);
    else
      return toInteger<D>(roundInteger(wide, static_cast<ToInteger>(mode & ToIntegerBits)), std::is_same_v<S, double>);
  } else if constexpr (isNarrow<D>) {
    // Through f64, which holds what a number of 16 bits could depend on.
    return convertFloat<D>(static_cast<double>(value), mode);
  } else if constexpr (isFloating<D>) {
    if constexpr (std::is_unsigned_v<S>)
      if (mode & RoundsElsewhere)
        return convertRounded<D>(value);
    D result = static_cast<D>(value);
    return mode & Saturates ? std::clamp(result, D{0}, D{1}) : result;
  } else {
    return convertInteger<D>(value, mode & Saturates);
  }
}

/// The lower parts of registers that may be wider.
template <typename S> static void loadLanes(Warp &warp, Slot slot, unsigned bytes, S (&values)[lanes]) {
  const std::byte *from = warp.at<std::byte>(slot);
  for (unsigned lane = 0; lane < lanes; ++lane)
    std::memcpy(&values[lane], from + lane * bytes, sizeof(S));
}

/// Extends what is narrower than the register by its sign.
template <typename R, typename D>
static void storeLanes(Warp &warp, Slot slot, uint32_t mask, const D (&values)[lanes]) {
  setLanes<R>(warp, slot, mask, [&](unsigned lane) {
    if constexpr (isFloating<D>)
      return static_cast<R>(bitsOf(values[lane]));
    else
      return static_cast<R>(values[lane]);
  });
}

template <typename D, typename S> static void runConvert(const Instruction &instruction, Warp &warp, uint32_t mask) {
  S values[lanes];
  D results[lanes];
  loadLanes(warp, instruction.slots[1], instruction.count, values);
  // What most conversions are, without a look at the mode for each lane.
  if (instruction.elementBytes == 0)
    for (unsigned lane = 0; lane < lanes; ++lane)
      results[lane] = convert<D, S>(values[lane], 0);
  else
    for (unsigned lane = 0; lane < lanes; ++lane)
      results[lane] = convert<D, S>(values[lane], instruction.elementBytes);
  switch (instruction.registerBytes) {
  case 2:
    return storeLanes<uint16_t>(warp, instruction.slots[0], mask, results);
  case 4:
    return storeLanes<uint32_t>(warp, instruction.slots[0], mask, results);
  case 8:
    return storeLanes<uint64_t>(warp, instruction.slots[0], mask, results);
  default:
    return storeLanes<uint8_t>(warp, instruction.slots[0], mask, results);
  }
}

/// Of all types of numbers.
template <typename F> static Handler forNumber(Type type, F select) {
  if (type == Type::U8 || type == Type::B8)
    return select(std::type_identity<uint8_t>());
  if (type == Type::S8)
    return select(std::type_identity<int8_t>());
  return isFloat(type) ? forFloat(type, select) : forInteger(type, select);
}

static Handler getConvert(Type to, Type from) {
  return forNumber(to, [from]<typename D>(std::type_identity<D>) {
    return forNumber(from, []<typename S>(std::type_identity<S>) -> Handler { return &runConvert<D, S>; });
  });
}

// Two f32 to both halves of a register, the first to the upper one.

template <typename T, bool ToZero> static void runPack(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const float *upper = warp.at<float>(instruction.slots[1]), *lower = warp.at<float>(instruction.slots[2]);
  bool isRelu = instruction.count == 1;
  setLanes<uint32_t>(warp, instruction.slots[0], mask, [=](unsigned lane) {
    auto get = [=](float value) -> uint32_t {
      value = isRelu && value < 0 ? 0 : value;
      return bitsOf(ToZero ? truncateTo<T>(value) : roundTo<T>(value));
    };
    return get(upper[lane]) << 16 | get(lower[lane]);
  });
}

static void decodePack(Assembly &assembly, Type to) {
  bool toZero = assembly.take("rz");
  assembly.take("rn");
  assembly.instruction.count = assembly.take("relu");
  if (assembly.takeType() != Type::F32)
    assembly.fail("expected `.f32`");
  assembly.setOperands({to, Type::F32, Type::F32});
  if (to == Type::F16x2)
    assembly.set(toZero ? &runPack<Half, true> : &runPack<Half, false>);
  else
    assembly.set(toZero ? &runPack<Bfloat, true> : &runPack<Bfloat, false>);
  assembly.finish();
}

/// `cvt.rna.tf32.f32`: 10 bits of the fraction, halves away from 0.
static void runToTf32(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.at<uint32_t>(instruction.slots[1]);
  setLanes<uint32_t>(warp, instruction.slots[0], mask, [=](unsigned lane) {
    bool isSpecial = (a[lane] & 0x7f800000) == 0x7f800000;
    return isSpecial ? a[lane] : (a[lane] + 0x1000) & ~0x1fffu;
  });
}

static ToInteger takeToInteger(Assembly &assembly) {
  static constexpr std::pair<std::string_view, ToInteger> names[] = {
      {"rni", ToInteger::Nearest}, {"rzi", ToInteger::Zero}, {"rmi", ToInteger::Down}, {"rpi", ToInteger::Up}};
  for (auto [name, mode] : names)
    if (assembly.take(name))
      return mode;
  return ToInteger::None;
}

void decodeConvert(Assembly &assembly) {
  Instruction &instruction = assembly.instruction;
  Type to = assembly.takeType();
  if (to == Type::F16x2 || to == Type::Bf16x2)
    return decodePack(assembly, to);
  Type from = assembly.takeType();
  if (!assembly.expect(2))
    return;
  unsigned toBytes = 0, fromBytes = 0;
  instruction.slots[0] = assembly.write(assembly.getOperand(0), to, &toBytes);
  instruction.slots[1] = assembly.read(assembly.getOperand(1), from, &fromBytes);
  instruction.registerBytes = static_cast<uint8_t>(toBytes);
  instruction.count = static_cast<uint8_t>(fromBytes);
  if (to == Type::Tf32 && from == Type::F32 && assembly.take("rna")) {
    assembly.set(&runToTf32);
    return assembly.finish();
  }
  ToInteger toInteger = takeToInteger(assembly);
  if (isFloat(from) && !isFloat(to) && toInteger == ToInteger::None)
    assembly.fail("expected `.rni`, `.rzi`, `.rmi` or `.rpi`");
  Rounding rounding = takeRounding(assembly);
  uint8_t mode = static_cast<uint8_t>(toInteger);
  mode |= assembly.take("sat") ? Saturates : 0;
  mode |= assembly.take("ftz") ? Flushes : 0;
  mode |= rounding == Rounding::Nearest ? 0 : RoundsElsewhere;
  bool isNarrowed = isFloat(to) && getBytes(to) == 2;
  if (isNarrowed && rounding != Rounding::Nearest) {
    mode |= RoundsToZero;
    if (rounding != Rounding::Zero)
      assembly.fail("numbers of 16 bits are rounded to the nearest or to 0 only");
  }
  instruction.elementBytes = mode;
  assembly.set(getConvert(to, from));
  if (!isNarrowed)
    setRounding(assembly, rounding);
  assembly.finish();
}

} // namespace quern::ptx
