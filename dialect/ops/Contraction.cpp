//===- Contraction.cpp - matmul and activation quantisation -----------------------------------===//

#include "dialect/ops/Inference.h"

using namespace mlir;
using namespace quern;

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &inferred) {
  auto lhs = cast<RankedTensorType>(adaptor.getLhs().getType());
  auto weight = cast<RankedTensorType>(adaptor.getWeight().getType());
  SmallVector<Dim> dims = getDims(lhs), rows = getDims(weight);
  if (dims.empty() || rows.size() != 2 || dims.back() != rows.back())
    return emitOptionalError(loc, "last axis of ", formatDims(dims), " does not meet the weight ", formatDims(rows),
                             ", expected [n, k]");
  dims.back() = rows.front();
  inferred.push_back(getTensorType(dims, Float32Type::get(context)));
  return success();
}

LogicalResult MatmulOp::verify() {
  auto lhs = dyn_cast<BlockType>(tensorOf(getLhs()).getElementType());
  auto weight = dyn_cast<BlockType>(tensorOf(getWeight()).getElementType());
  if (lhs && lhs.getFormat() != BlockFormat::Q8_1)
    return emitOpError("lhs has element type ") << lhs << ", expected f32, bf16 or !quern.block<q8_1>";
  if (lhs && !weight)
    return emitOpError("quantised activations need a weight of blocks, found ") << getWeight().getType();
  if (tensorOf(getLhs()).getElementType().isBF16() && !tensorOf(getWeight()).getElementType().isBF16())
    return emitOpError("activations of bf16 need a weight of bf16, found ") << getWeight().getType();
  return success();
}

LogicalResult QuantizeOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor adaptor,
                                           SmallVectorImpl<Type> &inferred) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  inferred.push_back(withElementType(input, BlockType::get(context, BlockFormat::Q8_1)));
  return success();
}

LogicalResult QuantizeOp::verify() {
  SmallVector<Dim> dims = getDims(tensorOf(getInput()));
  if (dims.empty() || !dims.back().isStatic() || dims.back().size() % 32 != 0)
    return emitOpError("last axis of ") << formatDims(dims) << " is not a static multiple of 32";
  return success();
}

StringRef quern::getProductArithmetic(Value left) {
  Type element = tensorOf(left).getElementType();
  return isa<BlockType>(element) ? "i8" : element.isBF16() ? "bf16" : "f32";
}

KernelForm MatmulOp::getKernelForm() { return KernelForm::Contract; }
Value MatmulOp::getMainTensor() { return getWeight(); }
OpOperand &MatmulOp::getRowsOperand() { return getLhsMutable(); }
StringRef MatmulOp::getArithmetic() { return getProductArithmetic(getLhs()); }
bool MatmulOp::takesPrologue(Operation *op) { return isa<RmsNormOp, CastOp>(op); }
bool MatmulOp::takesEpilogue() { return true; }
bool MatmulOp::mayPrecede() { return false; }
ResultView MatmulOp::getResultView() { return ResultView::Columns; }

/// Products of one tensor by weights of one type, as in silu(x·gᵀ) · (x·uᵀ).
bool MatmulOp::sharesKernelWith(KernelAnchorOpInterface other) {
  auto matmul = dyn_cast<MatmulOp>(other.getOperation());
  return matmul && matmul.getLhs() == getLhs() && matmul.getWeight().getType() == getWeight().getType();
}

std::optional<WorkTerm> MatmulOp::getElementsRead(OpOperand &) { return std::nullopt; }

/// A product and a sum per column of each element.
SmallVector<WorkTerm> MatmulOp::getOperations() {
  return {multiply(2 * tensorOf(getWeight()).getDimSize(1), getDims(tensorOf(getResult())))};
}
