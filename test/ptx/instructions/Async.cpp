//===- Async.cpp - copies to shared memory that are waited for ---------------------------------===//

#include "test/ptx/instructions/Decoders.h"

#include <algorithm>
#include <cstdio>

namespace quern::ptx {

/// What is to be read: all of it, unless an operand says less, or that it is to be ignored.
static uint32_t getSourceBytes(const Instruction &instruction, Warp &warp, unsigned lane) {
  uint32_t bytes = instruction.count;
  if (instruction.slots[3] != noSlot && warp.at<uint8_t>(instruction.slots[3])[lane])
    return 0;
  return instruction.slots[2] == noSlot ? bytes : std::min(bytes, warp.at<uint32_t>(instruction.slots[2])[lane]);
}

/// Where in this process a copy reads from; false, with a fault, if it may not.
static bool findSource(const Instruction &instruction, Warp &warp, unsigned lane, uint32_t bytes,
                       const std::byte *&from) {
  uint64_t base = instruction.slots[1] == noSlot ? 0 : warp.at<uint64_t>(instruction.slots[1])[lane];
  uint64_t address = base + static_cast<uint64_t>(instruction.secondOffset);
  char text[64];
  std::snprintf(text, sizeof(text), "%u bytes of global memory at 0x%llx: ", bytes,
                static_cast<unsigned long long>(address));
  if (address % instruction.count != 0) {
    warp.fail(instruction, lane, Status::MisalignedAddress, text + std::string("the address is misaligned"));
    return false;
  }
  if (bytes == 0)
    return true;
  Range &range = warp.block.ranges[warp.getNumber(instruction)];
  if (!range.holds(address, bytes))
    range = warp.block.memory->find(address, bytes);
  if (!range.host) {
    char near[96];
    warp.block.memory->describe(address, near, sizeof(near));
    warp.fail(instruction, lane, Status::IllegalAddress, text + std::string(near));
    return false;
  }
  from = range.at(address);
  return true;
}

/// The target is filled with 0xff until the copy is waited for, so that who reads too early finds no numbers. What is
/// copied is read then.
static void runCopy(const Instruction &instruction, Warp &warp, uint32_t mask) {
  uint32_t bytes = instruction.count;
  std::array<std::byte *, lanes> to;
  if (!resolveShared(instruction, warp, mask, bytes, to))
    return;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned lane = firstLane(rest);
    uint32_t fromBytes = getSourceBytes(instruction, warp, lane);
    const std::byte *from = nullptr;
    if (!findSource(instruction, warp, lane, fromBytes, from))
      return;
    std::fill_n(to[lane], bytes, std::byte{0xff});
    warp.copies.push_back({lane, warp.group[lane], to[lane], from, bytes, fromBytes});
    warp.block.bytesRead += fromBytes;
  }
}

static void runCommit(const Instruction &, Warp &warp, uint32_t mask) {
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    ++warp.group[firstLane(rest)];
}

/// Carries out the copies of all but the last `target` groups of each lane; UINT32_MAX: all, also those in no group.
static void runWait(const Instruction &instruction, Warp &warp, uint32_t mask) {
  auto isWaitedFor = [&](const Warp::Copy &copy) {
    bool isComplete =
        instruction.target == UINT32_MAX || uint64_t{copy.group} + instruction.target < warp.group[copy.lane];
    return (mask >> copy.lane & 1) && isComplete;
  };
  for (const Warp::Copy &copy : warp.copies) {
    if (!isWaitedFor(copy))
      continue;
    if (copy.fromBytes)
      std::memcpy(copy.to, copy.from, copy.fromBytes);
    std::fill(copy.to + copy.fromBytes, copy.to + copy.bytes, std::byte{0});
  }
  std::erase_if(warp.copies, isWaitedFor);
}

/// `cp.async.cg.shared.global [to], [from], 16{, bytes to read}`
static void decodeCopy(Assembly &assembly) {
  bool onlySixteen = assembly.take("cg");
  if (!onlySixteen && !assembly.take("ca"))
    return assembly.fail("expected `.ca` or `.cg`");
  assembly.skip({"L2::64B", "L2::128B", "L2::256B"});
  if (!(assembly.take("shared") || assembly.take("shared::cta")) || !assembly.take("global"))
    return assembly.fail("expected `.shared.global`");
  if (!assembly.expect(3, 4))
    return;
  Instruction &instruction = assembly.instruction;
  assembly.setAddress(1, Space::Global);
  if (instruction.addressBytes == 4)
    return assembly.fail("expected an address of 64 bits");
  instruction.slots[1] = instruction.addressBytes ? instruction.address : noSlot;
  instruction.secondOffset = instruction.offset;
  instruction.addressBytes = 0;
  assembly.setAddress(0, Space::Shared);
  instruction.slots[2] = instruction.slots[3] = noSlot;
  if (assembly.count() == 4 && assembly.getOperand(3).kind == Operand::Kind::Name) {
    std::optional<Symbol> symbol = assembly.decoder.find(assembly.getOperand(3).name, assembly.getStatement().line);
    bool ignores = symbol && symbol->type == Type::Pred;
    instruction.slots[ignores ? 3 : 2] = assembly.read(3, ignores ? Type::Pred : Type::U32);
  } else if (assembly.count() == 4) {
    instruction.slots[2] = assembly.read(3, Type::U32);
  }
  uint64_t bytes = assembly.getOperand(2).bits;
  if (bytes != 16 && (onlySixteen || (bytes != 4 && bytes != 8)))
    return assembly.fail("copies have 4, 8 or 16 bytes, and 16 with `.cg`");
  instruction.count = static_cast<uint8_t>(bytes);
  assembly.set(&runCopy);
  assembly.finish();
}

void decodeCopyAsync(Assembly &assembly) {
  if (!assembly.take("async"))
    return assembly.fail("only `cp.async` is supported");
  if (assembly.take("commit_group")) {
    assembly.set(&runCommit);
    return assembly.finish();
  }
  bool waitsForAll = assembly.take("wait_all");
  if (!waitsForAll && !assembly.take("wait_group"))
    return decodeCopy(assembly);
  if (!assembly.expect(waitsForAll ? 0 : 1))
    return;
  if (!waitsForAll && assembly.getOperand(0).kind != Operand::Kind::Integer)
    return assembly.fail("expected a number of groups");
  assembly.instruction.target =
      waitsForAll ? UINT32_MAX : static_cast<uint32_t>(std::min<uint64_t>(assembly.getOperand(0).bits, INT32_MAX));
  assembly.set(&runWait);
  assembly.finish();
}

} // namespace quern::ptx
