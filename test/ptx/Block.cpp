//===- Block.cpp - the threads of one block ----------------------------------------------------===//

#include "test/ptx/Block.h"

#include <algorithm>

namespace quern::ptx {

BlockRunner::BlockRunner(const BlockState &model) : state(model) {
  state.shared.resize(size_t{state.kernel->sharedBytes} + state.dynamicShared);
  state.ranges.resize(state.kernel->code.size());
  for (unsigned i = 0; i * lanes < state.countThreads(); ++i) {
    warps.push_back(std::make_unique<Warp>(state));
    warps.back()->prepare(i);
  }
}

bool BlockRunner::run(Extent index) {
  state.index = index;
  state.barrier = {};
  uint64_t before = state.executed;
  uint64_t limit = state.limit;
  if (limit != UINT64_MAX)
    state.limit += before;
  std::fill(state.shared.begin(), state.shared.end(), std::byte{0xff});
  for (auto &warp : warps)
    warp->start();
  while (runToBarriers() && releaseBarriers())
    ;
  state.limit = limit;
  return state.status == Status::Success;
}

/// Whether threads wait now.
bool BlockRunner::runToBarriers() {
  bool someAlive = false;
  for (auto &warp : warps) {
    warp->run();
    if (state.status != Status::Success)
      return false;
    someAlive |= warp->getAlive() != 0;
  }
  return someAlive;
}

/// Whether threads can go on.
bool BlockRunner::releaseBarriers() {
  bool released = false;
  for (unsigned id = 0; id < BlockState::barriers; ++id) {
    BlockState::Barrier &barrier = state.barrier[id];
    if (barrier.arrived == 0 || barrier.arrived < (barrier.expected ? barrier.expected : state.countThreads()))
      continue;
    barrier = {};
    released = true;
    for (auto &warp : warps)
      if (!warp->release(id))
        return false;
  }
  if (!released)
    reportHang();
  return released;
}

/// "8 threads wait here, 56 have ended".
void BlockRunner::reportHang() {
  const Instruction *first = nullptr;
  Warp *firstWarp = nullptr;
  unsigned lane = 0, ended = 0, waitsHere = 0, elsewhere = 0;
  unsigned threads = state.countThreads();
  for (auto &warp : warps) {
    uint32_t stopped = warp->getWaiting() | warp->getParked();
    ended += static_cast<unsigned>(std::popcount(~warp->getAlive()));
    for (uint32_t rest = stopped & warp->getAlive(); rest; rest &= rest - 1) {
      unsigned l = firstLane(rest);
      bool atBarrier = warp->getWaiting() >> l & 1;
      const Instruction *at = &state.kernel->code[warp->getPlace(l) - atBarrier];
      if (!first) {
        first = at;
        firstWarp = warp.get();
        lane = l;
      }
      ++(at == first ? waitsHere : elsewhere);
    }
  }
  ended -= static_cast<unsigned>(warps.size()) * lanes - threads;
  std::string text = "nobody goes on: " + std::to_string(waitsHere) + " of " + std::to_string(threads) +
                     " threads wait here, " + std::to_string(elsewhere) + " elsewhere, " + std::to_string(ended) +
                     " have ended";
  firstWarp->fail(*first, lane, Status::LaunchFailed, text);
}

} // namespace quern::ptx
