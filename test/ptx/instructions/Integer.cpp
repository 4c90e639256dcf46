//===- Integer.cpp - arithmetic of integers ----------------------------------------------------===//

#include "test/ptx/Number.h"
#include "test/ptx/instructions/Decoders.h"

#include <algorithm>
#include <limits>

namespace quern::ptx {

namespace {
/// Unsigned, at least 32 bits wide: what wraps around without harm.
template <typename T> using Wide = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <typename T>
using Twice =
    std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
                       std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
                                          std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

template <typename T> T multiplyHigh(T a, T b) {
  return static_cast<T>(static_cast<Twice<T>>(a) * static_cast<Twice<T>>(b) >> (8 * sizeof(T)));
}
template <typename T> bool divides(T b) { return b != 0; }

struct Add {
  template <typename T> static T apply(T a, T b) { return static_cast<T>(Wide<T>(a) + Wide<T>(b)); }
};
struct Sub {
  template <typename T> static T apply(T a, T b) { return static_cast<T>(Wide<T>(a) - Wide<T>(b)); }
};
struct AddSaturated {
  static int32_t apply(int32_t a, int32_t b) {
    return static_cast<int32_t>(std::clamp<int64_t>(int64_t{a} + b, INT32_MIN, INT32_MAX));
  }
};
struct SubSaturated {
  static int32_t apply(int32_t a, int32_t b) {
    return static_cast<int32_t>(std::clamp<int64_t>(int64_t{a} - b, INT32_MIN, INT32_MAX));
  }
};
struct MulLow {
  template <typename T> static T apply(T a, T b) { return static_cast<T>(Wide<T>(a) * Wide<T>(b)); }
};
struct MulHigh {
  template <typename T> static T apply(T a, T b) { return multiplyHigh(a, b); }
};
struct MulWide {
  template <typename T> static Twice<T> apply(T a, T b) { return static_cast<Twice<T>>(Twice<T>(a) * Twice<T>(b)); }
};
struct MadLow {
  template <typename T> static T apply(T a, T b, T c) { return static_cast<T>(Wide<T>(a) * Wide<T>(b) + Wide<T>(c)); }
};
struct MadHigh {
  template <typename T> static T apply(T a, T b, T c) { return Add::apply(multiplyHigh(a, b), c); }
};
struct MadWide {
  template <typename T, typename C> static C apply(T a, T b, C c) {
    return Add::apply(static_cast<C>(MulWide::apply(a, b)), c);
  }
};
/// What devices give for a divisor of 0: all ones, and the dividend for the rest.
struct Div {
  template <typename T> static T apply(T a, T b) {
    if (b == 0)
      return static_cast<T>(-1);
    if (std::is_signed_v<T> && b == static_cast<T>(-1))
      return Sub::apply<T>(0, a);
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <typename T> static T apply(T a, T b) {
    if (b == 0)
      return a;
    if (std::is_signed_v<T> && b == static_cast<T>(-1))
      return 0;
    return static_cast<T>(a % b);
  }
};
struct Min {
  template <typename T> static T apply(T a, T b) { return b < a ? b : a; }
};
struct Max {
  template <typename T> static T apply(T a, T b) { return a < b ? b : a; }
};
struct Neg {
  template <typename T> static T apply(T a) { return Sub::apply<T>(0, a); }
};
struct Abs {
  template <typename T> static T apply(T a) { return a < 0 ? Sub::apply<T>(0, a) : a; }
};
} // namespace

template <typename Op> static Handler getBinary(Type type) {
  return forInteger(type, []<typename T>(std::type_identity<T>) { return &runBinary<Op, T, T, T>; });
}

/// Both halves of a register; none for other types.
template <typename Op> static Handler getPairs(Type type) {
  if (type == Type::U16x2)
    return &runBinary<Packed<Op, uint16_t>, Pair<uint16_t>, Pair<uint16_t>, Pair<uint16_t>>;
  if (type == Type::S16x2)
    return &runBinary<Packed<Op, int16_t>, Pair<int16_t>, Pair<int16_t>, Pair<int16_t>>;
  return nullptr;
}

template <typename Op> static void setBinary(Assembly &assembly, Type type) {
  assembly.setOperands({type, type, type});
  assembly.set(getBinary<Op>(type));
}

/// Also of two numbers of 16 bits.
template <typename Op> static void setBinaryOrPairs(Assembly &assembly, Type type) {
  assembly.setOperands({type, type, type});
  Handler pairs = getPairs<Op>(type);
  assembly.set(pairs ? pairs : getBinary<Op>(type));
}

template <typename Op> static void setTernary(Assembly &assembly, Type type) {
  assembly.setOperands({type, type, type, type});
  assembly.set(forInteger(type, []<typename T>(std::type_identity<T>) { return &runTernary<Op, T, T, T, T>; }));
}

template <typename Op> static void setUnary(Assembly &assembly, Type type) {
  assembly.setOperands({type, type});
  assembly.set(forInteger(type, []<typename T>(std::type_identity<T>) { return &runUnary<Op, T, T>; }));
}

/// The type with twice the bits; none for those of 64 bits.
static Type getTwice(Type type) {
  switch (type) {
  case Type::U16:
    return Type::U32;
  case Type::S16:
    return Type::S32;
  case Type::U32:
    return Type::U64;
  case Type::S32:
    return Type::S64;
  default:
    return Type::Pred;
  }
}

// Carries: target is 1 if the carry is set, 2 if it is used, and 4 if it is a borrow.

static constexpr uint32_t setsCarry = 1, usesCarry = 2, isBorrow = 4, isHigh = 8;

template <typename T, typename F>
static void runCarry(const Instruction &instruction, Warp &warp, uint32_t mask, F addends) {
  uint8_t *carry = warp.at<uint8_t>(instruction.address);
  T *result = warp.at<T>(instruction.slots[0]);
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned lane = firstLane(rest);
    auto [a, b] = addends(lane);
    unsigned __int128 extra = instruction.target & usesCarry ? carry[lane] & 1 : 0, sum;
    if (instruction.target & isBorrow)
      sum = static_cast<unsigned __int128>(a) - b - extra;
    else
      sum = static_cast<unsigned __int128>(a) + b + extra;
    result[lane] = static_cast<T>(sum);
    if (instruction.target & setsCarry)
      carry[lane] = static_cast<uint8_t>(sum >> (8 * sizeof(T)) & 1);
  }
}

template <typename T> static void runAddCarry(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *a = warp.at<T>(instruction.slots[1]), *b = warp.at<T>(instruction.slots[2]);
  runCarry<T>(instruction, warp, mask, [=](unsigned lane) { return std::pair{a[lane], b[lane]}; });
}

template <typename T> static void runMadCarry(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *a = warp.at<T>(instruction.slots[1]), *b = warp.at<T>(instruction.slots[2]);
  const T *c = warp.at<T>(instruction.slots[3]);
  bool high = instruction.target & isHigh;
  runCarry<T>(instruction, warp, mask, [=](unsigned lane) {
    T product = high ? multiplyHigh(a[lane], b[lane]) : MulLow::apply(a[lane], b[lane]);
    return std::pair{product, c[lane]};
  });
}

/// Bits carry alike for both signs but in the upper half of a product of signed factors, which nobody asks for.
static void setCarry(Assembly &assembly, uint32_t how, bool isMad) {
  how |= assembly.take("cc") ? setsCarry : 0;
  Type type = assembly.takeType();
  if ((how & isHigh) && isSigned(type))
    return assembly.fail("the upper half of signed factors with a carry is not supported");
  if (isMad)
    assembly.setOperands({type, type, type, type});
  else
    assembly.setOperands({type, type, type});
  assembly.instruction.target = how;
  assembly.instruction.address = assembly.decoder.getCarry();
  if (getBytes(type) == 4)
    assembly.set(isMad ? &runMadCarry<uint32_t> : &runAddCarry<uint32_t>);
  else if (getBytes(type) == 8)
    assembly.set(isMad ? &runMadCarry<uint64_t> : &runAddCarry<uint64_t>);
}

template <typename Op, typename SaturatedOp>
static void decodeSum(Assembly &assembly, uint32_t how, void (*decodeFloat)(Assembly &, Type)) {
  if (assembly.take("cc"))
    return setCarry(assembly, how | setsCarry, false), assembly.finish();
  Type type = assembly.takeType();
  if (isFloat(type)) {
    decodeFloat(assembly, type);
  } else if (type == Type::S32 && assembly.take("sat")) {
    assembly.setOperands({type, type, type});
    assembly.set(&runBinary<SaturatedOp, int32_t, int32_t, int32_t>);
  } else {
    setBinaryOrPairs<Op>(assembly, type);
  }
  assembly.finish();
}

void decodeAdd(Assembly &assembly) { decodeSum<Add, AddSaturated>(assembly, 0, decodeFloatAdd); }

void decodeSub(Assembly &assembly) { decodeSum<Sub, SubSaturated>(assembly, isBorrow, decodeFloatSub); }

void decodeAddCarry(Assembly &assembly) {
  setCarry(assembly, usesCarry, false);
  assembly.finish();
}

void decodeSubCarry(Assembly &assembly) {
  setCarry(assembly, usesCarry | isBorrow, false);
  assembly.finish();
}

void decodeMadCarry(Assembly &assembly) {
  bool isLow = assembly.take("lo");
  setCarry(assembly, usesCarry | (!isLow && assembly.take("hi") ? isHigh : 0), true);
  assembly.finish();
}

template <typename T> static constexpr bool hasTwice = sizeof(T) < 8;

void decodeMul(Assembly &assembly) {
  bool isWide = assembly.take("wide"), high = assembly.take("hi"), low = assembly.take("lo");
  Type type = assembly.takeType();
  if (isFloat(type)) {
    decodeFloatMul(assembly, type);
  } else if (isWide) {
    assembly.setOperands({getTwice(type), type, type});
    assembly.set(forInteger(type, []<typename T>(std::type_identity<T>) -> Handler {
      if constexpr (hasTwice<T>)
        return &runBinary<MulWide, Twice<T>, T, T>;
      return nullptr;
    }));
  } else if (high) {
    setBinary<MulHigh>(assembly, type);
  } else if (low) {
    setBinary<MulLow>(assembly, type);
  }
  assembly.finish();
}

void decodeMad(Assembly &assembly) {
  bool isWide = assembly.take("wide"), high = assembly.take("hi"), low = assembly.take("lo");
  if (assembly.take("cc"))
    return setCarry(assembly, setsCarry | (high ? isHigh : 0), true), assembly.finish();
  Type type = assembly.takeType();
  if (isFloat(type)) {
    decodeFloatFma(assembly, type);
  } else if (isWide) {
    assembly.setOperands({getTwice(type), type, type, getTwice(type)});
    assembly.set(forInteger(type, []<typename T>(std::type_identity<T>) -> Handler {
      if constexpr (hasTwice<T>)
        return &runTernary<MadWide, Twice<T>, T, T, Twice<T>>;
      return nullptr;
    }));
  } else if (high) {
    setTernary<MadHigh>(assembly, type);
  } else if (low) {
    setTernary<MadLow>(assembly, type);
  }
  assembly.finish();
}

/// Of integers or of floats.
template <void set(Assembly &, Type)>
static void decodeBoth(Assembly &assembly, void (*decodeFloat)(Assembly &, Type)) {
  Type type = assembly.takeType();
  if (isFloat(type))
    decodeFloat(assembly, type);
  else if (getKind(type) != TypeKind::Bits)
    set(assembly, type);
  assembly.finish();
}

void decodeDiv(Assembly &assembly) { decodeBoth<setBinary<Div>>(assembly, decodeFloatDiv); }

void decodeRem(Assembly &assembly) {
  setBinary<Rem>(assembly, assembly.takeType());
  assembly.finish();
}

void decodeMin(Assembly &assembly) { decodeBoth<setBinaryOrPairs<Min>>(assembly, decodeFloatMin); }

void decodeMax(Assembly &assembly) { decodeBoth<setBinaryOrPairs<Max>>(assembly, decodeFloatMax); }

void decodeNeg(Assembly &assembly) { decodeBoth<setUnary<Neg>>(assembly, decodeFloatNeg); }

void decodeAbs(Assembly &assembly) { decodeBoth<setUnary<Abs>>(assembly, decodeFloatAbs); }

namespace {
/// c + Σ a[i] · b[i] over bytes, or over the 16-bit parts of a and the lower or upper bytes of b.
template <bool SignedA, bool SignedB> struct Dp4a {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    for (unsigned i = 0; i < 32; i += 8)
      c += static_cast<uint32_t>(byte<SignedA>(a >> i) * byte<SignedB>(b >> i));
    return c;
  }
  template <bool Signed> static int32_t byte(uint32_t value) {
    return Signed ? static_cast<int8_t>(value) : static_cast<uint8_t>(value);
  }
};
template <bool SignedA, bool SignedB, bool High> struct Dp2a {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    using Bytes = Dp4a<SignedA, SignedB>;
    for (unsigned i = 0; i < 2; ++i) {
      uint32_t part = a >> 16 * i;
      int32_t wide = SignedA ? static_cast<int16_t>(part) : static_cast<uint16_t>(part);
      c += static_cast<uint32_t>(wide * Bytes::template byte<SignedB>(b >> (8 * i + (High ? 16 : 0))));
    }
    return c;
  }
};
} // namespace

