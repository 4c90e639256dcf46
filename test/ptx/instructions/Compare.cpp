//===- Compare.cpp - comparisons and choices ---------------------------------------------------===//

#include "test/ptx/Number.h"
#include "test/ptx/instructions/Decoders.h"

namespace quern::ptx {

namespace {
enum class Combine : uint32_t { None, And, Or, Xor };
/// What `set` writes where the comparison holds.
enum class Truth : uint8_t { Predicate, Ones32, One32, Ones16, One16, OneBf16 };

using Results = uint8_t[lanes];

// What is compared with no number holds for those that say so: those whose names end in `u`, and `ne` never.
struct Equal {
  template <typename T> static bool apply(T a, T b) { return a == b; }
};
struct NotEqual {
  template <typename T> static bool apply(T a, T b) { return a < b || a > b; }
};
struct Less {
  template <typename T> static bool apply(T a, T b) { return a < b; }
};
struct LessEqual {
  template <typename T> static bool apply(T a, T b) { return a <= b; }
};
struct Greater {
  template <typename T> static bool apply(T a, T b) { return a > b; }
};
struct GreaterEqual {
  template <typename T> static bool apply(T a, T b) { return a >= b; }
};
struct Ordered {
  template <typename T> static bool apply(T a, T b) { return a == a && b == b; }
};
/// The opposite of another: `ltu` is not `ge`.
template <typename Op> struct Opposite {
  template <typename T> static bool apply(T a, T b) { return !Op::apply(a, b); }
};
/// With subnormal numbers as 0.
template <typename Op> struct Flushed {
  static bool apply(float a, float b) { return Op::apply(flush(a), flush(b)); }
};
} // namespace

/// Combines with a third operand and writes what the instruction wants.
static void finishCompare(const Instruction &instruction, Warp &warp, uint32_t mask, Results &results) {
  Results opposite;
  const uint8_t *third = instruction.slots[3] == noSlot ? nullptr : warp.at<uint8_t>(instruction.slots[3]);
  Combine combine = static_cast<Combine>(instruction.target);
  for (unsigned lane = 0; lane < lanes; ++lane) {
    uint8_t result = results[lane], c = third ? third[lane] : 0, other = !result;
    results[lane] = combine == Combine::None  ? result
                    : combine == Combine::And ? result & c
                    : combine == Combine::Or  ? result | c
                                              : result ^ c;
    opposite[lane] = combine == Combine::None  ? other
                     : combine == Combine::And ? other & c
                     : combine == Combine::Or  ? other | c
                                               : other ^ c;
  }
  Slot slot = instruction.slots[0];
  switch (static_cast<Truth>(instruction.elementBytes)) {
  case Truth::Predicate:
    setLanes<uint8_t>(warp, slot, mask, [&](unsigned lane) { return results[lane]; });
    if (instruction.slots[4] != noSlot)
      setLanes<uint8_t>(warp, instruction.slots[4], mask, [&](unsigned lane) { return opposite[lane]; });
    return;
  case Truth::Ones32:
    return setLanes<uint32_t>(warp, slot, mask, [&](unsigned lane) { return results[lane] ? UINT32_MAX : 0; });
  case Truth::One32:
    return setLanes<float>(warp, slot, mask, [&](unsigned lane) { return results[lane] ? 1.0f : 0.0f; });
  case Truth::Ones16:
    return setLanes<uint16_t>(warp, slot, mask, [&](unsigned lane) { return results[lane] ? 0xffff : 0; });
  case Truth::One16:
    return setLanes<uint16_t>(warp, slot, mask, [&](unsigned lane) { return results[lane] ? 0x3c00 : 0; });
  case Truth::OneBf16:
    return setLanes<uint16_t>(warp, slot, mask, [&](unsigned lane) { return results[lane] ? 0x3f80 : 0; });
  }
}

template <typename Op, typename T> static void runCompare(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *a = warp.at<T>(instruction.slots[1]), *b = warp.at<T>(instruction.slots[2]);
  using Compared = std::conditional_t<isNarrow<T>, float, T>;
  if (instruction.target == 0 && instruction.elementBytes == 0 && instruction.slots[4] == noSlot)
    return setLanes<uint8_t>(warp, instruction.slots[0], mask, [=](unsigned lane) {
      return static_cast<uint8_t>(Op::apply(static_cast<Compared>(a[lane]), static_cast<Compared>(b[lane])));
    });
  Results results;
  for (unsigned lane = 0; lane < lanes; ++lane)
    results[lane] = Op::apply(static_cast<Compared>(a[lane]), static_cast<Compared>(b[lane]));
  finishCompare(instruction, warp, mask, results);
}

/// Of two halves: the lower one's result, and the upper one's.
template <typename Op, typename T>
static void runComparePairs(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const Pair<T> *a = warp.at<Pair<T>>(instruction.slots[1]), *b = warp.at<Pair<T>>(instruction.slots[2]);
  for (unsigned half = 0; half < 2; ++half)
    setLanes<uint8_t>(warp, instruction.slots[half ? 4 : 0], mask, [=](unsigned lane) -> uint8_t {
      return Op::apply(static_cast<float>(a[lane][half]), static_cast<float>(b[lane][half]));
    });
}

template <typename Op> static Handler getCompare(Type type, bool flushes) {
  if (type == Type::F16x2)
    return &runComparePairs<Op, Half>;
  if (type == Type::Bf16x2)
    return &runComparePairs<Op, Bfloat>;
  if (type == Type::F32 && flushes)
    return &runCompare<Flushed<Op>, float>;
  if (isFloat(type))
    return forFloat(type, []<typename T>(std::type_identity<T>) { return &runCompare<Op, T>; });
  return forInteger(type, []<typename T>(std::type_identity<T>) { return &runCompare<Op, T>; });
}

namespace {
struct Row {
  std::string_view name;
  Handler (*get)(Type, bool);
  bool isForFloats, isForIntegers;
};
} // namespace

static constexpr Row rows[] = {{"eq", &getCompare<Equal>, true, true},
                               {"ne", &getCompare<NotEqual>, true, true},
                               {"lt", &getCompare<Less>, true, true},
                               {"le", &getCompare<LessEqual>, true, true},
                               {"gt", &getCompare<Greater>, true, true},
                               {"ge", &getCompare<GreaterEqual>, true, true},
                               {"lo", &getCompare<Less>, false, true},
                               {"ls", &getCompare<LessEqual>, false, true},
                               {"hi", &getCompare<Greater>, false, true},
                               {"hs", &getCompare<GreaterEqual>, false, true},
                               {"equ", &getCompare<Opposite<NotEqual>>, true, false},
                               {"neu", &getCompare<Opposite<Equal>>, true, false},
                               {"ltu", &getCompare<Opposite<GreaterEqual>>, true, false},
                               {"leu", &getCompare<Opposite<Greater>>, true, false},
                               {"gtu", &getCompare<Opposite<LessEqual>>, true, false},
                               {"geu", &getCompare<Opposite<Less>>, true, false},
                               {"num", &getCompare<Ordered>, true, false},
                               {"nan", &getCompare<Opposite<Ordered>>, true, false}};

/// Sets the handler from the comparison and the type of what is compared, and the third operand, if there is one.
static void setCompare(Assembly &assembly, const Row *row, Type type) {
  Instruction &instruction = assembly.instruction;
  bool flushes = assembly.take("ftz");
  Combine combine = assembly.take("and")   ? Combine::And
                    : assembly.take("or")  ? Combine::Or
                    : assembly.take("xor") ? Combine::Xor
                                           : Combine::None;
  if (!assembly.expect(combine == Combine::None ? 3 : 4))
    return;
  instruction.target = static_cast<uint32_t>(combine);
  instruction.slots[1] = assembly.read(1, type);
  instruction.slots[2] = assembly.read(2, type);
  instruction.slots[3] = combine == Combine::None ? noSlot : assembly.read(3, Type::Pred);
  if (row && (isFloat(type) ? row->isForFloats : row->isForIntegers))
    assembly.set(row->get(type, flushes));
}

Handler getEqual32() { return &runCompare<Equal, uint32_t>; }

static const Row *takeComparison(Assembly &assembly) {
  for (const Row &row : rows)
    if (assembly.take(row.name))
      return &row;
  assembly.fail("there is no comparison");
  return nullptr;
}

void decodeSetp(Assembly &assembly) {
  const Row *row = takeComparison(assembly);
  Type type = assembly.takeType();
  bool isPair = type == Type::F16x2 || type == Type::Bf16x2;
  setCompare(assembly, row, type);
  if (assembly.count() < 3)
    return;
  Instruction &instruction = assembly.instruction;
  instruction.slots[0] = assembly.write(0, Type::Pred);
  instruction.slots[4] = assembly.writeSecond(0, Type::Pred);
  if (isPair && (instruction.slots[4] == noSlot || instruction.target != 0))
    assembly.fail("expected two results and two operands");
  assembly.finish();
}

static std::optional<Truth> getTruth(Type type) {
  switch (type) {
  case Type::U32:
  case Type::S32:
    return Truth::Ones32;
  case Type::F32:
    return Truth::One32;
  case Type::U16:
  case Type::S16:
    return Truth::Ones16;
  case Type::F16:
    return Truth::One16;
  case Type::Bf16:
    return Truth::OneBf16;
  default:
    return std::nullopt;
  }
}

void decodeSet(Assembly &assembly) {
  const Row *row = takeComparison(assembly);
  Type result = assembly.takeType();
  Type type = assembly.takeType();
  if (type == Type::F16x2 || type == Type::Bf16x2)
    return assembly.fail("pairs are compared by `setp` only");
  setCompare(assembly, row, type);
  std::optional<Truth> truth = getTruth(result);
  if (!truth || assembly.count() < 3)
    return assembly.fail("unknown type of a result");
  assembly.instruction.elementBytes = static_cast<uint8_t>(*truth);
  assembly.instruction.slots[4] = noSlot;
  assembly.instruction.slots[0] = assembly.write(0, result);
  assembly.finish();
}

namespace {
struct Select {
  template <typename T> static T apply(T a, T b, uint8_t c) { return c ? a : b; }
};
struct SelectSign {
  template <typename T, typename C> static T apply(T a, T b, C c) { return c >= 0 ? a : b; }
};
} // namespace

template <typename Op, typename C> static Handler getChoice(Type type) {
  switch (getBytes(type)) {
  case 2:
    return &runTernary<Op, uint16_t, uint16_t, uint16_t, C>;
  case 4:
    return &runTernary<Op, uint32_t, uint32_t, uint32_t, C>;
  case 8:
    return &runTernary<Op, uint64_t, uint64_t, uint64_t, C>;
  default:
    return nullptr;
  }
}

void decodeSelect(Assembly &assembly) {
  Type type = assembly.takeType();
  assembly.setOperands({type, type, type, Type::Pred});
  assembly.set(getChoice<Select, uint8_t>(type));
  assembly.finish();
}

void decodeSelectSign(Assembly &assembly) {
  Type type = assembly.takeType(), sign = assembly.takeType();
  assembly.setOperands({type, type, type, sign});
  if (sign == Type::S32)
    assembly.set(getChoice<SelectSign, int32_t>(type));
  else if (sign == Type::F32)
    assembly.set(getChoice<SelectSign, float>(type));
  assembly.finish();
}

} // namespace quern::ptx
