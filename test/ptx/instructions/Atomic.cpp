//===- Atomic.cpp - atomic operations on memory ------------------------------------------------===//

#include "test/ptx/Number.h"
#include "test/ptx/instructions/Decoders.h"

#include <algorithm>
#include <atomic>

namespace quern::ptx {

namespace {
struct Exchange {
  template <typename T> static T apply(T, T b, T) { return b; }
};
struct CompareAndSwap {
  template <typename T> static T apply(T old, T b, T c) { return old == b ? c : old; }
};
struct Add {
  template <typename T> static T apply(T old, T b, T) {
    if constexpr (isNarrow<T>)
      return static_cast<T>(static_cast<float>(old) + static_cast<float>(b));
    else if constexpr (std::is_floating_point_v<T>)
      return old + b;
    else
      return static_cast<T>(static_cast<std::make_unsigned_t<T>>(old) + static_cast<std::make_unsigned_t<T>>(b));
  }
};
struct Min {
  template <typename T> static T apply(T old, T b, T) { return std::min(old, b); }
};
struct Max {
  template <typename T> static T apply(T old, T b, T) { return std::max(old, b); }
};
struct And {
  template <typename T> static T apply(T old, T b, T) { return old & b; }
};
struct Or {
  template <typename T> static T apply(T old, T b, T) { return old | b; }
};
struct Xor {
  template <typename T> static T apply(T old, T b, T) { return old ^ b; }
};
struct Increment {
  template <typename T> static T apply(T old, T b, T) { return old >= b ? 0 : old + 1; }
};
struct Decrement {
  template <typename T> static T apply(T old, T b, T) { return old == 0 || old > b ? b : old - 1; }
};
/// Each half for itself.
template <typename T> struct AddPair {
  static uint32_t apply(uint32_t old, uint32_t b, uint32_t) {
    using Pair = std::array<T, 2>;
    Pair x = std::bit_cast<Pair>(old), y = std::bit_cast<Pair>(b);
    return std::bit_cast<uint32_t>(Pair{Add::apply(x[0], y[0], y[0]), Add::apply(x[1], y[1], y[1])});
  }
};
} // namespace

/// One lane after the other: the order is not certain on a device.
template <typename Op, typename T> static void runAtomic(const Instruction &instruction, Warp &warp, uint32_t mask) {
  using Bits = Unsigned<sizeof(T)>;
  std::array<std::byte *, lanes> places;
  if (!resolve(instruction, warp, mask, sizeof(T), places))
    return;
  const T *b = warp.at<T>(instruction.slots[1]), *c = warp.at<T>(instruction.slots[2]);
  T *result = warp.at<T>(instruction.slots[0]);
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned lane = firstLane(rest);
    std::atomic_ref<Bits> place(*reinterpret_cast<Bits *>(places[lane]));
    Bits old = place.load(), value;
    do
      value = bitsOf(Op::apply(std::bit_cast<T>(old), b[lane], c[lane]));
    while (!place.compare_exchange_weak(old, value));
    result[lane] = std::bit_cast<T>(old);
  }
}

template <typename Op> static Handler forIntegers(Type type) {
  return forInteger(type, []<typename T>(std::type_identity<T>) -> Handler {
    if constexpr (sizeof(T) >= 4)
      return &runAtomic<Op, T>;
    return nullptr;
  });
}

static Handler getAdd(Type type) {
  switch (type) {
  case Type::F32:
    return &runAtomic<Add, float>;
  case Type::F64:
    return &runAtomic<Add, double>;
  case Type::F16:
    return &runAtomic<Add, Half>;
  case Type::F16x2:
    return &runAtomic<AddPair<Half>, uint32_t>;
  case Type::Bf16x2:
    return &runAtomic<AddPair<Bfloat>, uint32_t>;
  default:
    return forIntegers<Add>(type);
  }
}

static Handler getCompareAndSwap(Type type) {
  return type == Type::B16 ? &runAtomic<CompareAndSwap, uint16_t> : forIntegers<CompareAndSwap>(type);
}

static Handler getIncrement(Type type) { return type == Type::U32 ? &runAtomic<Increment, uint32_t> : nullptr; }
static Handler getDecrement(Type type) { return type == Type::U32 ? &runAtomic<Decrement, uint32_t> : nullptr; }

namespace {
struct Row {
  std::string_view name;
  Handler (*get)(Type);
  unsigned operands;
};
} // namespace

static constexpr Row rows[] = {{"exch", &forIntegers<Exchange>, 1},
                               {"cas", &getCompareAndSwap, 2},
                               {"add", &getAdd, 1},
                               {"min", &forIntegers<Min>, 1},
                               {"max", &forIntegers<Max>, 1},
                               {"and", &forIntegers<And>, 1},
                               {"or", &forIntegers<Or>, 1},
                               {"xor", &forIntegers<Xor>, 1},
                               {"inc", &getIncrement, 1},
                               {"dec", &getDecrement, 1}};

/// [result,] [address], operands…
static void decode(Assembly &assembly, bool hasResult) {
  Space space = takeSpace(assembly);
  skipCaching(assembly);
  assembly.take("noftz");
  const Row *row = nullptr;
  for (const Row &candidate : rows)
    if (!row && assembly.take(candidate.name))
      row = &candidate;
  if (!row)
    return assembly.fail("unknown operation");
  Type type = assembly.takeType();
  size_t at = hasResult ? 1 : 0;
  if (!assembly.expect(at + 1 + row->operands))
    return;
  Instruction &instruction = assembly.instruction;
  instruction.slots[0] = hasResult ? assembly.write(0, type) : assembly.decoder.allocate(getBytes(type));
  assembly.setAddress(at, space);
  instruction.slots[1] = assembly.read(at + 1, type);
  instruction.slots[2] = row->operands == 2 ? assembly.read(at + 2, type) : instruction.slots[1];
  assembly.set(row->get(type));
  assembly.finish();
}

void decodeAtomic(Assembly &assembly) { decode(assembly, true); }
void decodeReduction(Assembly &assembly) { decode(assembly, false); }

} // namespace quern::ptx
