//===- Block.h - the threads of one block ------------------------------------------------------===//

#ifndef QUERN_TEST_PTX_BLOCK_H
#define QUERN_TEST_PTX_BLOCK_H

#include "test/ptx/Warp.h"

#include <memory>

namespace quern::ptx {

/// Runs blocks of one launch, one after the other.
class BlockRunner {
public:
  /// `model` has what is the same for all blocks.
  explicit BlockRunner(const BlockState &model);

  /// Runs the block at `index` of the grid; false, with a fault in the state, if it failed.
  bool run(Extent index);

  const BlockState &getState() const { return state; }

private:
  bool runToBarriers();
  bool releaseBarriers();
  void reportHang();

  BlockState state;
  std::vector<std::unique_ptr<Warp>> warps;
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_BLOCK_H
