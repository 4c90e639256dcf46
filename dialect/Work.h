//===- Work.h - what one launch of a kernel reads and computes, as formulas of sizes ----------===//

#ifndef QUERN_DIALECT_WORK_H
#define QUERN_DIALECT_WORK_H

#include "dialect/Shapes.h"

namespace quern {

/// The name of the number of cache rows in use among the sizes of a term; no dimension of a model is called so.
inline constexpr llvm::StringLiteral visibleRows = "@visible";

/// `count` times the product of `sizes`, which are names of dimensions, or `visibleRows`.
struct WorkTerm {
  int64_t count;
  llvm::SmallVector<llvm::StringRef> sizes;
};

/// `count` times the product of `dims`.
WorkTerm multiply(int64_t count, llvm::ArrayRef<Dim> dims);

/// How a kernel sees the memory that it writes a result to.
enum class ResultView {
  Dense,   ///< as the tensor is
  Columns, ///< as rows of columns, these in panels where they fill whole ones, so that no index needs a division
  Panels,  ///< with the last axis in panels where it fills whole ones
};

} // namespace quern

#endif // QUERN_DIALECT_WORK_H
