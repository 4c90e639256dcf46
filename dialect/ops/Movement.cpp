//===- Movement.cpp - ops that move values ----------------------------------------------------===//

#include "dialect/ops/Inference.h"

using namespace mlir;
using namespace quern;

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

/// The product of the static sizes, and the symbols in order of their names.
static std::pair<int64_t, SmallVector<StringAttr>> volume(ArrayRef<Dim> dims) {
  int64_t size = 1;
  SmallVector<StringAttr> symbols;
  for (Dim dim : dims) {
    if (dim.isStatic())
      size *= dim.size();
    else
      symbols.push_back(dim.name());
  }
  llvm::sort(symbols, [](StringAttr a, StringAttr b) { return a.getValue() < b.getValue(); });
  return {size, symbols};
}

/// One unnamed dimension of the result is the one symbol of the input that the other dimensions leave.
FailureOr<RankedTensorType> ReshapeOp::inferResult() {
  SmallVector<Dim> dims = getDims(tensorOf(getResult())), left;
  for (Dim dim : getDims(tensorOf(getInput())))
    if (!dim.isStatic() && !llvm::is_contained(dims, dim))
      left.push_back(dim);
  auto isUnnamed = [](Dim dim) { return dim.isUnnamed(); };
  if (left.size() == 1 && llvm::count_if(dims, isUnnamed) == 1)
    *llvm::find_if(dims, isUnnamed) = left.front();
  return getTensorType(dims, tensorOf(getResult()).getElementType());
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = tensorOf(getInput()), to = tensorOf(getResult());
  if (from.getElementType() != to.getElementType() || volume(getDims(from)) != volume(getDims(to)))
    return emitOpError("keeps elements and their number: found ") << from << " to " << to;
  if (isa<BlockType>(from.getElementType()) && getDims(from).back() != getDims(to).back())
    return emitOpError("keeps the last axis of blocks: found ") << from << " to " << to;
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getResult().getType())
    return getInput();
  if (auto inner = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return {};
}

SmallVector<OpOperand *> ReshapeOp::getRowOperands() {
  SmallVector<Dim> from = getDims(tensorOf(getInput())), to = getDims(tensorOf(getResult()));
  if (from.empty() || to.empty() || from.front() != to.front())
    return {};
  return {&getInputMutable()};
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &inferred) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  SmallVector<Dim> from = getDims(input), to;
  SmallVector<int64_t> sorted(adaptor.getPermutation());
  llvm::sort(sorted);
  if (sorted != llvm::to_vector(llvm::seq<int64_t>(0, input.getRank())))
    return emitOptionalError(loc, "permutation must hold each axis of ", input, " once");
  for (int64_t axis : adaptor.getPermutation())
    to.push_back(from[axis]);
  inferred.push_back(getTensorType(to, input.getElementType()));
  return success();
}

LogicalResult TransposeOp::verify() {
  if (isa<BlockType>(tensorOf(getInput()).getElementType()))
    return emitOpError("cannot move the elements of blocks");
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  bool identity = llvm::equal(getPermutation(), llvm::seq<int64_t>(0, getPermutation().size()));
  return identity ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult SliceOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                        SmallVectorImpl<Type> &inferred) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  SmallVector<Dim> dims = getDims(input);
  uint64_t axis = adaptor.getAxis();
  if (axis >= dims.size() || !dims[axis].isStatic())
    return emitOptionalError(loc, "axis ", axis, " is not a static axis of ", input);
  int64_t offset = adaptor.getOffset(), size = adaptor.getSize(), extent = dims[axis].size();
  if (offset < 0 || size < 0 || offset > extent || size > extent - offset)
    return emitOptionalError(loc, "slice ", offset, " + ", size, " leaves the axis of size ", extent);
  dims[axis] = Dim::fixed(size);
  inferred.push_back(getTensorType(dims, input.getElementType()));
  return success();
}

/// A slice of rows takes none of them one by one.
SmallVector<OpOperand *> SliceOp::getRowOperands() {
  return getAxis() == 0 ? SmallVector<OpOperand *>() : getRowsOf(getInputMutable());
}

LogicalResult SliceOp::verify() {
  RankedTensorType type = tensorOf(getInput());
  if (isa<BlockType>(type.getElementType()) && getAxis() + 1 == uint64_t(type.getRank()))
    return emitOpError("cannot cut blocks along their own axis");
  return success();
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  return getInput().getType() == getResult().getType() ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &inferred) {
  if (adaptor.getInputs().empty())
    return emitOptionalError(loc, "needs at least one input");
  auto first = cast<RankedTensorType>(adaptor.getInputs().front().getType());
  SmallVector<Dim> dims = getDims(first);
  uint64_t axis = adaptor.getAxis();
  if (axis >= dims.size())
    return emitOptionalError(loc, "axis ", axis, " is not an axis of ", first);
  int64_t total = 0;
  for (Value input : adaptor.getInputs()) {
    auto type = cast<RankedTensorType>(input.getType());
    SmallVector<Dim> other = getDims(type);
    if (other.size() != dims.size() || !other[axis].isStatic() || type.getElementType() != first.getElementType())
      return emitOptionalError(loc, "cannot join ", first, " and ", type, " along axis ", axis);
    total += other[axis].size();
    other[axis] = dims[axis];
    if (other != dims)
      return emitOptionalError(loc, "cannot join ", first, " and ", type, " along axis ", axis);
  }
  dims[axis] = Dim::fixed(total);
  inferred.push_back(getTensorType(dims, first.getElementType()));
  return success();
}

