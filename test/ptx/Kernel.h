//===- Kernel.h - a kernel, ready to run -------------------------------------------------------===//

#ifndef QUERN_TEST_PTX_KERNEL_H
#define QUERN_TEST_PTX_KERNEL_H

#include "test/ptx/Syntax.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace quern::ptx {

class Warp;
struct Instruction;

inline constexpr unsigned lanes = 32;
inline constexpr uint32_t allLanes = 0xffffffff;

/// Where the values of 32 lanes lie, one behind the other: bytes from a warp's registers. Those of constants, which lie
/// before them, are negative.
using Slot = int32_t;
inline constexpr Slot noSlot = INT32_MIN;

/// Executes an instruction for the lanes of `mask`, which is not 0.
using Handler = void (*)(const Instruction &instruction, Warp &warp, uint32_t mask);

/// What an instruction does to the order of execution.
enum class Flow : uint8_t {
  Plain,   ///< nothing
  Branch,  ///< goes to `target`
  Exit,    ///< ends the thread
  Barrier, ///< waits for other threads of the block
  Gather,  ///< waits for other lanes of the warp and executes for all at once
};

struct Instruction {
  Handler run = nullptr;
  /// Executes in a mode of rounding; `run` then calls it.
  Handler inner = nullptr;
  Flow flow = Flow::Plain;
  /// Executes where the predicate is false.
  bool negated = false;
  /// Of memory: where, how many elements, their bytes, those of a register for one, and whether signs are extended.
  Space space = Space::Generic;
  uint8_t count = 1, elementBytes = 0, registerBytes = 0;
  bool isSigned = false;
  /// Bytes of the register with the address; 0: `offset` is the address.
  uint8_t addressBytes = 0;
  Slot predicate = noSlot;
  /// Results first, then operands; what is where, the handler and its decoder say.
  std::array<Slot, 16> slots{};
  Slot address = noSlot;
  int64_t offset = 0;
  /// The mask of the lanes that Gather waits for; without one, all 32.
  Slot members = noSlot;
  /// A branch's; of other instructions a number that belongs to it.
  uint32_t target = 0;
  /// What is added to a second address.
  int64_t secondOffset = 0;
};

/// Values that a block or a thread begins with.
enum class Special : uint8_t {
#define PTX_SPECIAL(Name, Text, Bytes) Name,
#include "test/ptx/Special.def"
};

struct Kernel {
  struct Constant {
    Slot slot;
    unsigned bytes;
    uint64_t bits;
  };
  struct SpecialSlot {
    Special special;
    Slot slot;
  };
  struct Parameter {
    uint32_t offset, bytes;
  };
  /// Of an instruction, for messages.
  struct Text {
    unsigned line;
    std::string text;
  };

  std::string name;
  std::vector<Instruction> code;
  std::vector<Text> texts;
  std::vector<Parameter> parameters;
  uint32_t parameterBytes = 0;
  std::vector<Constant> constants;
  std::vector<SpecialSlot> specials;
  /// Bytes of a warp's constants and registers, of a thread's local memory, and of a block's shared memory without what
  /// a launch adds.
  uint32_t constantBytes = 0, registerBytes = 0, localBytes = 0, sharedBytes = 0;
  /// Of the shared memory, the first bytes, which nobody may use.
  uint32_t reservedShared = 0;
  /// Registers as they are declared, in words: more than a device would give.
  uint32_t registerCount = 0;
  /// Threads of a block at most; 0: as many as the device allows.
  unsigned maxThreads = 0;
  /// What cuFuncSetAttribute allows a launch to add to shared memory.
  uint32_t maxDynamicShared = 48 << 10;
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_KERNEL_H
