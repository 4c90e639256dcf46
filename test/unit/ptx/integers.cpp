//===- integers.cpp - instructions of integers and bits ----------------------------------------===//

#include "test/unit/ptx/Evaluate.h"

#include <algorithm>

using namespace quern::test;

using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s16 = int16_t;
using s32 = int32_t;
using s64 = int64_t;
using s128 = __int128;
using u128 = unsigned __int128;

static void testSums(Evaluator &e) {
  e.check<u16, u16, u16>("add.u16 %d, %a, %b;", [](u16 a, u16 b) { return u16(a + b); });
  e.check<u32, u32, u32>("add.s32 %d, %a, %b;", [](u32 a, u32 b) { return a + b; });
  e.check<u64, u64, u64>("add.s64 %d, %a, %b;", [](u64 a, u64 b) { return a + b; });
  e.check<u32, u32>("add.s32 %d, %a, -7;", [](u32 a) { return a - 7; });
  e.check<s32, s32, s32>("add.sat.s32 %d, %a, %b;",
                         [](s32 a, s32 b) { return s32(std::clamp<s64>(s64(a) + b, INT32_MIN, INT32_MAX)); });
  e.check<u32, u32, u32>("sub.u32 %d, %a, %b;", [](u32 a, u32 b) { return a - b; });
  e.check<s32, s32, s32>("sub.sat.s32 %d, %a, %b;",
                         [](s32 a, s32 b) { return s32(std::clamp<s64>(s64(a) - b, INT32_MIN, INT32_MAX)); });
  e.check<u64, u64>("neg.s64 %d, %a;", [](u64 a) { return 0 - a; });
  e.check<s32, s32>("abs.s32 %d, %a;", [](s32 a) { return a < 0 ? s32(0u - u32(a)) : a; });
  e.check<s16, s16, s16>("min.s16 %d, %a, %b;", [](s16 a, s16 b) { return std::min(a, b); });
  e.check<u32, u32, u32>("min.u32 %d, %a, %b;", [](u32 a, u32 b) { return std::min(a, b); });
  e.check<s64, s64, s64>("max.s64 %d, %a, %b;", [](s64 a, s64 b) { return std::max(a, b); });
  // 64 bits by halves: the carry of the lower ones goes into the upper ones.
  const char *halves = ".reg .b32 %l<3>; .reg .b32 %u<3>; mov.b64 {%l0, %u0}, %a; mov.b64 {%l1, %u1}, %b;\n";
  e.check<u64, u64, u64>(std::string(halves) +
                             "add.cc.u32 %l2, %l0, %l1; addc.u32 %u2, %u0, %u1; mov.b64 %d, {%l2, %u2};",
                         [](u64 a, u64 b) { return a + b; });
  e.check<u64, u64, u64>(std::string(halves) +
                             "sub.cc.u32 %l2, %l0, %l1; subc.u32 %u2, %u0, %u1; mov.b64 %d, {%l2, %u2};",
                         [](u64 a, u64 b) { return a - b; });
  e.check<u64, u32, u32, u64>(
      ".reg .b32 %l<2>; .reg .b32 %u<2>; mov.b64 {%l0, %u0}, %c; mad.lo.cc.u32 %l1, %a, %b, %l0;\n"
      "madc.hi.u32 %u1, %a, %b, %u0; mov.b64 %d, {%l1, %u1};",
      [](u32 a, u32 b, u64 c) { return u64(a) * b + c; });
}

