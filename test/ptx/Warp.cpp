//===- Warp.cpp - 32 threads that execute together ---------------------------------------------===//

#include "test/ptx/Warp.h"

#include <algorithm>
#include <cstdio>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace quern::ptx {

/// Registers that nothing was written to, as memory.
static constexpr int unwritten = 0xff;

/// The lanes whose byte is not 0.
static uint32_t gatherBits(const uint8_t *bytes) {
#if defined(__AVX2__)
  __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(bytes));
  return ~static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(values, _mm256_setzero_si256())));
#else
  uint32_t bits = 0;
  for (unsigned lane = 0; lane < lanes; ++lane)
    bits |= uint32_t{bytes[lane] != 0} << lane;
  return bits;
#endif
}

void Warp::prepare(unsigned warp) {
  const Kernel &kernel = *block.kernel;
  number = warp;
  uint32_t left = block.countThreads() - warp * lanes;
  existing = left >= lanes ? allLanes : (uint32_t{1} << left) - 1;
  file.resize(size_t{kernel.constantBytes} + kernel.registerBytes);
  local.resize(size_t{kernel.localBytes} * lanes);
  registers = file.data() + kernel.constantBytes;
  for (const Kernel::Constant &constant : kernel.constants)
    for (unsigned lane = 0; lane < lanes; ++lane)
      std::memcpy(registers + constant.slot + lane * constant.bytes, &constant.bits, constant.bytes);
}

void Warp::start() {
  std::memset(registers, unwritten, block.kernel->registerBytes);
  std::fill(local.begin(), local.end(), std::byte{unwritten});
  setSpecials();
  alive = existing;
  waiting = parked = aligned = 0;
  place.fill(0);
  copies.clear();
  group.fill(0);
}

static uint32_t getSpecial(const BlockState &block, Special special, uint32_t warp, uint32_t lane) {
  uint32_t thread = warp * lanes + lane, bit = uint32_t{1} << lane;
  uint32_t x = block.threads[0], y = block.threads[1];
  const uint32_t values[] = {
      thread % x, thread / x % y, thread / x / y, block.threads[0], block.threads[1], block.threads[2], block.index[0],
      block.index[1], block.index[2], block.grid[0], block.grid[1], block.grid[2],
      // Of the lane; then the size of shared memory.
      lane, warp, lanes, bit, bit - 1, bit | (bit - 1), ~(bit | (bit - 1)), ~(bit - 1), block.dynamicShared};
  return values[static_cast<unsigned>(special)];
}

void Warp::setSpecials() {
  for (const Kernel::SpecialSlot &special : block.kernel->specials)
    for (unsigned lane = 0; lane < lanes; ++lane)
      at<uint32_t>(special.slot)[lane] = getSpecial(block, special.special, number, lane);
}

static std::string format(const Extent &extent) {
  return "(" + std::to_string(extent[0]) + ", " + std::to_string(extent[1]) + ", " + std::to_string(extent[2]) + ")";
}

void Warp::fail(const Instruction &instruction, unsigned lane, Status status, const std::string &text) {
  if (block.status != Status::Success)
    return;
  const Kernel::Text &place = block.kernel->texts[getNumber(instruction)];
  Extent thread;
  for (unsigned i = 0; i < 3; ++i)
    thread[i] = getSpecial(block, static_cast<Special>(i), number, lane);
  block.status = status;
  block.fault = "kernel `" + block.kernel->name + "`, line " + std::to_string(place.line) + ": `" + place.text +
                "` of thread " + format(thread) + " of block " + format(block.index) + ": " + text;
}

void Warp::setPlace(uint32_t group, uint32_t at) {
  for (uint32_t rest = group; rest; rest &= rest - 1)
    place[firstLane(rest)] = at;
}

uint32_t Warp::getEnabled(const Instruction &instruction, uint32_t group) {
  if (instruction.predicate == noSlot)
    return group;
  uint32_t bits = gatherBits(at<uint8_t>(instruction.predicate));
  return group & (instruction.negated ? ~bits : bits);
}

void Warp::run() {
  while (uint32_t ready = alive & ~waiting & ~parked) {
    uint32_t first = UINT32_MAX, stop = UINT32_MAX, group = 0;
    for (uint32_t rest = ready; rest; rest &= rest - 1)
      first = std::min(first, place[firstLane(rest)]);
    for (uint32_t rest = ready; rest; rest &= rest - 1) {
      unsigned lane = firstLane(rest);
      if (place[lane] == first)
        group |= uint32_t{1} << lane;
      else
        stop = std::min(stop, place[lane]);
    }
    step(group, first, stop);
    if (block.status != Status::Success)
      return;
  }
}

