//===- ParameterStream.cpp - parameters, some rows at a time ----------------------------------===//

#include "dialect/ParameterStream.h"
#include "dialect/Reference.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace quern {

/// What `readRow` computes at once, in bytes: what fits into a cache beside its operands,
/// and makes an op's own cost small.
static constexpr int64_t chunkBytes = 256 << 10;

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The value of the one result.
static FailureOr<Tensor> getOnly(Evaluated results) {
  return failed(results) ? FailureOr<Tensor>() : FailureOr<Tensor>(std::move(results->front()));
}

static RankedTensorType withRows(RankedTensorType type, int64_t rows) {
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = rows;
  return RankedTensorType::get(shape, type.getElementType());
}

/// Rows [begin, end) of a tensor of rank 1 or more.
static Tensor slice(const Tensor &tensor, int64_t begin, int64_t end) {
  int64_t rows = tensor.getShape().front();
  if (begin == 0 && end == rows)
    return tensor;
  int64_t rowBytes = tensor.getBytes().size() / rows;
  ArrayRef<uint8_t> bytes = tensor.getBytes().slice(begin * rowBytes, (end - begin) * rowBytes);
  return *Tensor::fromBytes(withRows(tensor.getType(), end - begin), bytes);
}

FailureOr<Tensor> readStoredRows(ParameterOp parameter, ParameterSource &source, RankedTensorType type, int64_t first) {
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return parameter.emitError("found type ") << type << ", expected a static tensor of numbers or blocks";
  int64_t rows = type.getRank() < 2 ? 1 : type.getDimSize(0);
  MutableArrayRef<uint8_t> out = result->getMutableBytes();
  size_t rowBytes = rows == 0 ? 0 : out.size() / rows;
  for (int64_t row = first; row < first + rows; ++row, out = out.drop_front(rowBytes)) {
    llvm::Expected<ArrayRef<uint8_t>> bytes = source.readRow(parameter.getSymName(), row);
    if (!bytes)
      return parameter.emitError("cannot read row ")
             << row << " of `" << parameter.getSymName() << "`: " << toString(bytes.takeError());
    if (bytes->size() != rowBytes)
      return parameter.emitError("row ") << row << " of `" << parameter.getSymName() << "` has " << bytes->size()
                                         << " bytes, expected " << rowBytes;
    memcpy(out.data(), bytes->data(), rowBytes);
  }
  return result;
}

/// The operands that `op` takes row by row, as many rows as its result has.
static SmallVector<OpOperand *> getRowOperands(Operation &op) {
  auto rowwise = dyn_cast<RowwiseOpInterface>(op);
  if (!rowwise)
    return {};
  int64_t rows = tensorOf(op.getResult(0)).getDimSize(0);
  auto hasAll = [&](OpOperand *operand) {
    RankedTensorType type = tensorOf(operand->get());
    return type.getRank() > 0 && type.getDimSize(0) == rows;
  };
  SmallVector<OpOperand *> operands = rowwise.getRowOperands();
  return llvm::all_of(operands, hasAll) ? operands : SmallVector<OpOperand *>();
}

static bool cutsRows(Operation &op) {
  auto cut = dyn_cast<SliceOp>(op);
  return cut && cut.getAxis() == 0;
}

static bool joinsRows(Operation &op) {
  auto join = dyn_cast<ConcatOp>(op);
  return join && join.getAxis() == 0;
}

/// Gives `part` each operand of a concatenation of rows that has some of [begin, end), with its own rows.
template <typename Fn> static void forEachJoined(ConcatOp join, int64_t begin, int64_t end, Fn part) {
  int64_t first = 0;
  for (Value operand : join->getOperands()) {
    int64_t rows = tensorOf(operand).getDimSize(0);
    int64_t from = std::max(begin, first) - first, to = std::min(end, first + rows) - first;
    if (from < to)
      part(operand, from, to);
    first += rows;
  }
}

ParameterStream::ParameterStream(ParameterOp parameter, ParameterSource &source)
    : parameter(parameter), source(source) {}
ParameterStream::~ParameterStream() = default;

void ParameterStream::need(Value value, Range range, Pass &pass) {
  if (tensorOf(value).getRank() < 2)
    return needWhole(value);
  auto [known, isNew] = pass.ranges.try_emplace(value, range);
  if (!isNew)
    known->second = {std::min(known->second.begin, range.begin), std::max(known->second.end, range.end)};
}

/// Says what `op` needs of its operands for what is needed of it.
void ParameterStream::needOperands(Operation &op, Pass &pass) {
  Value result = op.getResult(0);
  auto range = pass.ranges.find(result);
  SmallVector<OpOperand *> byRows = getRowOperands(op);
  bool isParts = isa<ParamOp>(op) || cutsRows(op) || joinsRows(op) || !byRows.empty();
  if (range != pass.ranges.end() && !isParts)
    needWhole(result);
  if (whole.contains(result)) {
    // Known values need nothing any more.
    if (!wholes.contains(result))
      for (Value operand : op.getOperands())
        needWhole(operand);
    return;
  }
  if (range == pass.ranges.end())
    return;
  auto [begin, end] = range->second;
  if (cutsRows(op)) {
    int64_t offset = cast<SliceOp>(op).getOffset();
    need(op.getOperand(0), {begin + offset, end + offset}, pass);
  } else if (joinsRows(op)) {
    forEachJoined(cast<ConcatOp>(op), begin, end,
                  [&](Value part, int64_t from, int64_t to) { need(part, {from, to}, pass); });
  } else {
    for (OpOperand &operand : op.getOpOperands())
      llvm::is_contained(byRows, &operand) ? need(operand.get(), {begin, end}, pass) : needWhole(operand.get());
  }
}

