//===- Positions.h - the elements of tensors of positions -------------------------------------===//

#ifndef QUERN_DIALECT_POSITIONS_H
#define QUERN_DIALECT_POSITIONS_H

#include "runtime/include/quern/Positions.h"

#include <bit>
#include <vector>

namespace quern {

/// One element of a tensor of `!quern.position`, of i32 fields; see quern/Positions.def.
using Position = ::QuernPosition;
inline constexpr int positionFields = QUERN_POSITION_FIELDS;

/// The fields by their numbers, as kernels find them.
enum class PositionField : int {
#define QUERN_POSITION(Name, field, words) Name,
#include "runtime/include/quern/Positions.def"
};

/// The first row of a token's tree, or the row behind its own where it has none: of its sequence it sees all rows
/// before.
inline int64_t getTreeRow(const Position &at) {
  uint64_t ancestors = quern_ancestors(&at);
  return ancestors ? at.row - (63 - std::countl_zero(ancestors)) : int64_t(at.row) + 1;
}

/// The cache rows that a token sees, itself the last: at most `window` of them.
inline std::vector<int64_t> getSeenRows(const Position &at, int64_t window) {
  std::vector<int64_t> rows;
  int64_t tree = getTreeRow(at);
  for (int64_t row = at.first; row < tree; ++row)
    rows.push_back(row);
  for (uint64_t left = quern_ancestors(&at); left; left &= left - 1)
    rows.push_back(tree + std::countr_zero(left));
  if (int64_t(rows.size()) > window)
    rows.erase(rows.begin(), rows.end() - window);
  return rows;
}

} // namespace quern

#endif // QUERN_DIALECT_POSITIONS_H