template <bool A, bool B> static Handler getDot(bool isDp4a, bool isHigh) {
  if (isDp4a)
    return &runTernary<Dp4a<A, B>, uint32_t, uint32_t, uint32_t, uint32_t>;
  return isHigh ? &runTernary<Dp2a<A, B, true>, uint32_t, uint32_t, uint32_t, uint32_t>
                : &runTernary<Dp2a<A, B, false>, uint32_t, uint32_t, uint32_t, uint32_t>;
}

static void decodeDot(Assembly &assembly, bool isDp4a) {
  bool isHigh = assembly.take("hi");
  if (!isDp4a && !isHigh && !assembly.take("lo"))
    assembly.fail("expected `.lo` or `.hi`");
  Type a = assembly.takeType(), b = assembly.takeType();
  if (getBytes(a) != 4 || getBytes(b) != 4 || isFloat(a) || isFloat(b))
    return assembly.fail("expected `.u32` or `.s32` twice");
  assembly.setOperands({Type::U32, Type::U32, Type::U32, Type::U32});
  if (isSigned(a))
    assembly.set(isSigned(b) ? getDot<true, true>(isDp4a, isHigh) : getDot<true, false>(isDp4a, isHigh));
  else
    assembly.set(isSigned(b) ? getDot<false, true>(isDp4a, isHigh) : getDot<false, false>(isDp4a, isHigh));
  assembly.finish();
}

void decodeDp4a(Assembly &assembly) { decodeDot(assembly, true); }

void decodeDp2a(Assembly &assembly) { decodeDot(assembly, false); }

} // namespace quern::ptx
