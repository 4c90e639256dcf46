//===- Reduction.cpp - reductions, norms, softmax ---------------------------------------------===//

#include "dialect/ops/Inference.h"

using namespace mlir;
using namespace quern;

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &inferred) {
  SmallVector<Dim> dims = getDims(cast<RankedTensorType>(adaptor.getInput().getType()));
  if (dims.empty())
    return emitOptionalError(loc, "needs at least one axis");
  dims.back() = Dim::fixed(1);
  inferred.push_back(getTensorType(dims, Float32Type::get(context)));
  return success();
}

LogicalResult RmsNormOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                          SmallVectorImpl<Type> &inferred) {
  inferred.push_back(adaptor.getInput().getType());
  return success();
}

LogicalResult RmsNormOp::verify() {
  RankedTensorType input = tensorOf(getInput()), weight = tensorOf(getWeight());
  if (weight.getRank() != 1 || input.getRank() < 1 || getDims(weight).front() != getDims(input).back())
    return emitOpError("weight has shape ")
           << formatDims(getDims(weight)) << ", expected the last axis of " << formatDims(getDims(input));
  if (getEps().convertToDouble() < 0)
    return emitOpError("eps is negative");
  return success();
}

LogicalResult SoftmaxOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &inferred) {
  if (cast<RankedTensorType>(adaptor.getInput().getType()).getRank() == 0)
    return emitOptionalError(loc, "needs at least one axis");
  inferred.push_back(adaptor.getInput().getType());
  return success();
}
