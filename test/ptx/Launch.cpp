//===- Launch.cpp - all blocks of a grid -------------------------------------------------------===//

#include "test/ptx/Launch.h"

#include "test/ptx/Block.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace quern::ptx {

/// Threads of a grid below which another thread of the host costs more than it saves.
static constexpr uint64_t worthAThread = 8192;

namespace {
/// What the threads of the host share.
struct Work {
  const BlockState &model;
  uint64_t blocks;
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  Outcome outcome;

  void run();
};
} // namespace

void Work::run() {
  BlockRunner runner(model);
  while (true) {
    uint64_t block = next++;
    if (block >= blocks)
      break;
    uint32_t x = model.grid[0], y = model.grid[1];
    if (!runner.run({static_cast<uint32_t>(block % x), static_cast<uint32_t>(block / x % y),
                     static_cast<uint32_t>(block / x / y)}))
      next = blocks;
  }
  const BlockState &state = runner.getState();
  std::lock_guard lock(mutex);
  outcome.instructions += state.executed;
  outcome.bytesRead += state.bytesRead;
  if (outcome.status == Status::Success && state.status != Status::Success) {
    outcome.status = state.status;
    outcome.fault = state.fault;
  }
}

Outcome run(const Launch &launch, const Memory &memory, unsigned threads, uint64_t limit) {
  BlockState model;
  model.kernel = launch.kernel;
  model.memory = &memory;
  model.parameters = launch.parameters.data();
  model.grid = launch.grid;
  model.threads = launch.block;
  model.dynamicShared = launch.dynamicShared;
  model.limit = limit;
  Work work{model, uint64_t{launch.grid[0]} * launch.grid[1] * launch.grid[2], {}, {}, {}};
  uint64_t most = std::min<uint64_t>(work.blocks, work.blocks * model.countThreads() / worthAThread);
  std::vector<std::thread> others;
  for (uint64_t i = 1; i < std::min<uint64_t>(threads, most); ++i)
    others.emplace_back([&work] { work.run(); });
  work.run();
  for (std::thread &other : others)
    other.join();
  return work.outcome;
}

} // namespace quern::ptx