/// Executes from `at` on for the lanes of `group`, until they part, wait, end or reach `stop`, where others are.
void Warp::step(uint32_t group, uint32_t at, uint32_t stop) {
  const Instruction *code = block.kernel->code.data();
  uint64_t executed = 0;
  bool together = true;
  while (together && at < stop) {
    const Instruction &instruction = code[at];
    executed += static_cast<unsigned>(std::popcount(group));
    uint32_t enabled = getEnabled(instruction, group);
    if (instruction.flow == Flow::Plain) [[likely]] {
      if (enabled)
        instruction.run(instruction, *this, enabled);
      if (block.status != Status::Success) [[unlikely]]
        break;
      ++at;
      continue;
    }
    block.executed += executed;
    executed = 0;
    if (block.executed > block.limit)
      return fail(instruction, firstLane(group), Status::LaunchTimeout,
                  "the block has executed more than " + std::to_string(block.limit) + " instructions");
    switch (instruction.flow) {
    case Flow::Branch:
      together = branch(instruction, group, enabled, at);
      break;
    case Flow::Exit:
      together = exit(group, enabled, at);
      break;
    case Flow::Barrier:
      together = arrive(instruction, group, enabled, at);
      break;
    default:
      together = gather(instruction, group, enabled, at);
      break;
    }
  }
  block.executed += executed;
  if (together)
    setPlace(group, at);
}

// Each returns whether the lanes of `group`, which it may make fewer, go on together at `at`; if not, their places are
// set.

bool Warp::branch(const Instruction &instruction, uint32_t &group, uint32_t enabled, uint32_t &at) {
  if (enabled == group)
    at = instruction.target;
  else if (enabled == 0)
    ++at;
  else {
    setPlace(enabled, instruction.target);
    setPlace(group & ~enabled, at + 1);
    return false;
  }
  return true;
}

bool Warp::exit(uint32_t &group, uint32_t enabled, uint32_t &at) {
  alive &= ~enabled;
  group &= ~enabled;
  ++at;
  return group != 0;
}

bool Warp::arrive(const Instruction &instruction, uint32_t &group, uint32_t enabled, uint32_t &at) {
  constexpr uint32_t arriveOnly = 1, isAligned = 2;
  ++at;
  if (!enabled)
    return true;
  setPlace(group, at);
  for (uint32_t rest = enabled; rest; rest &= rest - 1) {
    unsigned lane = firstLane(rest);
    uint32_t id = this->at<uint32_t>(instruction.slots[0])[lane];
    uint32_t expected = instruction.slots[1] == noSlot ? 0 : this->at<uint32_t>(instruction.slots[1])[lane];
    if (id >= BlockState::barriers || expected % lanes != 0) {
      fail(instruction, lane, Status::IllegalInstruction,
           "no such barrier: " + std::to_string(id) + " of " + std::to_string(expected) + " threads");
      return false;
    }
    barrier[lane] = static_cast<uint8_t>(id);
    block.barrier[id].expected = expected;
    ++block.barrier[id].arrived;
  }
  if (!(instruction.target & arriveOnly))
    waiting |= enabled;
  aligned = instruction.target & isAligned ? aligned | enabled : aligned & ~enabled;
  return false;
}

bool Warp::gather(const Instruction &instruction, uint32_t &group, uint32_t enabled, uint32_t &at) {
  if (!enabled) {
    ++at;
    return true;
  }
  uint32_t here = enabled, done = 0;
  for (uint32_t rest = parked; rest; rest &= rest - 1)
    if (place[firstLane(rest)] == at)
      here |= uint32_t{1} << firstLane(rest);
  for (uint32_t rest = here; rest;) {
    unsigned lane = firstLane(rest);
    uint32_t members = getMembers(instruction, lane);
    if (!(members >> lane & 1)) {
      fail(instruction, lane, Status::IllegalInstruction, "the lane is not in its own mask of members");
      return false;
    }
    if ((here & members) == members) {
      instruction.run(instruction, *this, members);
      done |= members;
    }
    rest &= ~members;
  }
  parked = (parked | here) & ~done;
  setPlace(here & ~done, at);
  ++at;
  setPlace(done | (group & ~enabled), at);
  return done == group && block.status == Status::Success;
}

/// The lanes that `lane` executes with. Lanes that never were need not come, but where all 32 hold parts of a matrix.
uint32_t Warp::getMembers(const Instruction &instruction, unsigned lane) {
  return instruction.members == noSlot ? allLanes : at<uint32_t>(instruction.members)[lane] & existing;
}

bool Warp::release(unsigned id) {
  uint32_t released = 0, first = UINT32_MAX;
  for (uint32_t rest = waiting; rest; rest &= rest - 1) {
    unsigned lane = firstLane(rest);
    if (barrier[lane] != id)
      continue;
    if (released & aligned && place[lane] != first) {
      fail(block.kernel->code[place[lane] - 1], lane, Status::LaunchFailed,
           "lanes of one warp wait at this barrier and at the one of line " +
               std::to_string(block.kernel->texts[first - 1].line));
      return false;
    }
    first = place[lane];
    released |= uint32_t{1} << lane;
  }
  waiting &= ~released;
  return true;
}

} // namespace quern::ptx
