//===- Routing.h - elements of an array that rows choose --------------------------------------===//

#ifndef QUERN_FRONTEND_ROUTING_H
#define QUERN_FRONTEND_ROUTING_H

#include "frontend/Instances.h"

#include "llvm/ADT/DenseMap.h"

namespace quern::frontend {

/// `experts[chosen]`: row s of a step goes through the elements chosen[s, 0], chosen[s, 1], … of an array of modules,
/// which are alike but for their tensors. A call of it evaluates the module once, with an axis of slots behind that of
/// rows.
struct Routing {
  ArrayNode *array;
  /// The shape of `chosen`.
  Extent rows, slots;
  /// The slots in the order of the elements, as `quern.group_rows` gives them; null while nothing is emitted.
  mlir::Value order, begins;
  /// By each tensor of the first element: that and those of the others that stand in its place.
  llvm::DenseMap<const TensorNode *, llvm::SmallVector<const TensorNode *>> peers;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_ROUTING_H