static void testProducts(Evaluator &e) {
  e.check<u16, u16, u16>("mul.lo.s16 %d, %a, %b;", [](u16 a, u16 b) { return u16(u32(a) * b); });
  e.check<u32, u32, u32>("mul.lo.s32 %d, %a, %b;", [](u32 a, u32 b) { return a * b; });
  e.check<u64, u64, u64>("mul.lo.u64 %d, %a, %b;", [](u64 a, u64 b) { return a * b; });
  e.check<s16, s16, s16>("mul.hi.s16 %d, %a, %b;", [](s16 a, s16 b) { return s16(s32(a) * b >> 16); });
  e.check<u32, u32, u32>("mul.hi.u32 %d, %a, %b;", [](u32 a, u32 b) { return u32(u64(a) * b >> 32); });
  e.check<s64, s64, s64>("mul.hi.s64 %d, %a, %b;", [](s64 a, s64 b) { return s64(s128(a) * b >> 64); });
  e.check<u64, u64, u64>("mul.hi.u64 %d, %a, %b;", [](u64 a, u64 b) { return u64(u128(a) * b >> 64); });
  e.check<u32, u16, u16>("mul.wide.u16 %d, %a, %b;", [](u16 a, u16 b) { return u32(a) * b; });
  e.check<s64, s32, s32>("mul.wide.s32 %d, %a, %b;", [](s32 a, s32 b) { return s64(a) * b; });
  e.check<u64, u32, u32>("mul.wide.u32 %d, %a, %b;", [](u32 a, u32 b) { return u64(a) * b; });
  e.check<u32, u32, u32, u32>("mad.lo.s32 %d, %a, %b, %c;", [](u32 a, u32 b, u32 c) { return a * b + c; });
  e.check<u32, u32, u32, u32>("mad.hi.u32 %d, %a, %b, %c;",
                              [](u32 a, u32 b, u32 c) { return u32(u64(a) * b >> 32) + c; });
  e.check<u64, s32, s32, u64>("mad.wide.s32 %d, %a, %b, %c;", [](s32 a, s32 b, u64 c) { return u64(s64(a) * b) + c; });
  e.check<u32, u32, u32>("div.u32 %d, %a, %b;", [](u32 a, u32 b) { return b ? a / b : UINT32_MAX; });
  e.check<s32, s32, s32>("div.s32 %d, %a, %b;", [](s32 a, s32 b) { return b ? s32(s64(a) / b) : -1; });
  e.check<s16, s16, s16>("div.s16 %d, %a, %b;", [](s16 a, s16 b) { return b ? s16(a / b) : s16(-1); });
  e.check<u64, u64, u64>("rem.u64 %d, %a, %b;", [](u64 a, u64 b) { return b ? a % b : a; });
  e.check<s32, s32, s32>("rem.s32 %d, %a, %b;", [](s32 a, s32 b) { return b ? s32(s64(a) % b) : a; });
  e.check<s64, s64, s64>("rem.s64 %d, %a, %b;", [](s64 a, s64 b) { return b ? s64(s128(a) % b) : a; });
}

/// Σ of the products of bytes.
template <typename A, typename B> static u32 dot(u32 a, u32 b, u32 c) {
  for (int i = 0; i < 4; ++i)
    c += u32(s32(A(a >> 8 * i)) * s32(B(b >> 8 * i)));
  return c;
}

static void testDots(Evaluator &e) {
  e.check<u32, u32, u32, u32>("dp4a.u32.u32 %d, %a, %b, %c;", dot<uint8_t, uint8_t>);
  e.check<u32, u32, u32, u32>("dp4a.u32.s32 %d, %a, %b, %c;", dot<uint8_t, int8_t>);
  e.check<u32, u32, u32, u32>("dp4a.s32.u32 %d, %a, %b, %c;", dot<int8_t, uint8_t>);
  e.check<u32, u32, u32, u32>("dp4a.s32.s32 %d, %a, %b, %c;", dot<int8_t, int8_t>);
  e.check<u32, u32, u32, u32>("dp2a.hi.s32.u32 %d, %a, %b, %c;", [](u32 a, u32 b, u32 c) {
    return c + u32(s32(s16(a)) * s32(uint8_t(b >> 16))) + u32(s32(s16(a >> 16)) * s32(b >> 24));
  });
}

