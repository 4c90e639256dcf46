//===- DeviceModel.h - what launches are expected to take on a device -------------------------===//

#ifndef QUERN_PASSES_TILE_DEVICEMODEL_H
#define QUERN_PASSES_TILE_DEVICEMODEL_H

#include "dialect/KernelWork.h"
#include "dialect/Ops.h"

namespace quern {

/// A launch of equal blocks.
struct DeviceLaunch {
  double blocks = 1;
  /// Of a block.
  double threads = 1;
  /// What all blocks read and write, and the instructions of all threads.
  double bytes = 0, instructions = 0;
};

/// The nanoseconds that a device of this kind takes for a launch. Memory and processors work at once, the slower one
/// counts; both are as fast as they can be where half of the threads that the processors hold at a time work, and
/// slower in proportion where fewer do. Blocks that are more than the processors hold come in waves, of which the last
/// takes as long as a full one.
double getTime(const DeviceLaunch &launch, GpuTargetAttr gpu);

/// The binary logarithm of how much longer the waves of `launch` take than full ones would.
double getWaveTail(const DeviceLaunch &launch, GpuTargetAttr gpu);

/// What one run of a kernel moves and computes at the sizes that an estimate is for: those that are known at compile
/// time, and few hundreds of those that are not.
struct UsualWork {
  double bytes, operations, elements;
};
UsualWork getUsualWork(KernelOp kernel);

/// The rows of an estimate where only a run knows them.
inline constexpr int64_t usualRows = 128;

} // namespace quern

#endif // QUERN_PASSES_TILE_DEVICEMODEL_H
