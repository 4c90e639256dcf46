//===- Contraction.cpp - matmul and activation quantisation -----------------------------------===//

#include "dialect/ExpertUse.h"
#include "dialect/PackedLayout.h"
#include "dialect/ops/Inference.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quern;

/// The result [s, j, n] of a product by groups.
static LogicalResult inferGrouped(MLIRContext *context, std::optional<Location> loc, MatmulOp::Adaptor adaptor,
                                  SmallVectorImpl<Type> &inferred) {
  auto dimsOf = [](Value value) { return getDims(cast<RankedTensorType>(value.getType())); };
  if (adaptor.getGroups().size() != 2)
    return emitOptionalError(loc, "found ", adaptor.getGroups().size(),
                             " tensors of groups, expected order and begins");
  SmallVector<Dim> lhs = dimsOf(adaptor.getLhs()), weight = dimsOf(adaptor.getWeight());
  SmallVector<Dim> order = dimsOf(adaptor.getGroups()[0]), begins = dimsOf(adaptor.getGroups()[1]);
  if (order.size() != 2 || !order[1].isStatic() || begins.size() != 1 || !begins[0].isStatic() || begins[0].size() < 2)
    return emitOptionalError(loc, "found groups ", formatDims(order), " and ", formatDims(begins),
                             ", expected [s, j] and [G + 1]");
  int64_t groups = begins[0].size() - 1;
  if (weight.size() != 2 || !weight[0].isStatic() || weight[0].size() % groups != 0)
    return emitOptionalError(loc, "the weight has shape ", formatDims(weight), ", expected ", groups, " of [n, k]");
  bool shared = lhs.size() == 2 && lhs[0] == order[0];
  bool own = lhs.size() == 3 && ArrayRef(lhs).take_front(2) == ArrayRef(order);
  if ((!shared && !own) || lhs.back() != weight[1])
    return emitOptionalError(loc, "found ", formatDims(lhs), " in groups ", formatDims(order), " by ",
                             formatDims(weight), ", expected [s, k] or [s, j, k]");
  order.push_back(Dim::fixed(weight[0].size() / groups));
  inferred.push_back(getTensorType(order, Float32Type::get(context)));
  return success();
}

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &inferred) {
  IntegerAttr given = adaptor.getProperties().getBatch(); // absent while an op without it is parsed
  int64_t batch = given ? given.getInt() : 1;
  if (!adaptor.getGroups().empty() && batch == 1)
    return inferGrouped(context, loc, adaptor, inferred);
  auto lhs = cast<RankedTensorType>(adaptor.getLhs().getType());
  auto weight = cast<RankedTensorType>(adaptor.getWeight().getType());
  bool transposed = bool(adaptor.getProperties().getTransposed());
  SmallVector<Dim> dims = getDims(lhs), rows = getDims(weight);
  if (transposed || rows.size() == 3) {
    Dim depth = rows.size() < 2 ? Dim::fixed(0) : rows[rows.size() - (transposed ? 2 : 1)];
    bool stack = rows.size() == 3 && dims.size() > 1 && dims[dims.size() - 2] == rows[0];
    if (dims.empty() || dims.back() != depth || !(rows.size() == 2 || stack) || batch != 1 ||
        !adaptor.getGroups().empty())
      return emitOptionalError(loc, "found ", formatDims(dims), " by ", formatDims(rows),
                               transposed ? " transposed" : "",
                               ", expected [.., k] by [n, k] or [.., b, k] by [b, n, k], and no groups or batch");
    dims.back() = rows[rows.size() - (transposed ? 1 : 2)];
    inferred.push_back(getTensorType(dims, Float32Type::get(context)));
    return success();
  }
  if (dims.empty() || rows.size() != 2 || dims.back() != rows.back())
    return emitOptionalError(loc, "last axis of ", formatDims(dims), " does not meet the weight ", formatDims(rows),
                             ", expected [n, k]");
  bool isBatch = batch == 1 || (adaptor.getGroups().empty() && batch > 1 && dims.size() > 1 && rows[0].isStatic() &&
                                dims[dims.size() - 2] == Dim::fixed(batch) && rows[0].size() % batch == 0);
  if (!isBatch)
    return emitOptionalError(loc, "found a batch of ", batch, " of ", formatDims(dims), " by ", formatDims(rows),
                             ", expected [.., batch, k], as many weights, and no groups");
  dims.back() = batch == 1 ? rows.front() : Dim::fixed(rows[0].size() / batch);
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
  if (!hasRows() && ((weight && getTransposed()) || !tensorOf(getLhs()).getElementType().isF32()))
    return emitOpError("found ") << getLhs().getType() << " by " << getWeight().getType()
                                 << ", expected f32 by numbers where the weight is no rows [n, k]";
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

bool MatmulOp::isOfValues() { return !hasRows() || !takesRows() || failed(getPackedLayout(getWeight())); }
int64_t MatmulOp::getNumGroups() { return isGrouped() ? tensorOf(getBegins()).getDimSize(0) - 1 : 1; }
int64_t MatmulOp::getNumOutputs() { return tensorOf(getWeight()).getDimSize(0) / getNumGroups(); }
int64_t MatmulOp::getNumSlots() { return isGrouped() ? tensorOf(getOrder()).getDimSize(1) : 1; }

SmallVector<OpOperand *> MatmulOp::getRowOperands() {
  return isGrouped() ? SmallVector<OpOperand *>() : getRowsOf(getLhsMutable());
}

/// Slots that read the same row read it from the row.
static LogicalResult readRows(MatmulOp op, PatternRewriter &rewriter) {
  auto broadcast = op.getLhs().getDefiningOp<BroadcastOp>();
  if (!op.isGrouped() || !broadcast || broadcast.getAxis() != 1 || tensorOf(broadcast.getInput()).getRank() != 2)
    return failure();
  rewriter.modifyOpInPlace(op, [&] { op.getLhsMutable().assign(broadcast.getInput()); });
  return success();
}

void MatmulOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *) { patterns.add(readRows); }

