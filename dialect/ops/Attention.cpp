//===- Attention.cpp - rotary embedding, key/value cache, attention ---------------------------===//

#include "dialect/Destination.h"
#include "dialect/ops/Inference.h"

using namespace mlir;
using namespace quern;

LogicalResult RopeOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                       SmallVectorImpl<Type> &inferred) {
  inferred.push_back(adaptor.getInput().getType());
  return success();
}

LogicalResult RopeOp::verify() {
  SmallVector<Dim> input = getDims(tensorOf(getInput())), at = getDims(tensorOf(getAt()));
  SmallVector<Dim> table = getDims(tensorOf(getTable()));
  if (input.size() != 3 || at.size() != 1 || input[0] != at[0])
    return emitOpError("found input ") << formatDims(input) << " at " << formatDims(at)
                                       << ", expected [s, h, d] and [s]";
  bool pairs = table.size() == 3 && table[1].isStatic() && table[2] == Dim::fixed(2) && input[2].isStatic();
  if (!pairs || 2 * table[1].size() > input[2].size())
    return emitOpError("table has shape ")
           << formatDims(table) << ", expected [position, r/2, 2] with r ≤ " << formatDims(ArrayRef(input).back());
  return success();
}

LogicalResult CacheAppendOp::verify() {
  SmallVector<Dim> cache = getDims(tensorOf(getCache())), input = getDims(tensorOf(getInput()));
  SmallVector<Dim> at = getDims(tensorOf(getAt()));
  if (cache.size() != 3 || input.size() != 3 || at.size() != 1 || input[0] != at[0] ||
      ArrayRef(cache).drop_front() != ArrayRef(input).drop_front())
    return emitOpError("found cache ") << formatDims(cache) << ", input " << formatDims(input) << ", at "
                                       << formatDims(at) << ", expected [T, h, d], [s, h, d], [s]";
  return success();
}

LogicalResult AttendOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &inferred) {
  SmallVector<Dim> query = getDims(cast<RankedTensorType>(adaptor.getQuery().getType()));
  SmallVector<Dim> values = getDims(cast<RankedTensorType>(adaptor.getValues().getType()));
  if (query.size() != 3 || values.size() != 3)
    return emitOptionalError(loc, "found query ", formatDims(query), " and values ", formatDims(values),
                             ", expected [s, h, d] and [T, g, e]");
  std::optional<uint64_t> elements = adaptor.getElements();
  if (elements && (!values[2].isStatic() || *elements > uint64_t(values[2].size())))
    return emitOptionalError(loc, "found ", *elements, " elements of values ", formatDims(values),
                             ", expected no more than a row holds");
  query[2] = elements ? Dim::fixed(*elements) : values[2];
  inferred.push_back(getTensorType(query, Float32Type::get(context)));
  return success();
}

LogicalResult AttendOp::verify() {
  SmallVector<Dim> query = getDims(tensorOf(getQuery())), keys = getDims(tensorOf(getKeys()));
  SmallVector<Dim> values = getDims(tensorOf(getValues())), at = getDims(tensorOf(getAt()));
  if (query.size() != 3 || keys.size() != 3 || values.size() != 3 || keys[0] != values[0] || keys[1] != values[1] ||
      keys[2] != query[2])
    return emitOpError("found query ") << formatDims(query) << ", keys " << formatDims(keys) << ", values "
                                       << formatDims(values) << ", expected [s, h, d], [T, g, d], [T, g, e]";
  if (at.size() != 1 || at[0] != query[0])
    return emitOpError("found positions ") << formatDims(at) << ", expected one per query row";
  if (!query[1].isStatic() || !keys[1].isStatic() || keys[1].size() == 0 || query[1].size() % keys[1].size() != 0)
    return emitOpError("query heads are not a multiple of the cache's");
  if (tensorOf(getQuery()).getElementType().isF32())
    return success();
  for (Value operand : {getQuery(), getKeys(), getValues()})
    if (Type element = tensorOf(operand).getElementType(); !element.isBF16())
      return emitOpError("found elements of ") << element << ", expected a query of f32, or all of bf16";
  if (!query[2].isStatic() || query[2].size() % 2 != 0)
    return emitOpError("found query ") << formatDims(query) << " of bf16, expected elements in pairs";
  return success();
}

/// Whether nothing is written in place from `op` on to `later`.
static bool isUnchangedUntil(Operation *op, Operation *later) {
  if (op->getBlock() != later->getBlock())
    return false;
  for (; op != later; op = op->getNextNode())
    if (writesInPlace(op))
      return false;
  return true;
}

