//===- StateLayout.h - how a cache lies in memory ---------------------------------------------===//

#ifndef QUERN_CODEGEN_STATELAYOUT_H
#define QUERN_CODEGEN_STATELAYOUT_H

#include "codegen/KernelSignature.h"
#include "dialect/CacheLayout.h"
#include "runtime/include/quern/Format.h"

#include "llvm/ADT/StringMap.h"

namespace quern::codegen {

/// Cache rows that lie next to each other: the lanes of the attention's inner loop.
inline constexpr int64_t stateLanes = cacheLanes;
/// Cache rows that attention takes at a time, which are the rows of a page.
inline constexpr int64_t statePage = QUERN_PAGE_ROWS;

/// A cache [T, h, d] lies in memory by pages of 256 rows, and in them by groups of 16, [T / 256][h][16][d][16] or
/// [T / 256][h][16][16][d]: keys lie by lanes, so that scores are computed on whole vectors of rows, values by rows, so
/// that weighted sums are on whole vectors of elements; what is both lies by lanes, and attention turns what it takes
/// as values. Which page holds which rows the runtime says (Format.h). Only the templates `append` and `attention` read
/// and write such a cache; a plain one is as every tensor, [T][h][d]. The dimensions, in this order for lanes and rows:
/// [lane, d, group, h, page].
llvm::SmallVector<BufferDim> getStateDims(mlir::RankedTensorType type, CacheLayout layout);

/// Bytes of the pages of a cache in which one sequence fills it.
int64_t getCacheBytes(mlir::RankedTensorType type);
/// Bytes of the memory of a state; a variable is dense.
int64_t getStateBytes(StateOp state);

/// How the caches of `module` that are not plain lie in memory, by their names: as what launches them takes them.
llvm::StringMap<CacheLayout> getStateLayouts(mlir::ModuleOp module);

/// How `argument` of a kernel lies in memory, where it is a cache that is not plain.
std::optional<CacheLayout> getCacheLayout(mlir::BlockArgument argument);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_STATELAYOUT_H
