//===- StateLayout.h - how a cache lies in memory ---------------------------------------------===//

#ifndef QUERN_CODEGEN_STATELAYOUT_H
#define QUERN_CODEGEN_STATELAYOUT_H

#include "codegen/KernelSignature.h"

namespace quern::codegen {

/// Cache rows that lie next to each other: the lanes of the attention's inner loop.
inline constexpr int64_t stateLanes = 16;
/// Cache rows that attention takes at a time; a cache holds whole chunks, so that the last one needs no special case.
inline constexpr int64_t stateChunk = 256;

/// A cache [T, h, d] lies in memory as [h][T / 16][d][16]: 16 rows side by side, so that scores and weighted sums are
/// both computed on whole vectors of rows. T is padded to whole chunks. Only the templates `append` and `attention`
/// read and write a cache, so its layout is theirs to choose. The dimensions, innermost first: [lane, d, T / 16, h].
llvm::SmallVector<BufferDim> getStateDims(mlir::RankedTensorType type);

/// Bytes of the memory of a cache. Behind its rows is room to read the rest of a chunk that begins at a sequence's first
/// row, which need not be a chunk of the cache.
int64_t getStateBytes(mlir::RankedTensorType type);

/// Whether `argument` of a kernel is a cache.
bool isState(mlir::BlockArgument argument);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_STATELAYOUT_H
