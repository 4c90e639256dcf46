//===- Move.cpp - copies of registers, and addresses -------------------------------------------===//

#include "test/ptx/instructions/Decoders.h"

namespace quern::ptx {

template <typename T> static void runMove(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *a = warp.at<T>(instruction.slots[1]);
  setLanes<T>(warp, instruction.slots[0], mask, [=](unsigned lane) { return a[lane]; });
}

/// `count` parts of a register, the lowest first, each a register of its own.
template <typename T> static void runPack(const Instruction &instruction, Warp &warp, uint32_t mask) {
  unsigned count = instruction.count;
  T *result = warp.at<T>(instruction.slots[0]);
  T values[4][lanes];
  for (unsigned i = 0; i < count; ++i)
    std::memcpy(values[i], warp.at<T>(instruction.slots[1 + i]), sizeof(values[i]));
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    for (unsigned i = 0; i < count; ++i)
      result[firstLane(rest) * count + i] = values[i][firstLane(rest)];
}

template <typename T> static void runUnpack(const Instruction &instruction, Warp &warp, uint32_t mask) {
  unsigned count = instruction.count;
  T values[4 * lanes];
  std::memcpy(values, warp.at<T>(instruction.slots[0]), sizeof(T) * lanes * count);
  for (unsigned i = 0; i < count; ++i)
    setLanes<T>(warp, instruction.slots[1 + i], mask, [&](unsigned lane) { return values[lane * count + i]; });
}

/// The handler for parts of `bytes` bytes.
static Handler getForParts(bool isPack, unsigned bytes) {
  switch (bytes) {
  case 1:
    return isPack ? &runPack<uint8_t> : &runUnpack<uint8_t>;
  case 2:
    return isPack ? &runPack<uint16_t> : &runUnpack<uint16_t>;
  case 4:
    return isPack ? &runPack<uint32_t> : &runUnpack<uint32_t>;
  default:
    return nullptr;
  }
}

static std::optional<Type> getPart(unsigned bytes) {
  switch (bytes) {
  case 1:
    return Type::B8;
  case 2:
    return Type::B16;
  case 4:
    return Type::B32;
  default:
    return std::nullopt;
  }
}

/// `mov.b32 %r, {%rs1, %rs2}` or the reverse.
static void decodeParts(Assembly &assembly, Type type, bool isPack) {
  size_t list = isPack ? 1 : 0;
  size_t count = assembly.getOperand(list).parts.size();
  std::optional<Type> part =
      count == 2 || count == 4 ? getPart(getBytes(type) / static_cast<unsigned>(count)) : std::nullopt;
  if (!part)
    return assembly.fail("there are " + std::to_string(count) + " parts, expected 2 or 4");
  assembly.instruction.count = static_cast<uint8_t>(count);
  if (isPack) {
    assembly.instruction.slots[0] = assembly.write(0, type);
    assembly.readList(1, *part, 1, static_cast<unsigned>(count));
  } else {
    assembly.instruction.slots[0] = assembly.read(1, type);
    assembly.writeList(0, *part, 1, static_cast<unsigned>(count));
  }
  assembly.set(getForParts(isPack, getBytes(*part)));
  assembly.finish();
}

void decodeMove(Assembly &assembly) {
  Type type = assembly.takeType();
  if (!assembly.expect(2))
    return;
  if (assembly.getOperand(0).kind == Operand::Kind::List)
    return decodeParts(assembly, type, false);
  if (assembly.getOperand(1).kind == Operand::Kind::List)
    return decodeParts(assembly, type, true);
  // `mov.u64 %rd, %r` of a special register of 32 bits does not occur.
  assembly.setOperands({type, type});
  switch (getBytes(type)) {
  case 1:
    assembly.set(type == Type::Pred ? &runMove<uint8_t> : nullptr);
    break;
  case 2:
    assembly.set(&runMove<uint16_t>);
    break;
  case 4:
    assembly.set(&runMove<uint32_t>);
    break;
  default:
    assembly.set(&runMove<uint64_t>);
    break;
  }
  assembly.finish();
}

static uint64_t getWindow(Space space) {
  switch (space) {
  case Space::Shared:
    return sharedWindow;
  case Space::Local:
    return localWindow;
  case Space::Param:
    return paramWindow;
  default:
    return 0;
  }
}

static void runAddOffset(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const uint64_t *a = warp.at<uint64_t>(instruction.slots[1]);
  uint64_t offset = static_cast<uint64_t>(instruction.offset);
  setLanes<uint64_t>(warp, instruction.slots[0], mask, [=](unsigned lane) { return a[lane] + offset; });
}

/// To a generic address, or with `.to` from one.
void decodeConvertAddress(Assembly &assembly) {
  bool isTo = assembly.take("to");
  uint64_t window = getWindow(takeSpace(assembly));
  Type type = assembly.takeType();
  assembly.setOperands({type, type});
  assembly.instruction.offset = static_cast<int64_t>(isTo ? -window : window);
  assembly.set(type == Type::U64 ? &runAddOffset : nullptr);
  assembly.finish();
}

static void runIsSpace(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const uint64_t *a = warp.at<uint64_t>(instruction.slots[1]);
  uint64_t window = static_cast<uint64_t>(instruction.offset) >> windowShift;
  setLanes<uint8_t>(warp, instruction.slots[0], mask,
                    [=](unsigned lane) -> uint8_t { return a[lane] >> windowShift == window; });
}

void decodeIsSpace(Assembly &assembly) {
  assembly.instruction.offset = static_cast<int64_t>(getWindow(takeSpace(assembly)));
  assembly.setOperands({Type::Pred, Type::U64});
  assembly.set(&runIsSpace);
  assembly.finish();
}

} // namespace quern::ptx
