//===- Float.cpp - arithmetic of floats --------------------------------------------------------===//

#include "test/ptx/Number.h"
#include "test/ptx/instructions/Decoders.h"

#include <algorithm>
#include <cfenv>

namespace quern::ptx {

Rounding takeRounding(Assembly &assembly) {
  static constexpr std::pair<std::string_view, Rounding> names[] = {
      {"rn", Rounding::Nearest}, {"rz", Rounding::Zero}, {"rm", Rounding::Down}, {"rp", Rounding::Up}};
  for (auto [name, rounding] : names)
    if (assembly.take(name))
      return rounding;
  return Rounding::Nearest;
}

template <int Mode> static void runRounded(const Instruction &instruction, Warp &warp, uint32_t mask) {
  std::fesetround(Mode);
  instruction.inner(instruction, warp, mask);
  std::fesetround(FE_TONEAREST);
}

void setRounding(Assembly &assembly, Rounding rounding) {
  Instruction &instruction = assembly.instruction;
  if (rounding == Rounding::Nearest || !instruction.run)
    return;
  instruction.inner = instruction.run;
  switch (rounding) {
  case Rounding::Zero:
    return assembly.set(&runRounded<FE_TOWARDZERO>);
  case Rounding::Down:
    return assembly.set(&runRounded<FE_DOWNWARD>);
  default:
    return assembly.set(&runRounded<FE_UPWARD>);
  }
}

namespace {
/// What an instruction does to its operands and its result, beside rounding.
struct Modes {
  bool flushes = false, saturates = false;
};

struct Add {
  template <typename T> static T apply(T a, T b) { return a + b; }
};
struct Sub {
  template <typename T> static T apply(T a, T b) { return a - b; }
};
struct Mul {
  template <typename T> static T apply(T a, T b) { return a * b; }
};
struct Div {
  template <typename T> static T apply(T a, T b) { return a / b; }
};
/// A number is less than no number, and -0 less than 0.
struct Min {
  template <typename T> static T apply(T a, T b) {
    T least = a < b || (a == b && std::signbit(a)) ? a : b;
    return a != a ? b : b != b ? a : least;
  }
};
struct Max {
  template <typename T> static T apply(T a, T b) {
    T most = a > b || (a == b && !std::signbit(a)) ? a : b;
    return a != a ? b : b != b ? a : most;
  }
};
/// `.NaN`: what is no number spreads.
template <typename Op> struct SpreadingNan {
  template <typename T> static T apply(T a, T b) {
    return a != a || b != b ? std::numeric_limits<T>::quiet_NaN() : Op::apply(a, b);
  }
};
struct Fma {
  template <typename T> static T apply(T a, T b, T c) { return std::fma(a, b, c); }
};
struct Sqrt {
  template <typename T> static T apply(T a) { return std::sqrt(a); }
};
struct Rcp {
  template <typename T> static T apply(T a) { return 1 / a; }
};
struct Rsqrt {
  static float apply(float a) { return static_cast<float>(1 / std::sqrt(static_cast<double>(a))); }
  static double apply(double a) { return 1 / std::sqrt(a); }
};
struct Ex2 {
  static float apply(float a) { return std::exp2(a); }
};
struct Lg2 {
  static float apply(float a) { return std::log2(a); }
};
struct Sin {
  static float apply(float a) { return std::sin(a); }
};
struct Cos {
  static float apply(float a) { return std::cos(a); }
};
struct Tanh {
  static float apply(float a) { return std::tanh(a); }
};

/// The type that operations of T are computed in: with what follows, as good as one rounding.
template <typename T> using Computed = std::conditional_t<isNarrow<T>, float, T>;

template <bool Flushes, bool Saturates, typename T> T finish(T value) {
  if constexpr (Flushes)
    value = flush(value);
  if constexpr (Saturates)
    value = value > T(0) ? std::min(value, T(1)) : T(0);
  return value;
}

/// Op on numbers of type T.
template <typename Op, typename T, bool Flushes, bool Saturates> struct Element {
  using C = Computed<T>;
  static C get(T value) { return Flushes ? flush(static_cast<C>(value)) : static_cast<C>(value); }
  template <typename... Operands> static T apply(Operands... operands) {
    return static_cast<T>(finish<Flushes, Saturates>(Op::apply(get(operands)...)));
  }
};

/// One rounding: the product of two narrow numbers is exact in f64.
template <typename T, bool Flushes, bool Saturates> struct Element<Fma, T, Flushes, Saturates> {
  static T apply(T a, T b, T c) {
    if constexpr (isNarrow<T>) {
      double sum = std::fma(static_cast<double>(a), static_cast<double>(b), static_cast<double>(c));
      return static_cast<T>(finish<false, Saturates>(roundToOdd(sum)));
    } else {
      using Other = Element<Add, T, Flushes, Saturates>;
      return finish<Flushes, Saturates>(std::fma(Other::get(a), Other::get(b), Other::get(c)));
    }
  }
};

template <typename Op, typename T> constexpr Handler select1() { return &runUnary<Op, T, T>; }
template <typename Op, typename T> constexpr Handler select2() { return &runBinary<Op, T, T, T>; }
template <typename Op, typename T> constexpr Handler select3() { return &runTernary<Op, T, T, T, T>; }

/// The handler of an element, or of two of them, with N operands.
template <unsigned N, typename Op, typename T> constexpr Handler selectCount() {
  if constexpr (N == 1)
    return select1<Op, T>();
  else if constexpr (N == 2)
    return select2<Op, T>();
  else
    return select3<Op, T>();
}

template <unsigned N, typename Op, typename T> Handler selectModes(Modes modes) {
  if (modes.flushes && modes.saturates)
    return selectCount<N, Element<Op, T, true, true>, T>();
  if (modes.flushes)
    return selectCount<N, Element<Op, T, true, false>, T>();
  if (modes.saturates)
    return selectCount<N, Element<Op, T, false, true>, T>();
  return selectCount<N, Element<Op, T, false, false>, T>();
}

template <unsigned N, typename Op, typename T> Handler selectPacked() {
  return selectCount<N, Packed<Element<Op, T, false, false>, T>, Pair<T>>();
}
} // namespace

static void setFloatOperands(Assembly &assembly, Type type, unsigned number) {
  if (number == 1)
    assembly.setOperands({type, type});
  else if (number == 2)
    assembly.setOperands({type, type, type});
  else
    assembly.setOperands({type, type, type, type});
}

/// Op on numbers of any type, with N operands.
template <unsigned N, typename Op> static void setFloat(Assembly &assembly, Type type) {
  Rounding rounding = takeRounding(assembly);
  Modes modes;
  // Subnormal numbers of 16 bits would stay after computing in f32.
  modes.flushes = getBytes(type) == 4 && type == Type::F32 && assembly.take("ftz");
  modes.saturates = (type == Type::F32 || type == Type::F16) && assembly.take("sat");
  setFloatOperands(assembly, type, N);
  if (type == Type::F16x2)
    assembly.set(selectPacked<N, Op, Half>());
  else if (type == Type::Bf16x2)
    assembly.set(selectPacked<N, Op, Bfloat>());
  else if (type == Type::F32)
    assembly.set(selectModes<N, Op, float>(modes));
  else if (type == Type::F64)
    assembly.set(selectCount<N, Element<Op, double, false, false>, double>());
  else if (type == Type::F16)
    assembly.set(modes.saturates ? selectCount<N, Element<Op, Half, false, true>, Half>()
                                 : selectCount<N, Element<Op, Half, false, false>, Half>());
  else if (type == Type::Bf16)
    assembly.set(selectCount<N, Element<Op, Bfloat, false, false>, Bfloat>());
  if (rounding != Rounding::Nearest && type != Type::F32 && type != Type::F64)
    assembly.fail("numbers of 16 bits are rounded to the nearest only");
  setRounding(assembly, rounding);
}

void decodeFloatAdd(Assembly &assembly, Type type) { setFloat<2, Add>(assembly, type); }
void decodeFloatSub(Assembly &assembly, Type type) { setFloat<2, Sub>(assembly, type); }
void decodeFloatMul(Assembly &assembly, Type type) { setFloat<2, Mul>(assembly, type); }
void decodeFloatFma(Assembly &assembly, Type type) { setFloat<3, Fma>(assembly, type); }

/// Approximations are as near as can be: a program must not depend on their errors.
void decodeFloatDiv(Assembly &assembly, Type type) {
  assembly.skip({"approx", "full"});
  setFloat<2, Div>(assembly, type);
}

void decodeFloatMin(Assembly &assembly, Type type) {
  if (assembly.take("NaN"))
    setFloat<2, SpreadingNan<Min>>(assembly, type);
  else
    setFloat<2, Min>(assembly, type);
}

void decodeFloatMax(Assembly &assembly, Type type) {
  if (assembly.take("NaN"))
    setFloat<2, SpreadingNan<Max>>(assembly, type);
  else
    setFloat<2, Max>(assembly, type);
}

// Signs change no other bit, not even of what is no number.

namespace {
template <typename T, T Flipped, T Kept, bool Flushes> struct Sign {
  static T apply(T a) {
    if constexpr (Flushes)
      a = bitsOf(flush(std::bit_cast<float>(a)));
    return (a ^ Flipped) & Kept;
  }
};
} // namespace

template <bool IsNeg, typename T, uint64_t Bit> static Handler getSign() {
  constexpr T bit = static_cast<T>(Bit);
  return &runUnary<Sign<T, IsNeg ? bit : T{0}, IsNeg ? static_cast<T>(~T{0}) : static_cast<T>(~bit), false>, T, T>;
}

template <bool IsNeg> static void decodeSign(Assembly &assembly, Type type) {
  constexpr uint32_t bit = uint32_t{1} << 31;
  assembly.setOperands({type, type});
  switch (type) {
  case Type::F32:
    if (assembly.take("ftz"))
      return assembly.set(
          &runUnary<Sign<uint32_t, IsNeg ? bit : 0, IsNeg ? ~uint32_t{0} : ~bit, true>, uint32_t, uint32_t>);
    return assembly.set(getSign<IsNeg, uint32_t, 0x80000000>());
  case Type::F64:
    return assembly.set(getSign<IsNeg, uint64_t, uint64_t{1} << 63>());
  case Type::F16:
  case Type::Bf16:
    return assembly.set(getSign<IsNeg, uint16_t, 0x8000>());
  case Type::F16x2:
  case Type::Bf16x2:
    return assembly.set(getSign<IsNeg, uint32_t, 0x80008000>());
  default:
    return;
  }
}

void decodeFloatNeg(Assembly &assembly, Type type) { decodeSign<true>(assembly, type); }
void decodeFloatAbs(Assembly &assembly, Type type) { decodeSign<false>(assembly, type); }

void decodeFma(Assembly &assembly) {
  setFloat<3, Fma>(assembly, assembly.takeType());
  assembly.finish();
}

template <typename Op> static void decodeOne(Assembly &assembly) {
  assembly.take("approx");
  setFloat<1, Op>(assembly, assembly.takeType());
  assembly.finish();
}

void decodeSqrt(Assembly &assembly) { decodeOne<Sqrt>(assembly); }
void decodeRcp(Assembly &assembly) { decodeOne<Rcp>(assembly); }

/// Of f32, or of pairs of 16 bits; of f64 where it is named.
template <typename Op> static void decodeApproximate(Assembly &assembly, bool hasDouble) {
  Type type = assembly.takeType();
  if (!assembly.take("approx") || (type == Type::F64 && !hasDouble))
    return assembly.fail("expected an approximation");
  bool flushes = assembly.take("ftz");
  setFloatOperands(assembly, type, 1);
  if (type == Type::F32)
    assembly.set(selectModes<1, Op, float>({flushes, false}));
  else if (type == Type::F16)
    assembly.set(selectCount<1, Element<Op, Half, false, false>, Half>());
  else if (type == Type::F16x2)
    assembly.set(selectPacked<1, Op, Half>());
  else if (type == Type::Bf16)
    assembly.set(selectCount<1, Element<Op, Bfloat, false, false>, Bfloat>());
  else if (type == Type::Bf16x2)
    assembly.set(selectPacked<1, Op, Bfloat>());
  else if (type == Type::F64 && std::is_same_v<Op, Rsqrt>)
    assembly.set(selectCount<1, Element<Rsqrt, double, false, false>, double>());
  assembly.finish();
}

void decodeRsqrt(Assembly &assembly) { decodeApproximate<Rsqrt>(assembly, true); }
void decodeEx2(Assembly &assembly) { decodeApproximate<Ex2>(assembly, false); }
void decodeLg2(Assembly &assembly) { decodeApproximate<Lg2>(assembly, false); }
void decodeSin(Assembly &assembly) { decodeApproximate<Sin>(assembly, false); }
void decodeCos(Assembly &assembly) { decodeApproximate<Cos>(assembly, false); }
void decodeTanh(Assembly &assembly) { decodeApproximate<Tanh>(assembly, false); }

namespace {
/// The sign of the first with the rest of the second.
struct Copysign {
  template <typename T> static T apply(T a, T b) { return std::copysign(b, a); }
};
struct IsFinite {
  template <typename T> static uint8_t apply(T a) { return std::isfinite(a); }
};
struct IsInfinite {
  template <typename T> static uint8_t apply(T a) { return std::isinf(a); }
};
struct IsNumber {
  template <typename T> static uint8_t apply(T a) { return !std::isnan(a); }
};
struct IsNotNumber {
  template <typename T> static uint8_t apply(T a) { return std::isnan(a); }
};
struct IsNormal {
  template <typename T> static uint8_t apply(T a) { return std::isnormal(a); }
};
struct IsSubnormal {
  template <typename T> static uint8_t apply(T a) { return std::fpclassify(a) == FP_SUBNORMAL; }
};
} // namespace

void decodeCopysign(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({type, type, type});
  if (type == Type::F32)
    assembly.set(&runBinary<Copysign, float, float, float>);
  else if (type == Type::F64)
    assembly.set(&runBinary<Copysign, double, double, double>);
  assembly.finish();
}

template <typename Op> static bool takeTest(Assembly &assembly, std::string_view name, Type type) {
  if (!assembly.take(name))
    return false;
  assembly.set(type == Type::F32 ? &runUnary<Op, uint8_t, float> : &runUnary<Op, uint8_t, double>);
  return true;
}

void decodeTest(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({Type::Pred, type});
  if (type != Type::F32 && type != Type::F64)
    return assembly.fail("expected `.f32` or `.f64`");
  takeTest<IsFinite>(assembly, "finite", type) || takeTest<IsInfinite>(assembly, "infinite", type) ||
      takeTest<IsNumber>(assembly, "number", type) || takeTest<IsNotNumber>(assembly, "notanumber", type) ||
      takeTest<IsNormal>(assembly, "normal", type) || takeTest<IsSubnormal>(assembly, "subnormal", type);
  assembly.finish();
}

} // namespace quern::ptx