LogicalResult ConcatOp::verify() {
  if (isa<BlockType>(tensorOf(getResult()).getElementType()) &&
      getAxis() + 1 == uint64_t(tensorOf(getResult()).getRank()))
    return emitOpError("cannot join blocks along their own axis");
  return success();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getInputs().size() == 1 ? OpFoldResult(getInputs().front()) : OpFoldResult();
}

LogicalResult GatherOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &inferred) {
  auto tableType = cast<RankedTensorType>(adaptor.getTable().getType());
  SmallVector<Dim> table = getDims(tableType);
  SmallVector<Dim> indices = getDims(cast<RankedTensorType>(adaptor.getIndices().getType()));
  // Absent while an op without them is parsed.
  auto valueOf = [](IntegerAttr given) { return given ? given.getValue().getZExtValue() : 0; };
  uint64_t axis = valueOf(adaptor.getProperties().axis), batch = valueOf(adaptor.getProperties().batch);
  if (axis >= table.size() || batch > axis || batch > indices.size() || table[axis] == Dim::fixed(0))
    return emitOptionalError(loc, "found axis ", int64_t(axis), " behind ", int64_t(batch), " batch axes of a table ",
                             formatDims(table), " with indices ", formatDims(indices),
                             ", expected batch axes of both and an axis of the table behind them that is not empty");
  if (ArrayRef(table).take_front(batch) != ArrayRef(indices).take_front(batch))
    return emitOptionalError(loc, "found a table ", formatDims(table), " and indices ", formatDims(indices),
                             ", expected the same first ", batch, " axes");
  SmallVector<Dim> dims(ArrayRef(table).take_front(axis));
  dims.append(indices.begin() + batch, indices.end());
  dims.append(table.begin() + axis + 1, table.end());
  Type element = tableType.getElementType();
  inferred.push_back(getTensorType(dims, element.isInteger() ? element : Float32Type::get(context)));
  return success();
}

LogicalResult GatherOp::verify() {
  if (isa<BlockType>(tensorOf(getTable()).getElementType()) &&
      getAxis() + 1 == uint64_t(tensorOf(getTable()).getRank()))
    return emitOpError("cannot take blocks apart along their own axis");
  return success();
}

OpFoldResult GatherOp::fold(FoldAdaptor) {
  // The only one there is.
  bool single = getDims(tensorOf(getTable()))[getAxis()] == Dim::fixed(1);
  return single && getTable().getType() == getResult().getType() ? OpFoldResult(getTable()) : OpFoldResult();
}

std::optional<Dim> GatherOp::getIndexLimit(OpOperand &operand) {
  if (&operand != &getIndicesMutable())
    return std::nullopt;
  return getDims(tensorOf(getTable()))[getAxis()];
}

bool GatherOp::takesRows() { return getAxis() == 0 && tensorOf(getIndices()).getRank() == 1; }

SmallVector<OpOperand *> GatherOp::getRowOperands() {
  if (getBatch() > 0)
    return {&getTableMutable(), &getIndicesMutable()};
  if (getAxis() > 0)
    return {&getTableMutable()};
  return tensorOf(getIndices()).getRank() > 0 ? SmallVector<OpOperand *>{&getIndicesMutable()}
                                              : SmallVector<OpOperand *>();
}

WorkTerm quern::getRowElements(Value table, ArrayRef<Dim> rows) {
  SmallVector<Dim> dims = getDims(tensorOf(table));
  dims.erase(dims.begin());
  dims.insert(dims.begin(), rows.begin(), rows.end());
  return multiply(1, dims);
}

std::optional<WorkTerm> SliceOp::getElementsRead(OpOperand &) { return multiply(1, getDims(tensorOf(getResult()))); }
SmallVector<WorkTerm> SliceOp::getOperations() { return {}; }

KernelForm GatherOp::getKernelForm() { return KernelForm::Gather; }
Value GatherOp::getMainTensor() { return getTable(); }
OpOperand &GatherOp::getRowsOperand() {
  return getAxis() > 0 && getBatch() == 0 ? getTableMutable() : getIndicesMutable();
}
StringRef GatherOp::getArithmetic() { return "f32"; }
bool GatherOp::takesPrologue(Operation *) { return false; }
bool GatherOp::takesEpilogue() { return true; }
bool GatherOp::mayPrecede() { return true; }
bool GatherOp::sharesKernelWith(KernelAnchorOpInterface) { return false; }
ResultView GatherOp::getResultView() { return ResultView::Dense; }
SmallVector<WorkTerm> GatherOp::getOperations() { return {}; }

std::optional<WorkTerm> GatherOp::getElementsRead(OpOperand &operand) {
  if (&operand != &getTableMutable())
    return std::nullopt;
  return multiply(1, getDims(tensorOf(getResult())));
}

LogicalResult AssignOp::verify() {
  RankedTensorType variable = tensorOf(getVariable()), input = tensorOf(getInput());
  bool fits = isa<FloatType>(variable.getElementType()) ? input.getElementType().isF32()
                                                        : input.getElementType() == variable.getElementType();
  if (getDims(variable) != getDims(input) || !fits)
    return emitOpError("writes ") << input << " into " << variable;
  return success();
}
