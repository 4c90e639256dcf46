//===- floats.cpp - instructions of floats, and conversions ------------------------------------===//

#include "test/unit/ptx/Evaluate.h"

#include <algorithm>
#include <cfenv>

using namespace quern::test;

using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s32 = int32_t;
using s64 = int64_t;

/// Computes in a mode of rounding; the operands must not be known to the compiler.
template <typename F> static auto rounded(int mode, F function) {
  return [=](auto... operands) {
    std::fesetround(mode);
    volatile auto result = function(operands...);
    std::fesetround(FE_TONEAREST);
    return result;
  };
}

static float flush(float a) { return std::fabs(a) < std::numeric_limits<float>::min() ? std::copysign(0.0f, a) : a; }

static float saturate(float a) { return a > 0 ? std::min(a, 1.0f) : 0.0f; }

static float add(float a, float b) {
  volatile float x = a, y = b;
  return x + y;
}

static float multiply(float a, float b) {
  volatile float x = a, y = b;
  return x * y;
}

/// Checks an operation in all modes of rounding.
template <typename T, typename... Operands, typename F>
static void checkRounded(Evaluator &e, const std::string &name, const std::string &operands, F function) {
  static constexpr std::pair<const char *, int> modes[] = {
      {".rn", FE_TONEAREST}, {".rz", FE_TOWARDZERO}, {".rm", FE_DOWNWARD}, {".rp", FE_UPWARD}};
  for (auto [text, mode] : modes)
    e.check<T, Operands...>(name + text + operands, rounded(mode, function));
}

static void testSingle(Evaluator &e) {
  using f = float;
  checkRounded<f, f, f>(e, "add", ".f32 %d, %a, %b;", add);
  checkRounded<f, f, f>(e, "sub", ".f32 %d, %a, %b;", [](f a, f b) { return add(a, -b); });
  checkRounded<f, f, f>(e, "mul", ".f32 %d, %a, %b;", multiply);
  checkRounded<f, f, f>(e, "div", ".f32 %d, %a, %b;", [](f a, f b) {
    volatile f x = a, y = b;
    return x / y;
  });
  checkRounded<f, f, f, f>(e, "fma", ".f32 %d, %a, %b, %c;", [](f a, f b, f c) { return std::fma(a, b, c); });
  checkRounded<f, f>(e, "sqrt", ".f32 %d, %a;", [](f a) { return std::sqrt(a); });
  e.check<f, f, f>("add.f32 %d, %a, %b;", add);
  e.check<f, f, f>("add.ftz.f32 %d, %a, %b;", [](f a, f b) { return flush(add(flush(a), flush(b))); });
  e.check<f, f, f>("mul.rn.ftz.sat.f32 %d, %a, %b;",
                   [](f a, f b) { return saturate(flush(multiply(flush(a), flush(b)))); });
  e.check<f, f, f, f>("fma.rn.sat.f32 %d, %a, %b, %c;", [](f a, f b, f c) { return saturate(std::fma(a, b, c)); });
  e.check<f, f>("add.f32 %d, %a, 0f3FC00000;", [](f a) { return add(a, 1.5f); });
  e.check<f, f, f>("min.f32 %d, %a, %b;", [](f a, f b) {
    return std::isnan(a) ? b : std::isnan(b) ? a : a == b ? (std::signbit(a) ? a : b) : std::min(a, b);
  });
  e.check<f, f, f>("max.NaN.f32 %d, %a, %b;", [](f a, f b) {
    return std::isnan(a) || std::isnan(b) ? NAN : a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
  });
  e.check<f, f>("neg.f32 %d, %a;", [](f a) { return -a; });
  e.check<f, f>("abs.ftz.f32 %d, %a;", [](f a) { return std::fabs(flush(a)); });
  e.check<f, f, f>("copysign.f32 %d, %a, %b;", [](f a, f b) { return std::copysign(b, a); });
  e.check<u32, f>("testp.subnormal.f32 %p, %a; selp.u32 %d, 1, 0, %p;",
                  [](f a) { return u32(std::fpclassify(a) == FP_SUBNORMAL); });
}

