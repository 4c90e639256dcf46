//===- Bits.cpp - logic, shifts and fields of bits ---------------------------------------------===//

#include "test/ptx/instructions/Decoders.h"

#include <algorithm>
#include <bit>

namespace quern::ptx {

namespace {
struct And {
  template <typename T> static T apply(T a, T b) { return a & b; }
};
struct Or {
  template <typename T> static T apply(T a, T b) { return a | b; }
};
struct Xor {
  template <typename T> static T apply(T a, T b) { return a ^ b; }
};
struct Not {
  template <typename T> static T apply(T a) { return static_cast<T>(~a); }
};
struct PredicateNot {
  static uint8_t apply(uint8_t a) { return a == 0; }
};
struct LogicalNot {
  template <typename T> static T apply(T a) { return a == 0; }
};
/// Amounts above the bits shift everything out, and leave the sign.
struct ShiftLeft {
  template <typename T> static T apply(T a, uint32_t n) {
    return n >= 8 * sizeof(T) ? T{0} : static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) << n);
  }
};
struct ShiftRight {
  template <typename T> static T apply(T a, uint32_t n) {
    constexpr uint32_t bits = 8 * sizeof(T);
    if constexpr (std::is_signed_v<T>)
      return static_cast<T>(a >> std::min(n, bits - 1));
    else
      return n >= bits ? T{0} : static_cast<T>(a >> n);
  }
};
template <bool Left, bool Wrap> struct FunnelShift {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t n) {
    n = Wrap ? n & 31 : std::min(n, 32u);
    uint64_t both = uint64_t{b} << 32 | a;
    return static_cast<uint32_t>(Left ? both << n >> 32 : both >> n);
  }
};
/// `length` bits from `position` on; what is behind the last bit is the sign, or 0.
struct Extract {
  template <typename T> static T apply(T a, uint32_t position, uint32_t length) {
    constexpr unsigned bits = 8 * sizeof(T);
    position &= 0xff;
    length &= 0xff;
    using U = std::make_unsigned_t<T>;
    unsigned signAt = std::min(position + length - 1, bits - 1);
    bool sign = std::is_signed_v<T> && length != 0 && (static_cast<U>(a) >> signAt & 1);
    U value = position < bits ? static_cast<U>(a) >> position : 0;
    unsigned kept = std::min(length, position < bits ? bits - position : 0);
    if (kept < bits)
      value = (value & ((U{1} << kept) - 1)) | (sign ? ~U{0} << kept : 0);
    return static_cast<T>(value);
  }
};
struct Insert {
  template <typename T> static T apply(T a, T b, uint32_t position, uint32_t length) {
    constexpr unsigned bits = 8 * sizeof(T);
    position &= 0xff;
    length = std::min(length & 0xff, position < bits ? bits - position : 0);
    if (length == 0)
      return b;
    T mask = (length == bits ? ~T{0} : (T{1} << length) - 1) << position;
    return (b & ~mask) | (a << position & mask);
  }
};
template <bool Amount> struct Find {
  template <typename T> static uint32_t apply(T a) {
    using U = std::make_unsigned_t<T>;
    U value = static_cast<U>(std::is_signed_v<T> && a < 0 ? ~a : a);
    if (value == 0)
      return UINT32_MAX;
    unsigned zeros = static_cast<unsigned>(std::countl_zero(value));
    return Amount ? zeros : static_cast<uint32_t>(8 * sizeof(T)) - 1 - zeros;
  }
};
struct LeadingZeros {
  template <typename T> static uint32_t apply(T a) { return static_cast<uint32_t>(std::countl_zero(a)); }
};
struct Population {
  template <typename T> static uint32_t apply(T a) { return static_cast<uint32_t>(std::popcount(a)); }
};
struct Reverse {
  template <typename T> static T apply(T a) {
    T result = 0;
    for (unsigned i = 0; i < 8 * sizeof(T); ++i)
      result |= (a >> i & 1) << (8 * sizeof(T) - 1 - i);
    return result;
  }
};
/// Each four bits of `select` choose one of the eight bytes of b, a; bit 3 repeats its sign.
struct Permute {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t select) {
    uint64_t both = uint64_t{b} << 32 | a;
    uint32_t result = 0;
    for (unsigned i = 0; i < 4; ++i) {
      unsigned chosen = select >> 4 * i & 15;
      uint8_t byte = static_cast<uint8_t>(both >> 8 * (chosen & 7));
      if (chosen & 8)
        byte = byte & 0x80 ? 0xff : 0;
      result |= uint32_t{byte} << 8 * i;
    }
    return result;
  }
};
} // namespace

/// The types of logic: bits of a width, or predicates.
template <template <typename> class Get> static Handler forBits(Type type) {
  switch (type) {
  case Type::Pred:
    return Get<uint8_t>::get();
  case Type::B16:
    return Get<uint16_t>::get();
  case Type::B32:
    return Get<uint32_t>::get();
  case Type::B64:
    return Get<uint64_t>::get();
  default:
    return nullptr;
  }
}

template <typename Op> struct BinaryOf {
  template <typename T> struct Type {
    static Handler get() { return &runBinary<Op, T, T, T>; }
  };
};

template <typename Op> static void decodeLogic(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({type, type, type});
  assembly.set(forBits<BinaryOf<Op>::template Type>(type));
  assembly.finish();
}

void decodeAnd(Assembly &assembly) { decodeLogic<And>(assembly); }
void decodeOr(Assembly &assembly) { decodeLogic<Or>(assembly); }
void decodeXor(Assembly &assembly) { decodeLogic<Xor>(assembly); }