/// Values that are the first elements of rows are read from those rows.
LogicalResult AttendOp::canonicalize(AttendOp op, PatternRewriter &rewriter) {
  auto slice = op.getValues().getDefiningOp<SliceOp>();
  if (!slice || slice.getAxis() != 2 || slice.getOffset() != 0 || slice.getSize() == 0)
    return rewriter.notifyMatchFailure(op, "the values are not the first elements of rows");
  if (!isUnchangedUntil(slice, op))
    return rewriter.notifyMatchFailure(op, "the rows may be overwritten before");
  rewriter.modifyOpInPlace(op, [&] {
    op.setElements(op.getElements().value_or(slice.getSize()));
    op.getValuesMutable().assign(slice.getInput());
  });
  return success();
}

SmallVector<WorkTerm> RopeOp::getOperations() { return {}; }

std::optional<WorkTerm> RopeOp::getElementsRead(OpOperand &operand) {
  if (&operand != &getTableMutable())
    return std::nullopt;
  return getRowElements(getTable(), getDims(tensorOf(getAt())));
}

std::optional<Dim> RopeOp::getIndexLimit(OpOperand &operand) {
  if (&operand != &getAtMutable())
    return std::nullopt;
  return getDims(tensorOf(getTable())).front();
}

KernelForm CacheAppendOp::getKernelForm() { return KernelForm::Append; }
Value CacheAppendOp::getMainTensor() { return getResult(); }
OpOperand &CacheAppendOp::getRowsOperand() { return getInputMutable(); }
StringRef CacheAppendOp::getArithmetic() { return "f32"; }
bool CacheAppendOp::takesPrologue(Operation *op) { return isa<RopeOp>(op); }
bool CacheAppendOp::takesEpilogue() { return false; }
bool CacheAppendOp::mayPrecede() { return false; }
bool CacheAppendOp::sharesKernelWith(KernelAnchorOpInterface) { return false; }
ResultView CacheAppendOp::getResultView() { return ResultView::Dense; }
SmallVector<WorkTerm> CacheAppendOp::getOperations() { return {}; }
OpOperand *CacheAppendOp::getDestination(OpResult) { return &getCacheMutable(); }

/// The rows that it writes.
std::optional<WorkTerm> CacheAppendOp::getElementsRead(OpOperand &operand) {
  if (&operand != &getCacheMutable())
    return std::nullopt;
  return getRowElements(getCache(), getDims(tensorOf(getAt())));
}

KernelForm AttendOp::getKernelForm() { return KernelForm::Attention; }
Value AttendOp::getMainTensor() { return getKeys(); }
OpOperand &AttendOp::getRowsOperand() { return getQueryMutable(); }
StringRef AttendOp::getArithmetic() { return getProductArithmetic(getQuery()); }
bool AttendOp::takesPrologue(Operation *op) { return isa<RopeOp, CastOp>(op); }
bool AttendOp::takesEpilogue() { return true; }
bool AttendOp::mayPrecede() { return false; }
bool AttendOp::sharesKernelWith(KernelAnchorOpInterface) { return false; }
ResultView AttendOp::getResultView() { return ResultView::Dense; }

/// A cache is read as far as it is in use; one that is keys and values both, once.
std::optional<WorkTerm> AttendOp::getElementsRead(OpOperand &operand) {
  if (&operand != &getKeysMutable() && &operand != &getValuesMutable())
    return std::nullopt;
  bool isPart = getElements() && getKeys() != getValues() && &operand == &getValuesMutable();
  WorkTerm rows =
      isPart ? multiply(*getElements(), getDims(tensorOf(getValues()))[1]) : getRowElements(operand.get(), {});
  rows.sizes.push_back(visibleRows);
  return rows;
}

/// Scores and the weighted sum: a product and a sum per element of query and result, for each row that the token sees.
/// The last of s tokens in a row sees all in use, the first s - 1 fewer: s · rows - s · (s - 1) / 2 in all.
SmallVector<WorkTerm> AttendOp::getOperations() {
  SmallVector<Dim> dims = getDims(tensorOf(getResult())), squared = dims;
  squared.push_back(dims.front());
  WorkTerm all = multiply(4, dims);
  all.sizes.push_back(visibleRows);
  return {all, multiply(-2, squared), multiply(2, dims)};
}
