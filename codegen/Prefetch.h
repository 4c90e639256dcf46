//===- Prefetch.h - loops that ask for memory ahead of time ------------------------------------===//

#ifndef QUERN_CODEGEN_PREFETCH_H
#define QUERN_CODEGEN_PREFETCH_H

#include <cstdint>

namespace llvm {
class Function;
}

namespace quern::codegen {

/// Lets each innermost loop of `function` that loads vectors from ascending addresses prefetch what is `distance` bytes
/// ahead of them, a cache line at most once per iteration. Nothing else changes.
void prefetchStreams(llvm::Function &function, int64_t distance);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_PREFETCH_H
