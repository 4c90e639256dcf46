//===- InputCheck.h - whether values fit an entry ----------------------------------------------===//

#ifndef QUERN_RUNTIME_INPUTCHECK_H
#define QUERN_RUNTIME_INPUTCHECK_H

#include "quern/Runtime.h"

namespace quern::runtime {

/// The entry's symbolic dimensions as `inputs` give them, in the order of its symbols. Checks number, dtypes, alignment
/// and shapes of the inputs, and each dimension's bound.
Result<std::vector<int32_t>> bindDims(const Entry &entry, std::span<const TensorView> inputs);

/// The rows of the caches of a session.
struct CacheRows {
  /// Of one sequence, and of all together.
  int64_t sequence = 0, all = 0;
  bool arePaged = false;
};

/// Whether indices are below their limits, and positions and cache rows within `rows`, the caches', if there are some:
/// what compiled code relies on and does not check.
Result<void> checkValues(const Entry &entry, std::span<const TensorView> inputs, std::span<const int32_t> dims,
                         std::optional<CacheRows> rows);

/// Whether `outputs` have the entry's results' types and sizes.
Result<void> checkOutputs(const Entry &entry, std::span<const MutableTensorView> outputs,
                          std::span<const int32_t> dims);

/// An operand's sizes.
std::vector<int64_t> getShape(const Operand &operand, std::span<const int32_t> dims);

/// The cache rows that a step uses.
struct CacheUse {
  /// How many the token that sees most of them sees; 0 without positions.
  int32_t visible = 0;
  /// The first row of all tokens, or -1 where they differ, or where an input's tokens are not consecutive rows.
  int32_t first = 0;
};

/// What the positions among `inputs` use.
CacheUse getCacheUse(const Entry &entry, std::span<const TensorView> inputs);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_INPUTCHECK_H