KernelForm MatmulOp::getKernelForm() {
  return isGrouped() ? KernelForm::Experts : isOfValues() ? KernelForm::Values : KernelForm::Contract;
}
Value MatmulOp::getMainTensor() { return getWeight(); }
OpOperand &MatmulOp::getRowsOperand() { return getLhsMutable(); }
StringRef MatmulOp::getArithmetic() { return getProductArithmetic(getLhs()); }
bool MatmulOp::takesPrologue(Operation *op) {
  return isa<CastOp>(op) || (isa<RmsNormOp>(op) && !isGrouped() && !isBatched());
}
bool MatmulOp::takesEpilogue() { return true; }
bool MatmulOp::mayPrecede() { return false; }
ResultView MatmulOp::getResultView() {
  return isGrouped() ? ResultView::Panels : isOfValues() ? ResultView::Dense : ResultView::Columns;
}

/// Products of one tensor by weights of one type, as in silu(x·gᵀ) · (x·uᵀ).
bool MatmulOp::sharesKernelWith(KernelAnchorOpInterface other) {
  auto matmul = dyn_cast<MatmulOp>(other.getOperation());
  return matmul && hasRows() && takesRows() && matmul.hasRows() && matmul.getLhs() == getLhs() &&
         matmul.getWeight().getType() == getWeight().getType() && llvm::equal(matmul.getGroups(), getGroups()) &&
         matmul.getBatchSize() == getBatchSize();
}

/// Of weights that rows choose, the chosen ones.
std::optional<WorkTerm> MatmulOp::getElementsRead(OpOperand &operand) {
  if (!isGrouped() || &operand != &getWeightMutable())
    return std::nullopt;
  return WorkTerm{getNumOutputs() * tensorOf(getWeight()).getDimSize(1), {chosenExperts}};
}

/// A product and a sum per column of each element.
SmallVector<WorkTerm> MatmulOp::getOperations() {
  SmallVector<Dim> dims = getDims(tensorOf(getResult()));
  dims.push_back(getDims(tensorOf(getLhs())).back());
  return {multiply(2, dims)};
}