static void testLogic(Evaluator &e) {
  e.check<u16, u16, u16>("and.b16 %d, %a, %b;", [](u16 a, u16 b) { return u16(a & b); });
  e.check<u32, u32, u32>("or.b32 %d, %a, %b;", [](u32 a, u32 b) { return a | b; });
  e.check<u64, u64, u64>("xor.b64 %d, %a, %b;", [](u64 a, u64 b) { return a ^ b; });
  e.check<u32, u32>("not.b32 %d, %a;", [](u32 a) { return ~a; });
  e.check<u32, u32>("cnot.b32 %d, %a;", [](u32 a) { return u32(a == 0); });
  // 0xe8: what at least two of the three are.
  e.check<u32, u32, u32, u32>("lop3.b32 %d, %a, %b, %c, 0xe8;",
                              [](u32 a, u32 b, u32 c) { return (a & b) | (a & c) | (b & c); });
  e.check<u32, u32, u32>("setp.ne.b32 %p, %a, 0; setp.gt.u32 %q, %b, 32; and.pred %p, %p, %q; not.pred %p, %p;\n"
                         "selp.b32 %d, 5, 9, %p;",
                         [](u32 a, u32 b) { return a != 0 && b > 32 ? 9u : 5u; });
  e.check<u32, u32, u32>("mov.pred %q, 1; setp.lt.or.s32 %p|%q, %a, %b, !%q; @%p mov.u32 %d, 1; @!%p mov.u32 %d, 2;",
                         [](u32 a, u32 b) { return s32(a) < s32(b) ? 1u : 2u; });
  e.check<u32, u32, u32>("setp.ge.u32 %p|%q, %a, %b; selp.u32 %d, 1, 0, %q;", [](u32 a, u32 b) { return u32(a < b); });
  e.check<u32, s64, s64>("setp.le.s64 %p, %a, %b; selp.u32 %d, 1, 0, %p;", [](s64 a, s64 b) { return u32(a <= b); });
  e.check<u32, u16, u16>("setp.hi.u16 %p, %a, %b; selp.u32 %d, 1, 0, %p;", [](u16 a, u16 b) { return u32(a > b); });
  e.check<u32, s32, s32>("set.gt.u32.s32 %d, %a, %b;", [](s32 a, s32 b) { return a > b ? ~0u : 0u; });
  e.check<u32, u32, u32, s32>("slct.b32.s32 %d, %a, %b, %c;", [](u32 a, u32 b, s32 c) { return c >= 0 ? a : b; });
}

static void testShifts(Evaluator &e) {
  e.check<u16, u16, u32>("shl.b16 %d, %a, %b;", [](u16 a, u32 n) { return u16(n < 16 ? a << n : 0); });
  e.check<u32, u32, u32>("shl.b32 %d, %a, %b;", [](u32 a, u32 n) { return n < 32 ? a << n : 0; });
  e.check<u64, u64, u32>("shl.b64 %d, %a, %b;", [](u64 a, u32 n) { return n < 64 ? a << n : 0; });
  e.check<u32, u32, u32>("shr.u32 %d, %a, %b;", [](u32 a, u32 n) { return n < 32 ? a >> n : 0; });
  e.check<s32, s32, u32>("shr.s32 %d, %a, %b;", [](s32 a, u32 n) { return a >> std::min(n, 31u); });
  e.check<s64, s64, u32>("shr.s64 %d, %a, %b;", [](s64 a, u32 n) { return a >> std::min(n, 63u); });
  e.check<u64, u64, u32>("shr.b64 %d, %a, %b;", [](u64 a, u32 n) { return n < 64 ? a >> n : 0; });
  e.check<u32, u32, u32, u32>("shf.l.wrap.b32 %d, %a, %b, %c;",
                              [](u32 a, u32 b, u32 n) { return u32((u64(b) << 32 | a) << (n & 31) >> 32); });
  e.check<u32, u32, u32, u32>("shf.r.clamp.b32 %d, %a, %b, %c;",
                              [](u32 a, u32 b, u32 n) { return u32((u64(b) << 32 | a) >> std::min(n, 32u)); });
}

template <typename T> static T extract(T a, u32 position, u32 length) {
  position &= 255;
  length &= 255;
  constexpr u32 bits = 8 * sizeof(T);
  T result = 0;
  using U = std::make_unsigned_t<T>;
  bool sign = std::is_signed_v<T> && length && (U(a) >> std::min(position + length - 1, bits - 1) & 1);
  for (u32 i = 0; i < bits; ++i) {
    bool bit = i < length && position + i < bits ? U(a) >> (position + i) & 1 : sign;
    result = T(U(result) | U(bit) << i);
  }
  return result;
}

static u32 permute(u32 a, u32 b, u32 select) {
  u32 result = 0;
  for (int i = 0; i < 4; ++i) {
    u32 chosen = select >> 4 * i & 15, byte = (chosen & 4 ? b : a) >> 8 * (chosen & 3) & 255;
    result |= (chosen & 8 ? (byte > 127 ? 255 : 0) : byte) << 8 * i;
  }
  return result;
}

