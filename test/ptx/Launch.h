//===- Launch.h - all blocks of a grid ---------------------------------------------------------===//

#ifndef QUERN_TEST_PTX_LAUNCH_H
#define QUERN_TEST_PTX_LAUNCH_H

#include "test/ptx/Warp.h"

namespace quern::ptx {

struct Launch {
  const Kernel *kernel = nullptr;
  Extent grid{1, 1, 1}, block{1, 1, 1};
  uint32_t dynamicShared = 0;
  /// The values of the parameters, as the kernel lays them out.
  std::vector<std::byte> parameters;
};

/// What a launch came to.
struct Outcome {
  Status status = Status::Success;
  std::string fault;
  uint64_t instructions = 0, bytesRead = 0;
};

/// Runs the blocks on at most `threads` threads of the host, in no certain order; `limit` bounds the instructions of a
/// block.
Outcome run(const Launch &launch, const Memory &memory, unsigned threads, uint64_t limit);

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_LAUNCH_H
