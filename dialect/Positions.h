//===- Positions.h - the elements of tensors of positions -------------------------------------===//

#ifndef QUERN_DIALECT_POSITIONS_H
#define QUERN_DIALECT_POSITIONS_H

#include "runtime/include/quern/Positions.h"

namespace quern {

/// One element of a tensor of `!quern.position`, of i32 fields; see quern/Positions.def.
using Position = ::QuernPosition;
inline constexpr int positionFields = QUERN_POSITION_FIELDS;

/// The fields by their numbers, as kernels find them.
enum class PositionField : int {
#define QUERN_POSITION(Name, field, words) Name,
#include "runtime/include/quern/Positions.def"
};

} // namespace quern

#endif // QUERN_DIALECT_POSITIONS_H