/// Approximations: what they give is the value, rounded.
static void testApproximations(Evaluator &e) {
  using f = float;
  e.check<f, f>("rcp.approx.ftz.f32 %d, %a;", [](f a) { return flush(1 / flush(a)); });
  e.check<f, f, f>("div.full.f32 %d, %a, %b;", [](f a, f b) { return a / b; });
  e.check<f, f>("rsqrt.approx.f32 %d, %a;", [](f a) { return f(1 / std::sqrt(double(a))); });
  e.check<f, f>("ex2.approx.f32 %d, %a;", [](f a) { return std::exp2(a); });
  e.check<f, f>("lg2.approx.ftz.f32 %d, %a;", [](f a) { return flush(std::log2(flush(a))); });
  e.check<f, f>("sin.approx.f32 %d, %a;", [](f a) { return std::sin(a); });
  e.check<f, f>("cos.approx.f32 %d, %a;", [](f a) { return std::cos(a); });
  e.check<f, f>("tanh.approx.f32 %d, %a;", [](f a) { return std::tanh(a); });
}

static void testDouble(Evaluator &e) {
  using f = double;
  e.check<f, f, f>("add.f64 %d, %a, %b;", [](f a, f b) { return a + b; });
  e.check<f, f, f>("mul.rn.f64 %d, %a, %b;", [](f a, f b) { return a * b; });
  e.check<f, f, f>("div.rn.f64 %d, %a, %b;", [](f a, f b) { return a / b; });
  e.check<f, f, f, f>("fma.rn.f64 %d, %a, %b, %c;", [](f a, f b, f c) { return std::fma(a, b, c); });
  e.check<f, f>("sqrt.rn.f64 %d, %a;", [](f a) { return std::sqrt(a); });
  e.check<f, f>("rcp.rn.f64 %d, %a;", [](f a) { return 1 / a; });
  e.check<f, f>("abs.f64 %d, %a;", [](f a) { return std::fabs(a); });
  e.check<f, f>("sub.f64 %d, %a, 0d3FF8000000000000;", [](f a) { return a - 1.5; });
}

// Numbers of 16 bits, through the bits: those of f16 as the compiler rounds from f64, those of bf16 by hand.

static float half(u16 bits) { return static_cast<float>(std::bit_cast<_Float16>(bits)); }

static u16 toHalf(long double value) { return std::bit_cast<u16>(static_cast<_Float16>(value)); }

static float brain(u16 bits) { return std::bit_cast<float>(u32(bits) << 16); }

/// The nearest of the two bf16 around a value that is exact in f64.
static u16 toBrain(double value) {
  float narrow = static_cast<float>(value);
  u32 low = std::bit_cast<u32>(narrow) & 0xffff0000;
  if (!std::isfinite(narrow))
    return static_cast<u16>(std::isnan(narrow) ? 0x7fff : low >> 16);
  // Rounding to f32 may have passed a bf16.
  if (std::fabs(double(std::bit_cast<float>(low))) > std::fabs(value))
    low -= 0x10000;
  double lower = std::bit_cast<float>(low), upper = std::bit_cast<float>(low + 0x10000);
  if (std::isinf(upper))
    upper = std::copysign(0x1p128, value);
  double toLower = std::fabs(value - lower), toUpper = std::fabs(upper - value);
  bool up = toUpper < toLower || (toUpper == toLower && (low >> 16 & 1));
  return static_cast<u16>((up ? low + 0x10000 : low) >> 16);
}

/// The same bits, or both no number.
template <float get(u16)> static u16 same(u16 bits) { return std::isnan(get(bits)) ? 0x7fff : bits; }

/// The instruction, and after it one NaN for all.
static std::string oneNan(const std::string &code, const std::string &type) {
  return code + " .reg .b32 %w; .reg .pred %n; cvt.f32." + type +
         " %w, %d; setp.nan.f32 %n, %w, %w; @%n mov.b16 %d, 0x7fff;";
}