/// The rows of a value of which at least these are known.
Tensor ParameterStream::getRows(Value value, Range range, const Pass &pass) const {
  if (auto known = wholes.find(value); known != wholes.end())
    return slice(known->second, range.begin, range.end);
  int64_t first = pass.ranges.lookup(value).begin;
  return slice(pass.parts.at(value), range.begin - first, range.end - first);
}

FailureOr<Tensor> ParameterStream::readParam(ParamOp param, Range range) {
  auto read = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(param, param.getParameterAttr());
  if (!read)
    return param.emitError("no parameter named `") << param.getParameter() << "`";
  if (!read.isExternal()) {
    std::unique_ptr<ParameterStream> &stream = streams[read.getSymName()];
    if (!stream)
      stream = std::make_unique<ParameterStream>(read, source);
    return stream->read(range.begin, range.end - range.begin);
  }
  return readStoredRows(read, source, withRows(read.getTensorType(), range.end - range.begin), range.begin);
}

FailureOr<Tensor> ParameterStream::computePart(Operation &op, Range range, Pass &pass) {
  if (auto param = dyn_cast<ParamOp>(op))
    return readParam(param, range);
  if (cutsRows(op)) {
    int64_t offset = cast<SliceOp>(op).getOffset();
    return getRows(op.getOperand(0), {range.begin + offset, range.end + offset}, pass);
  }
  auto computed = cast<ReferenceOpInterface>(op);
  RankedTensorType type = withRows(tensorOf(op.getResult(0)), range.end - range.begin);
  SmallVector<Tensor> operands;
  if (joinsRows(op)) {
    forEachJoined(cast<ConcatOp>(op), range.begin, range.end,
                  [&](Value part, int64_t from, int64_t to) { operands.push_back(getRows(part, {from, to}, pass)); });
    return getOnly(computed.evaluate(operands, type));
  }
  SmallVector<OpOperand *> byRows = getRowOperands(op);
  for (OpOperand &operand : op.getOpOperands())
    operands.push_back(llvm::is_contained(byRows, &operand) ? getRows(operand.get(), range, pass)
                                                            : wholes.at(operand.get()));
  return getOnly(computed.evaluate(operands, type));
}

LogicalResult ParameterStream::computeWhole(Operation &op) {
  FailureOr<Tensor> result;
  if (auto param = dyn_cast<ParamOp>(op)) {
    auto read = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(param, param.getParameterAttr());
    if (!read)
      return param.emitError("no parameter named `") << param.getParameter() << "`";
    result = Evaluator(parameter->getParentOfType<ModuleOp>(), source).evaluateParameter(read);
  } else {
    SmallVector<Tensor> operands;
    for (Value operand : op.getOperands())
      operands.push_back(wholes.at(operand));
    result = getOnly(cast<ReferenceOpInterface>(op).evaluate(operands, tensorOf(op.getResult(0))));
  }
  if (failed(result))
    return failure();
  wholes[op.getResult(0)] = std::move(*result);
  return success();
}

FailureOr<Tensor> ParameterStream::read(int64_t first, int64_t count) {
  Block &body = parameter.getInit().front();
  auto isKnown = [](Operation &op) { return isa<ParamOp, ReferenceOpInterface>(op) && op.getNumResults() == 1; };
  Value result = body.getTerminator()->getOperand(0);
  if (!llvm::all_of(body.without_terminator(), isKnown)) {
    // Groups and calls are the evaluator's to enter, ops of several results its to compute.
    FailureOr<Tensor> value = Evaluator(parameter->getParentOfType<ModuleOp>(), source).evaluateParameter(parameter);
    if (failed(value))
      return failure();
    wholes[result] = std::move(*value);
  }
  Pass pass;
  need(result, {first, first + count}, pass);
  for (Operation &op : llvm::reverse(body.without_terminator()))
    if (!wholes.contains(result))
      needOperands(op, pass);
  for (Operation &op : body.without_terminator()) {
    Value value = op.getResult(0);
    if (wholes.contains(result) || wholes.contains(value))
      continue;
    if (whole.contains(value)) {
      if (failed(computeWhole(op)))
        return failure();
    } else if (auto range = pass.ranges.find(value); range != pass.ranges.end()) {
      FailureOr<Tensor> part = computePart(op, range->second, pass);
      if (failed(part))
        return failure();
      pass.parts[value] = std::move(*part);
    }
  }
  return getRows(result, {first, first + count}, pass);
}

FailureOr<ArrayRef<uint8_t>> ParameterStream::readRow(int64_t row) {
  if (row < chunkBegin || row >= chunkEnd) {
    RankedTensorType type = parameter.getTensorType();
    FailureOr<int64_t> bytes = getStorageBytes(type);
    if (failed(bytes))
      return parameter.emitError("found type ") << type << ", expected a static tensor of numbers or blocks";
    int64_t rows = type.getDimSize(0), rowBytes = std::max<int64_t>(*bytes / rows, 1);
    int64_t count = std::clamp<int64_t>(chunkBytes / rowBytes, 1, rows - row);
    FailureOr<Tensor> part = read(row, count);
    if (failed(part))
      return failure();
    chunk = std::move(*part);
    chunkBegin = row;
    chunkEnd = row + count;
  }
  int64_t rowBytes = chunk->getBytes().size() / (chunkEnd - chunkBegin);
  return chunk->getBytes().slice((row - chunkBegin) * rowBytes, rowBytes);
}

} // namespace quern
