//===- WarpWide.cpp - values that lanes exchange -----------------------------------------------===//

#include "test/ptx/instructions/Decoders.h"

#include <algorithm>

namespace quern::ptx {

namespace {
enum class Shuffle : uint32_t { Up, Down, Butterfly, Index };
enum class Vote : uint32_t { All, Any, Uniform, Ballot };
} // namespace

/// The lane that `lane` reads from, and whether it is within the segment (the PTX manual, shfl.sync).
static std::pair<unsigned, bool> getSource(Shuffle kind, unsigned lane, uint32_t b, uint32_t c) {
  unsigned clamp = c & 31, segments = c >> 8 & 31;
  unsigned last = (lane & segments) | (clamp & ~segments), first = lane & segments;
  int64_t from = 0, self = lane;
  b &= 31;
  bool isInside = false;
  switch (kind) {
  case Shuffle::Up:
    from = self - b;
    isInside = from >= static_cast<int64_t>(last);
    break;
  case Shuffle::Down:
    from = self + b;
    isInside = from <= static_cast<int64_t>(last);
    break;
  case Shuffle::Butterfly:
    from = self ^ b;
    isInside = from <= static_cast<int64_t>(last);
    break;
  case Shuffle::Index:
    from = first | (b & ~segments);
    isInside = from <= static_cast<int64_t>(last);
    break;
  }
  return {isInside ? static_cast<unsigned>(from) : lane, isInside};
}

/// What a lane gives that does not take part is not certain: all ones.
static void runShuffle(const Instruction &instruction, Warp &warp, uint32_t mask) {
  uint32_t values[lanes];
  std::memcpy(values, warp.at<uint32_t>(instruction.slots[1]), sizeof(values));
  const uint32_t *b = warp.at<uint32_t>(instruction.slots[2]), *c = warp.at<uint32_t>(instruction.slots[3]);
  std::pair<unsigned, bool> sources[lanes];
  for (unsigned lane = 0; lane < lanes; ++lane)
    sources[lane] = getSource(static_cast<Shuffle>(instruction.target), lane, b[lane], c[lane]);
  if (instruction.slots[4] != noSlot)
    setLanes<uint8_t>(warp, instruction.slots[4], mask, [&](unsigned lane) { return sources[lane].second; });
  setLanes<uint32_t>(warp, instruction.slots[0], mask, [&](unsigned lane) {
    unsigned from = sources[lane].first;
    return mask >> from & 1 ? values[from] : UINT32_MAX;
  });
}

/// The operand with the lanes that must come.
static void setMembers(Assembly &assembly, size_t i) {
  assembly.instruction.flow = Flow::Gather;
  assembly.instruction.members = assembly.read(i, Type::B32);
}

void decodeShuffle(Assembly &assembly) {
  static constexpr std::pair<std::string_view, Shuffle> names[] = {
      {"up", Shuffle::Up}, {"down", Shuffle::Down}, {"bfly", Shuffle::Butterfly}, {"idx", Shuffle::Index}};
  if (!assembly.take("sync") || !assembly.take("b32"))
    return assembly.fail("only `shfl.sync` of `.b32` is supported");
  if (!assembly.expect(5))
    return;
  for (auto [name, kind] : names)
    if (assembly.take(name)) {
      assembly.instruction.target = static_cast<uint32_t>(kind);
      assembly.set(&runShuffle);
    }
  assembly.instruction.slots[4] = assembly.writeSecond(0, Type::Pred);
  assembly.instruction.slots[0] = assembly.write(0, Type::B32);
  for (size_t i = 1; i < 4; ++i)
    assembly.instruction.slots[i] = assembly.read(i, Type::B32);
  setMembers(assembly, 4);
  assembly.finish();
}

static void runVote(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const uint8_t *predicate = warp.at<uint8_t>(instruction.slots[1]);
  uint32_t votes = 0;
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    votes |= uint32_t{predicate[firstLane(rest)] != 0} << firstLane(rest);
  Vote kind = static_cast<Vote>(instruction.target);
  if (kind == Vote::Ballot)
    return setLanes<uint32_t>(warp, instruction.slots[0], mask, [=](unsigned) { return votes; });
  bool result = kind == Vote::All ? votes == mask : kind == Vote::Any ? votes != 0 : votes == mask || votes == 0;
  setLanes<uint8_t>(warp, instruction.slots[0], mask, [=](unsigned) { return result; });
}

void decodeVote(Assembly &assembly) {
  static constexpr std::pair<std::string_view, Vote> names[] = {
      {"all", Vote::All}, {"any", Vote::Any}, {"uni", Vote::Uniform}, {"ballot", Vote::Ballot}};
  if (!assembly.take("sync"))
    return assembly.fail("only `vote.sync` is supported");
  if (!assembly.expect(3))
    return;
  Type result = assembly.takeType();
  for (auto [name, kind] : names)
    if (assembly.take(name) && (kind == Vote::Ballot) == (result == Type::B32)) {
      assembly.instruction.target = static_cast<uint32_t>(kind);
      assembly.set(&runVote);
    }
  assembly.instruction.slots[0] = assembly.write(0, result);
  assembly.instruction.slots[1] = assembly.read(1, Type::Pred);
  setMembers(assembly, 2);
  assembly.finish();
}

namespace {
struct Add {
  template <typename T> static T apply(T a, T b) { return a + b; }
};
struct Min {
  template <typename T> static T apply(T a, T b) { return std::min(a, b); }
};
struct Max {
  template <typename T> static T apply(T a, T b) { return std::max(a, b); }
};
struct And {
  template <typename T> static T apply(T a, T b) { return a & b; }
};
struct Or {
  template <typename T> static T apply(T a, T b) { return a | b; }
};
struct Xor {
  template <typename T> static T apply(T a, T b) { return a ^ b; }
};
} // namespace

template <typename Op, typename T> static void runRedux(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *values = warp.at<T>(instruction.slots[1]);
  T result = values[firstLane(mask)];
  for (uint32_t rest = mask & (mask - 1); rest; rest &= rest - 1)
    result = Op::apply(result, values[firstLane(rest)]);
  setLanes<T>(warp, instruction.slots[0], mask, [=](unsigned) { return result; });
}

template <typename Op> static void takeRedux(Assembly &assembly, std::string_view name, Type type) {
  if (!assembly.take(name))
    return;
  // The sum of signed numbers wraps around as that of others.
  if (type == Type::S32 && !std::is_same_v<Op, Add>)
    assembly.set(&runRedux<Op, int32_t>);
  else if (getBytes(type) == 4 && !isFloat(type))
    assembly.set(&runRedux<Op, uint32_t>);
}

void decodeRedux(Assembly &assembly) {
  if (!assembly.take("sync") || !assembly.expect(3))
    return assembly.fail("expected `redux.sync` with three operands");
  Type type = assembly.takeType();
  takeRedux<Add>(assembly, "add", type);
  takeRedux<Min>(assembly, "min", type);
  takeRedux<Max>(assembly, "max", type);
  takeRedux<And>(assembly, "and", type);
  takeRedux<Or>(assembly, "or", type);
  takeRedux<Xor>(assembly, "xor", type);
  assembly.instruction.slots[0] = assembly.write(0, type);
  assembly.instruction.slots[1] = assembly.read(1, type);
  setMembers(assembly, 2);
  assembly.finish();
}

static void runActiveMask(const Instruction &instruction, Warp &warp, uint32_t mask) {
  setLanes<uint32_t>(warp, instruction.slots[0], mask, [=](unsigned) { return mask; });
}

void decodeActiveMask(Assembly &assembly) {
  assembly.take("b32");
  if (!assembly.expect(1))
    return;
  assembly.instruction.slots[0] = assembly.write(0, Type::B32);
  assembly.set(&runActiveMask);
  assembly.finish();
}

} // namespace quern::ptx