static void testHalf(Evaluator &e) {
  auto n = same<half>;
  e.check<u16, u16, u16>(oneNan("add.f16 %d, %a, %b;", "f16"),
                         [=](u16 a, u16 b) { return n(toHalf(double(half(a)) + half(b))); });
  e.check<u16, u16, u16>(oneNan("mul.rn.f16 %d, %a, %b;", "f16"),
                         [=](u16 a, u16 b) { return n(toHalf(double(half(a)) * half(b))); });
  // The sum is exact in 64 bits but where it is far from the middle of two numbers.
  e.check<u16, u16, u16, u16>(oneNan("fma.rn.f16 %d, %a, %b, %c;", "f16"), [=](u16 a, u16 b, u16 c) {
    return n(toHalf(static_cast<long double>(half(a)) * half(b) + half(c)));
  });
  e.check<u32, u32>(".reg .b16 %x<3>; .reg .b32 %y; mov.b32 %y, 0x3c004000; mul.f16x2 %y, %a, %y; mov.b32 %d, %y;\n"
                    "and.b32 %y, %a, 0x7c007c00; and.b32 %y, %y, 0x40004000; setp.ne.b32 %p, %y, 0; @%p mov.b32 %d, 0;",
                    [](u32 a) {
                      if (a & 0x40004000)
                        return 0u;
                      return u32(toHalf(double(half(u16(a >> 16))))) << 16 | toHalf(double(half(u16(a))) * 2);
                    });
  e.check<u32, u16, u16>("setp.lt.f16 %p, %a, %b; selp.u32 %d, 1, 0, %p;",
                         [](u16 a, u16 b) { return u32(half(a) < half(b)); });
  e.check<u32, u32, u32>("setp.gtu.f16x2 %p|%q, %a, %b; selp.u32 %d, 1, 0, %p; @%q add.u32 %d, %d, 2;",
                         [](u32 a, u32 b) {
                           auto holds = [](u32 x, u32 y) { return u32(!(half(u16(x)) <= half(u16(y)))); };
                           return holds(a, b) + 2 * holds(a >> 16, b >> 16);
                         });
  e.check<u16, u16>("neg.f16 %d, %a;", [](u16 a) { return u16(a ^ 0x8000); });
  e.check<u16, u16, u16>(oneNan(".reg .b16 %one; mov.b16 %one, 0x3f80; fma.rn.bf16 %d, %a, %b, %one;", "bf16"),
                         [](u16 a, u16 b) { return same<brain>(toBrain(double(brain(a)) * brain(b) + 1)); });
}

static void testCompare(Evaluator &e) {
  using f = float;
  auto check = [&](const std::string &name, auto expected) {
    e.check<u32, f, f>("setp." + name + ".f32 %p, %a, %b; selp.u32 %d, 1, 0, %p;",
                       [=](f a, f b) { return u32(expected(a, b)); });
  };
  auto unordered = [](f a, f b) { return std::isnan(a) || std::isnan(b); };
  check("eq", [](f a, f b) { return a == b; });
  check("ne", [=](f a, f b) { return !unordered(a, b) && a != b; });
  check("lt", [](f a, f b) { return a < b; });
  check("ge", [](f a, f b) { return a >= b; });
  check("equ", [=](f a, f b) { return unordered(a, b) || a == b; });
  check("neu", [](f a, f b) { return a != b; });
  check("leu", [=](f a, f b) { return unordered(a, b) || a <= b; });
  check("gtu", [=](f a, f b) { return unordered(a, b) || a > b; });
  check("num", [=](f a, f b) { return !unordered(a, b); });
  check("nan", unordered);
  check("gt.ftz", [](f a, f b) { return flush(a) > flush(b); });
  e.check<f, f, f>("set.le.f32.f32 %d, %a, %b;", [](f a, f b) { return a <= b ? 1.0f : 0.0f; });
}