/// The type of a result of the same type as the one operand, or of 32 bits.
template <typename Op, bool Counts> static void decodeOne(Assembly &assembly, bool onlyBits) {
  Type type = assembly.takeType();
  if (onlyBits && getKind(type) != TypeKind::Bits)
    return assembly.fail("expected `.b32` or `.b64`");
  assembly.setOperands({Counts ? Type::U32 : type, type});
  assembly.set(forInteger(type, []<typename T>(std::type_identity<T>) -> Handler {
    if constexpr (Counts)
      return &runUnary<Op, uint32_t, T>;
    else
      return &runUnary<Op, T, T>;
  }));
}

Handler getPredicateNot() { return &runUnary<PredicateNot, uint8_t, uint8_t>; }

void decodeNot(Assembly &assembly) {
  if (assembly.take("pred")) {
    assembly.setOperands({Type::Pred, Type::Pred});
    assembly.set(getPredicateNot());
  } else {
    decodeOne<Not, false>(assembly, true);
  }
  assembly.finish();
}

void decodeLogicalNot(Assembly &assembly) {
  decodeOne<LogicalNot, false>(assembly, true);
  assembly.finish();
}

/// For types without a sign only.
template <typename Op, bool Counts> static void decodeUnsigned(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({Counts ? Type::U32 : type, type});
  using Wide = std::conditional_t<Counts, uint32_t, uint64_t>;
  if (type == Type::B32)
    assembly.set(&runUnary<Op, uint32_t, uint32_t>);
  else if (type == Type::B64)
    assembly.set(&runUnary<Op, Wide, uint64_t>);
  assembly.finish();
}

void decodeLeadingZeros(Assembly &assembly) { decodeUnsigned<LeadingZeros, true>(assembly); }
void decodePopulation(Assembly &assembly) { decodeUnsigned<Population, true>(assembly); }
void decodeReverse(Assembly &assembly) { decodeUnsigned<Reverse, false>(assembly); }

void decodeFind(Assembly &assembly) {
  if (assembly.take("shiftamt"))
    decodeOne<Find<true>, true>(assembly, false);
  else
    decodeOne<Find<false>, true>(assembly, false);
  assembly.finish();
}

template <typename Op> static void decodeShift(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({type, type, Type::U32});
  assembly.set(forInteger(type, []<typename T>(std::type_identity<T>) { return &runBinary<Op, T, T, uint32_t>; }));
  assembly.finish();
}

void decodeShiftLeft(Assembly &assembly) { decodeShift<ShiftLeft>(assembly); }
void decodeShiftRight(Assembly &assembly) { decodeShift<ShiftRight>(assembly); }

template <typename Op> static Handler getTernary32() { return &runTernary<Op, uint32_t, uint32_t, uint32_t, uint32_t>; }

void decodeFunnelShift(Assembly &assembly) {
  bool left = assembly.take("l"), right = assembly.take("r");
  bool wrap = assembly.take("wrap"), clamp = assembly.take("clamp");
  assembly.setOperands({assembly.takeType(), Type::B32, Type::B32, Type::U32});
  if (left != right && wrap != clamp) {
    Handler toLeft = wrap ? getTernary32<FunnelShift<true, true>>() : getTernary32<FunnelShift<true, false>>();
    Handler toRight = wrap ? getTernary32<FunnelShift<false, true>>() : getTernary32<FunnelShift<false, false>>();
    assembly.set(left ? toLeft : toRight);
  }
  assembly.finish();
}

void decodeExtract(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({type, type, Type::U32, Type::U32});
  assembly.set(forInteger(type, []<typename T>(std::type_identity<T>) -> Handler {
    if constexpr (sizeof(T) >= 4)
      return &runTernary<Extract, T, T, uint32_t, uint32_t>;
    return nullptr;
  }));
  assembly.finish();
}

template <typename T> static void runInsert(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *a = warp.at<T>(instruction.slots[1]), *b = warp.at<T>(instruction.slots[2]);
  const uint32_t *position = warp.at<uint32_t>(instruction.slots[3]), *length = warp.at<uint32_t>(instruction.slots[4]);
  setLanes<T>(warp, instruction.slots[0], mask,
              [=](unsigned lane) { return Insert::apply(a[lane], b[lane], position[lane], length[lane]); });
}

void decodeInsert(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({type, type, type, Type::U32, Type::U32});
  if (type == Type::B32)
    assembly.set(&runInsert<uint32_t>);
  else if (type == Type::B64)
    assembly.set(&runInsert<uint64_t>);
  assembly.finish();
}

void decodePermute(Assembly &assembly) {
  assembly.setOperands({assembly.takeType(), Type::B32, Type::B32, Type::B32});
  assembly.set(getTernary32<Permute>());
  assembly.finish();
}

/// Bit i of a result is the bit of the table that the bits of a, b and c number.
static void runLop3(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.at<uint32_t>(instruction.slots[1]), *b = warp.at<uint32_t>(instruction.slots[2]);
  const uint32_t *c = warp.at<uint32_t>(instruction.slots[3]), *table = warp.at<uint32_t>(instruction.slots[4]);
  setLanes<uint32_t>(warp, instruction.slots[0], mask, [=](unsigned lane) {
    uint32_t result = 0;
    for (unsigned row = 0; row < 8; ++row)
      if (table[lane] >> row & 1)
        result |= (row & 4 ? a[lane] : ~a[lane]) & (row & 2 ? b[lane] : ~b[lane]) & (row & 1 ? c[lane] : ~c[lane]);
    return result;
  });
}

void decodeLop3(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({type, Type::B32, Type::B32, Type::B32, Type::U32});
  assembly.set(&runLop3);
  assembly.finish();
}

} // namespace quern::ptx
