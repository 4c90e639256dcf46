//===- Routing.cpp - which rows go through which of several weights ---------------------------===//

#include "dialect/ops/Inference.h"

using namespace mlir;
using namespace quern;

LogicalResult TopKOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                       SmallVectorImpl<Type> &inferred) {
  SmallVector<Dim> dims = getDims(cast<RankedTensorType>(adaptor.getInput().getType()));
  int64_t k = adaptor.getK();
  if (dims.empty() || !dims.back().isStatic() || k < 1 || k > dims.back().size())
    return emitOptionalError(loc, "found the ", k, " largest of ", formatDims(dims),
                             ", expected 1 or more, and no more than the last axis has");
  dims.back() = Dim::fixed(k);
  inferred.push_back(getTensorType(dims, Float32Type::get(context)));
  inferred.push_back(getTensorType(dims, IntegerType::get(context, 32)));
  return success();
}

SmallVector<OpOperand *> TopKOp::getRowOperands() { return getRowsOf(getInputMutable()); }
Value TopKOp::getMainTensor() { return getValues(); }
bool TopKOp::mayPrecede() { return true; }
OpOperand &TopKOp::getRowsOperand() { return getInputMutable(); }

LogicalResult GroupRowsOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &inferred) {
  auto type = cast<RankedTensorType>(adaptor.getChosen().getType());
  SmallVector<Dim> dims = getDims(type);
  int64_t groups = adaptor.getGroups();
  if (dims.size() != 2 || !dims[1].isStatic())
    return emitOptionalError(loc, "found choices ", formatDims(dims), ", expected [s, j] with a static j");
  if (groups < 1 || groups >= INT32_MAX)
    return emitOptionalError(loc, "found ", groups, " groups, expected 1 or more");
  inferred.push_back(type);
  inferred.push_back(getTensorType(Dim::fixed(groups + 1), IntegerType::get(context, 32)));
  return success();
}

std::optional<Dim> GroupRowsOp::getIndexLimit(OpOperand &) { return Dim::fixed(getGroups()); }
Value GroupRowsOp::getMainTensor() { return getOrder(); }
bool GroupRowsOp::mayPrecede() { return false; }
OpOperand &GroupRowsOp::getRowsOperand() { return getChosenMutable(); }

LogicalResult BroadcastOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &inferred) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  SmallVector<Dim> dims = getDims(input);
  uint64_t axis = adaptor.getAxis();
  int64_t size = adaptor.getSize();
  if (axis > dims.size() || size < 1)
    return emitOptionalError(loc, "no room for axis ", axis, " of size ", size, " in ", formatDims(dims));
  dims.insert(dims.begin() + axis, Dim::fixed(size));
  inferred.push_back(getTensorType(dims, input.getElementType()));
  return success();
}

LogicalResult BroadcastOp::verify() {
  RankedTensorType type = tensorOf(getInput());
  if (isa<BlockType>(type.getElementType()) && getAxis() == uint64_t(type.getRank()))
    return emitOpError("cannot take blocks apart");
  return success();
}

SmallVector<OpOperand *> BroadcastOp::getRowOperands() {
  return getAxis() == 0 || tensorOf(getInput()).getRank() == 0 ? SmallVector<OpOperand *>()
                                                               : SmallVector<OpOperand *>{&getInputMutable()};
}

LogicalResult CombineOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &inferred) {
  SmallVector<Dim> dims = getDims(cast<RankedTensorType>(adaptor.getInput().getType()));
  SmallVector<Dim> weights = getDims(cast<RankedTensorType>(adaptor.getWeights().getType()));
  if (dims.size() < 3 || weights.size() != 2 || ArrayRef(dims).take_front(2) != ArrayRef(weights) ||
      !weights[1].isStatic() || weights[1].size() == 0)
    return emitOptionalError(loc, "found ", formatDims(dims), " with weights ", formatDims(weights),
                             ", expected [s, j, ..] and [s, j] with a static j");
  dims.erase(dims.begin() + 1);
  inferred.push_back(getTensorType(dims, Float32Type::get(context)));
  return success();
}

SmallVector<OpOperand *> CombineOp::getRowOperands() { return {&getInputMutable(), &getWeightsMutable()}; }
std::optional<WorkTerm> CombineOp::getElementsRead(OpOperand &) { return std::nullopt; }
/// A product and a sum per element.
SmallVector<WorkTerm> CombineOp::getOperations() { return {multiply(2, getDims(tensorOf(getInput())))}; }