static void testFields(Evaluator &e) {
  e.check<u32, u32, u32, u32>("bfe.u32 %d, %a, %b, %c;", extract<u32>);
  e.check<s32, s32, u32, u32>("bfe.s32 %d, %a, %b, %c;", extract<s32>);
  e.check<s64, s64, u32, u32>("bfe.s64 %d, %a, %b, %c;", extract<s64>);
  e.check<u32, u32, u32>("bfi.b32 %d, %a, %b, 4, 9;", [](u32 a, u32 b) { return (b & ~0x1ff0u) | (a << 4 & 0x1ff0); });
  e.check<u32, u32, u32, u32>("bfi.b32 %d, %a, %b, %c, 8;", [](u32 a, u32 b, u32 n) {
    u32 mask = (n & 255) < 32 ? 0xffu << (n & 255) : 0;
    return (b & ~mask) | (mask ? a << (n & 255) & mask : 0);
  });
  e.check<u32, u32>("bfind.u32 %d, %a;", [](u32 a) { return a ? 31u - u32(std::countl_zero(a)) : ~0u; });
  e.check<u32, s32>("bfind.s32 %d, %a;", [](s32 a) {
    u32 v = u32(a < 0 ? ~a : a);
    return v ? 31u - u32(std::countl_zero(v)) : ~0u;
  });
  e.check<u32, u32>("clz.b32 %d, %a;", [](u32 a) { return u32(std::countl_zero(a)); });
  e.check<u32, u64>("clz.b64 %d, %a;", [](u64 a) { return u32(std::countl_zero(a)); });
  e.check<u32, u64>("popc.b64 %d, %a;", [](u64 a) { return u32(std::popcount(a)); });
  e.check<u32, u32>("brev.b32 %d, %a;", [](u32 a) {
    u32 result = 0;
    for (int i = 0; i < 32; ++i)
      result |= (a >> i & 1) << (31 - i);
    return result;
  });
  e.check<u32, u32, u32, u32>("prmt.b32 %d, %a, %b, %c;", permute);
}

static void testMoves(Evaluator &e) {
  e.check<u32, u16, u16>("mov.b32 %d, {%a, %b};", [](u16 a, u16 b) { return u32(b) << 16 | a; });
  e.check<u64, u32, u32>("mov.b64 %d, {%a, %b};", [](u32 a, u32 b) { return u64(b) << 32 | a; });
  e.check<u16, u32>(".reg .b16 %low; mov.b32 {%low, %d}, %a;", [](u32 a) { return u16(a >> 16); });
  e.check<u16, u64>(".reg .b16 %x<4>; mov.b64 {%x0, %x1, %d, %x3}, %a;", [](u64 a) { return u16(a >> 32); });
  e.check<u32, u64>("mov.b64 {%d, _}, %a;", [](u64 a) { return u32(a); });
  // One register with its own parts: they must not be overwritten too early.
  e.check<u64, u64>(".reg .b32 %x<2>; mov.b64 {%x0, %x1}, %a; mov.b64 %d, {%x1, %x0};",
                    [](u64 a) { return a << 32 | a >> 32; });
  e.check<u64, u64>("mov.u64 %d, 0xfedcba9876543210; add.s64 %d, %d, %a;",
                    [](u64 a) { return a + 0xfedcba9876543210; });
}

static void testConversions(Evaluator &e) {
  e.check<u64, u32>("cvt.u64.u32 %d, %a;", [](u32 a) { return u64(a); });
  e.check<s64, s32>("cvt.s64.s32 %d, %a;", [](s32 a) { return s64(a); });
  e.check<u32, u64>("cvt.u32.u64 %d, %a;", [](u64 a) { return u32(a); });
  e.check<s32, s32>("cvt.s32.s8 %d, %a;", [](s32 a) { return s32(int8_t(a)); });
  e.check<u32, u16>("cvt.u32.u8 %d, %a;", [](u16 a) { return u32(uint8_t(a)); });
  e.check<s32, s32>("cvt.s8.s32 %d, %a;", [](s32 a) { return s32(int8_t(a)); });
  e.check<s32, s32>("cvt.sat.s8.s32 %d, %a;", [](s32 a) { return std::clamp(a, -128, 127); });
  e.check<u32, s32>("cvt.sat.u8.s32 %d, %a;", [](s32 a) { return u32(std::clamp(a, 0, 255)); });
  e.check<u32, s64>("cvt.sat.u32.s64 %d, %a;", [](s64 a) { return u32(std::clamp<s64>(a, 0, UINT32_MAX)); });
  e.check<u16, u32>("cvt.u16.u32 %d, %a;", [](u32 a) { return u16(a); });
}

int main() {
  Checks checks;
  Device device;
  Evaluator evaluator(device, checks);
  testSums(evaluator);
  testProducts(evaluator);
  testDots(evaluator);
  testLogic(evaluator);
  testShifts(evaluator);
  testFields(evaluator);
  testMoves(evaluator);
  testConversions(evaluator);
  return checks.status();
}
