//===- CacheLayout.h - caches that lie in memory as every tensor does --------------------------===//

#ifndef QUERN_DIALECT_CACHELAYOUT_H
#define QUERN_DIALECT_CACHELAYOUT_H

#include "mlir/IR/Operation.h"

#include <cstdint>

namespace quern {

/// Marks a `cache_append`, or an `attend` and both its caches, whatever the layout that it names, as plain: [T][h][d]
/// without padding, as every other op reads and writes tensors.
inline constexpr llvm::StringLiteral plainCacheAttr = "quern.plain_cache";

/// Rows of a cache that lie element by element, and are read at once.
inline constexpr int64_t cacheLanes = 16;

inline bool isPlain(mlir::Operation *op) { return op->hasAttr(plainCacheAttr); }

} // namespace quern

#endif // QUERN_DIALECT_CACHELAYOUT_H