/// To an integer: what is too large is the largest.
template <typename D> static D clampTo(double value) {
  using Limits = std::numeric_limits<D>;
  if (std::isnan(value))
    return sizeof(D) == 8 ? D(u64{1} << 63) : D(0);
  if (value >= static_cast<double>(Limits::max()))
    return Limits::max();
  return value <= static_cast<double>(Limits::min()) ? Limits::min() : static_cast<D>(value);
}

static void testConversions(Evaluator &e) {
  e.check<s32, float>("cvt.rni.s32.f32 %d, %a;", [](float a) { return clampTo<s32>(std::nearbyint(a)); });
  e.check<s32, float>("cvt.rzi.s32.f32 %d, %a;", [](float a) { return clampTo<s32>(std::trunc(a)); });
  e.check<u32, float>("cvt.rmi.u32.f32 %d, %a;", [](float a) { return clampTo<u32>(std::floor(double(a))); });
  e.check<s64, float>("cvt.rpi.s64.f32 %d, %a;", [](float a) { return clampTo<s64>(std::ceil(a)); });
  e.check<s32, float>("cvt.rni.s8.f32 %d, %a;", [](float a) { return s32(clampTo<int8_t>(std::nearbyint(a))); });
  e.check<u64, double>("cvt.rzi.u64.f64 %d, %a;", [](double a) { return clampTo<u64>(std::trunc(a)); });
  e.check<float, float>("cvt.rni.f32.f32 %d, %a;", [](float a) { return std::nearbyint(a); });
  e.check<float, float>("cvt.sat.f32.f32 %d, %a;", saturate);
  checkRounded<float, s32>(e, "cvt", ".f32.s32 %d, %a;", [](s32 a) {
    volatile s32 x = a;
    return float(x);
  });
  checkRounded<float, u32>(e, "cvt", ".f32.u32 %d, %a;", [](u32 a) {
    volatile s64 x = a;
    return float(x);
  });
  checkRounded<float, s64>(e, "cvt", ".f32.s64 %d, %a;", [](s64 a) {
    volatile s64 x = a;
    return float(x);
  });
  checkRounded<float, double>(e, "cvt", ".f32.f64 %d, %a;", [](double a) {
    volatile double x = a;
    return float(x);
  });
  e.check<double, u64>("cvt.rn.f64.u64 %d, %a;", [](u64 a) { return double(a); });
  e.check<double, float>("cvt.f64.f32 %d, %a;", [](float a) { return double(a); });
  e.check<float, u16>("cvt.f32.f16 %d, %a;", half);
  e.check<float, u16>("cvt.f32.bf16 %d, %a;", brain);
  e.check<float, u16>("cvt.rn.f32.s8 %d, %a;", [](u16 a) { return float(int8_t(a)); });
  e.check<u16, float>(oneNan("cvt.rn.f16.f32 %d, %a;", "f16"), [](float a) { return same<half>(toHalf(a)); });
  e.check<u16, double>(oneNan("cvt.rn.f16.f64 %d, %a;", "f16"), [](double a) { return same<half>(toHalf(a)); });
  e.check<u16, float>(oneNan("cvt.rn.bf16.f32 %d, %a;", "bf16"), [](float a) { return same<brain>(toBrain(a)); });
  e.check<u16, s32>("cvt.rn.f16.s32 %d, %a;", [](s32 a) { return toHalf(a); });
  e.check<s32, u16>("cvt.rni.s32.f16 %d, %a;", [](u16 a) { return clampTo<s32>(std::nearbyint(half(a))); });
  e.check<u32, float, float>("cvt.rn.f16x2.f32 %d, %a, %b; setp.num.f32 %p, %a, %b; @!%p mov.b32 %d, 0;",
                             [](float a, float b) {
                               bool isNumber = !std::isnan(a) && !std::isnan(b);
                               return isNumber ? u32(toHalf(a)) << 16 | toHalf(b) : 0u;
                             });
}

int main() {
  Checks checks;
  Device device;
  Evaluator evaluator(device, checks);
  testSingle(evaluator);
  testApproximations(evaluator);
  testDouble(evaluator);
  testHalf(evaluator);
  testCompare(evaluator);
  testConversions(evaluator);
  return checks.status();
}
