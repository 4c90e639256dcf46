//===- Warp.h - 32 threads that execute together -----------------------------------------------===//

#ifndef QUERN_TEST_PTX_WARP_H
#define QUERN_TEST_PTX_WARP_H

#include "test/ptx/Kernel.h"
#include "test/ptx/Memory.h"
#include "test/ptx/Status.h"

#include <bit>
#include <cstring>
#include <string>

namespace quern::ptx {

using Extent = std::array<uint32_t, 3>;

/// Where generic addresses of the other spaces begin; addresses of the device are far from all of them.
inline constexpr unsigned windowShift = 56;
inline constexpr uint64_t sharedWindow = uint64_t{1} << windowShift;
inline constexpr uint64_t localWindow = uint64_t{2} << windowShift;
inline constexpr uint64_t paramWindow = uint64_t{3} << windowShift;

/// What the threads of a block share, and what became of them.
struct BlockState {
  const Kernel *kernel = nullptr;
  const Memory *memory = nullptr;
  const std::byte *parameters = nullptr;
  Extent grid{}, threads{}, index{};
  uint32_t dynamicShared = 0;
  std::vector<std::byte> shared;
  /// The allocation that an instruction used last, by the instruction's number.
  std::vector<Range> ranges;

  static constexpr unsigned barriers = 16;
  struct Barrier {
    /// Threads that have arrived, and those that it waits for; 0: all of the block.
    uint32_t arrived = 0, expected = 0;
  };
  std::array<Barrier, barriers> barrier{};

  /// Instructions that threads executed, and may execute; bytes of global memory that they have read.
  uint64_t executed = 0, limit = UINT64_MAX, bytesRead = 0;
  Status status = Status::Success;
  /// What failed, one line.
  std::string fault;

  uint32_t countThreads() const { return threads[0] * threads[1] * threads[2]; }
};

/// 32 lanes, each with its place in the code; lanes at one place execute together. Of those that can go on, the lanes
/// that are least far in the code do, so that lanes that went different ways meet again.
class Warp {
public:
  explicit Warp(BlockState &block) : block(block) {}

  /// Makes room for the registers and the local memory of `number`'s threads, with the constants of the kernel.
  void prepare(unsigned number);
  /// Begins a block.
  void start();
  /// Executes until each lane has ended or waits, or one fails.
  void run();
  /// Lets the lanes that wait at barrier `id` go on; false, with a fault, if they wait in different places.
  bool release(unsigned id);

  uint32_t getAlive() const { return alive; }
  uint32_t getWaiting() const { return waiting; }
  uint32_t getParked() const { return parked; }
  unsigned getBarrier(unsigned lane) const { return barrier[lane]; }
  /// The instruction at which a lane that is parked waits, or after which one that waits at a barrier goes on.
  uint32_t getPlace(unsigned lane) const { return place[lane]; }

  // What instructions use.

  template <typename T> T *at(Slot slot) { return reinterpret_cast<T *>(registers + slot); }
  std::byte *getLocal(unsigned lane) { return local.data() + size_t{lane} * block.kernel->localBytes; }
  unsigned getNumber(const Instruction &instruction) const {
    return static_cast<unsigned>(&instruction - block.kernel->code.data());
  }
  /// Ends the launch: `text` says what `lane` did wrong.
  void fail(const Instruction &instruction, unsigned lane, Status status, const std::string &text);

  /// Copies that were started and have not been waited for; `lane`'s groups are counted from 0.
  struct Copy {
    unsigned lane;
    uint32_t group;
    std::byte *to;
    const std::byte *from;
    /// Those behind `fromBytes` become 0.
    uint32_t bytes, fromBytes;
  };
  std::vector<Copy> copies;
  /// The group that each lane's next copy belongs to.
  std::array<uint32_t, lanes> group{};

  BlockState &block;

private:
  void step(uint32_t group, uint32_t at, uint32_t stop);
  bool branch(const Instruction &instruction, uint32_t &group, uint32_t enabled, uint32_t &at);
  bool exit(uint32_t &group, uint32_t enabled, uint32_t &at);
  bool arrive(const Instruction &instruction, uint32_t &group, uint32_t enabled, uint32_t &at);
  bool gather(const Instruction &instruction, uint32_t &group, uint32_t enabled, uint32_t &at);
  uint32_t getMembers(const Instruction &instruction, unsigned lane);
  uint32_t getEnabled(const Instruction &instruction, uint32_t group);
  void setPlace(uint32_t group, uint32_t at);
  void setSpecials();

  /// Before `registers` lie the constants.
  std::vector<std::byte> file, local;
  std::byte *registers = nullptr;
  unsigned number = 0;
  /// Lanes that there are, that have not ended, that wait at a barrier, and that wait for lanes of this warp.
  uint32_t existing = 0, alive = 0, waiting = 0, parked = 0;
  /// Of those at a barrier, the lanes that must be there with all others of the warp.
  uint32_t aligned = 0;
  std::array<uint32_t, lanes> place{};
  std::array<uint8_t, lanes> barrier{};
};

/// The lowest lane of a mask that is not 0.
inline unsigned firstLane(uint32_t mask) { return static_cast<unsigned>(std::countr_zero(mask)); }

/// Puts value(lane) into the lanes of `mask` of a result.
template <typename T, typename F> inline void setLanes(Warp &warp, Slot slot, uint32_t mask, F value) {
  T *result = warp.at<T>(slot);
  if (mask == allLanes) {
    // By way of an array, so that the results may lie where the operands do.
    T values[lanes];
    for (unsigned lane = 0; lane < lanes; ++lane)
      values[lane] = value(lane);
    std::memcpy(result, values, sizeof(values));
    return;
  }
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    result[firstLane(rest)] = value(firstLane(rest));
}

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_WARP_H
