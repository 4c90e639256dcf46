//===- InputCheck.cpp - whether values fit an entry --------------------------------------------===//

#include "runtime/InputCheck.h"

#include <algorithm>

namespace quern::runtime {

/// The shape as the entry declares it: `[s, 576]`.
static std::string formatDeclared(const Entry &entry, const Operand &operand) {
  std::string text = "[";
  for (size_t i = 0; i < operand.shape.size(); ++i) {
    const Dim &dim = operand.shape[i];
    text += i ? ", " : "";
    text += dim.symbol < 0 ? std::to_string(dim.size) : entry.symbols[dim.symbol].name;
  }
  return text + "]";
}

static std::string nameOperand(const char *role, const Operand &operand) {
  return std::string(role) + " `" + operand.name + "`";
}

template <typename View>
static Result<void> checkForm(const Entry &entry, const Operand &operand, const char *role, const View &value) {
  if (value.dtype != operand.dtype)
    return Error{nameOperand(role, operand) + " has elements of type " + toString(value.dtype) + ", expected " +
                 toString(operand.dtype)};
  if (value.shape.size() != operand.shape.size())
    return Error{nameOperand(role, operand) + " has the shape " + formatShape(value.shape) + ", expected " +
                 formatDeclared(entry, operand)};
  if (reinterpret_cast<uintptr_t>(value.data) % QUERN_ALIGNMENT)
    return Error{nameOperand(role, operand) + " is not aligned to " + std::to_string(QUERN_ALIGNMENT) + " bytes",
                 ErrorKind::Internal};
  return {};
}

/// Takes the sizes of one input into `dims`, where 0 is not known yet.
static Result<void> bindOperand(const Entry &entry, const Operand &operand, const TensorView &value,
                                std::vector<int32_t> &dims) {
  for (size_t axis = 0; axis < operand.shape.size(); ++axis) {
    const Dim &dim = operand.shape[axis];
    int64_t size = value.shape[axis];
    std::string place =
        nameOperand("input", operand) + " has the size " + std::to_string(size) + " on axis " + std::to_string(axis);
    if (dim.symbol < 0) {
      if (size != dim.size)
        return Error{place + ", expected " + std::to_string(dim.size)};
      continue;
    }
    const Symbol &symbol = entry.symbols[dim.symbol];
    if (size < 1 || size > symbol.bound)
      return Error{place + ", expected `" + symbol.name + "` from 1 to " + std::to_string(symbol.bound)};
    int32_t &known = dims[dim.symbol];
    if (known && known != size)
      return Error{place + ", but `" + symbol.name + "` is " + std::to_string(known) + " in another input"};
    known = static_cast<int32_t>(size);
  }
  return {};
}

Result<std::vector<int32_t>> bindDims(const Entry &entry, std::span<const TensorView> inputs) {
  if (inputs.size() != entry.inputs.size())
    return Error{"the entry `" + entry.name + "` got " + std::to_string(inputs.size()) + " inputs, expected " +
                 std::to_string(entry.inputs.size())};
  std::vector<int32_t> dims(entry.symbols.size(), 0);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (Result<void> valid = checkForm(entry, entry.inputs[i], "input", inputs[i]); !valid)
      return valid.error();
    if (Result<void> valid = bindOperand(entry, entry.inputs[i], inputs[i], dims); !valid)
      return valid.error();
  }
  return dims;
}

static int64_t getSize(const Dim &dim, std::span<const int32_t> dims) {
  return dim.symbol < 0 ? dim.size : dims[dim.symbol];
}

std::vector<int64_t> getShape(const Operand &operand, std::span<const int32_t> dims) {
  std::vector<int64_t> shape;
  for (const Dim &dim : operand.shape)
    shape.push_back(getSize(dim, dims));
  return shape;
}

static std::span<const int32_t> getIntegers(const TensorView &value) {
  size_t count = 1;
  for (int64_t size : value.shape)
    count *= static_cast<size_t>(size);
  return {static_cast<const int32_t *>(value.data), count};
}

/// Whether every `stride`-th element is in [0, below).
static Result<void> checkRange(const Operand &operand, std::span<const int32_t> values, size_t first, size_t stride,
                               int64_t below, const char *what) {
  for (size_t i = first; i < values.size(); i += stride)
    if (values[i] < 0 || values[i] >= below)
      return Error{nameOperand("input", operand) + " has the " + what + " " + std::to_string(values[i]) + " at " +
                   std::to_string(i / stride) + ", expected 0 to " + std::to_string(below - 1)};
  return {};
}

/// Whether every sequence begins where one may, at or before its token's row.
static Result<void> checkFirstRows(const Operand &operand, std::span<const int32_t> values) {
  for (size_t i = 0; i < values.size(); i += QUERN_POSITION_FIELDS) {
    int32_t row = values[i + 1], first = values[i + 2];
    if (first < 0 || first > row || first % QUERN_SEQUENCE_ROWS)
      return Error{nameOperand("input", operand) + " has the first row " + std::to_string(first) + " at " +
                   std::to_string(i / QUERN_POSITION_FIELDS) + ", expected a multiple of " +
                   std::to_string(QUERN_SEQUENCE_ROWS) + " from 0 to the token's cache row, " + std::to_string(row)};
  }
  return {};
}

/// Whether every sequence has room for as many rows as a token of another sees: attention takes several tokens
/// together, and reads as many rows of each.
static Result<void> checkRoom(const Operand &operand, std::span<const int32_t> values, int64_t rows) {
  int64_t most = 0;
  bool differ = false;
  for (size_t i = 0; i < values.size(); i += QUERN_POSITION_FIELDS) {
    most = std::max<int64_t>(most, values[i + 1] - values[i + 2] + 1);
    differ |= values[i + 2] != values[2];
  }
  for (size_t i = 0; differ && i < values.size(); i += QUERN_POSITION_FIELDS)
    if (values[i + 2] + most > rows)
      return Error{nameOperand("input", operand) + " has the first row " + std::to_string(values[i + 2]) + " at " +
                   std::to_string(i / QUERN_POSITION_FIELDS) + ", expected at most " + std::to_string(rows - most) +
                   ": a token of the step sees " + std::to_string(most) + " rows, and a sequence has room for as many"};
  return {};
}

/// Checks the records {rotary position, cache row, first row}; a limit that is not known is not checked.
static Result<void> checkPositions(const Operand &operand, const TensorView &value, std::optional<int64_t> positions,
                                   std::optional<int64_t> rows) {
  std::span<const int32_t> values = getIntegers(value);
  Result<void> valid;
  if (positions)
    valid = checkRange(operand, values, 0, QUERN_POSITION_FIELDS, *positions, "position");
  if (!valid || !rows)
    return valid;
  valid = checkRange(operand, values, 1, QUERN_POSITION_FIELDS, *rows, "cache row");
  if (valid)
    valid = checkFirstRows(operand, values);
  return valid ? checkRoom(operand, values, *rows) : valid;
}

Result<void> checkValues(const Entry &entry, std::span<const TensorView> inputs, std::span<const int32_t> dims,
                         std::optional<int64_t> rows) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Operand &operand = entry.inputs[i];
    std::optional<int64_t> below = operand.isPosition ? rows : std::nullopt;
    std::optional<int64_t> last = rows;
    for (const Dim &limit : operand.below)
      below = std::min(below.value_or(getSize(limit, dims)), getSize(limit, dims));
    for (const Dim &limit : operand.rows)
      last = std::min(last.value_or(getSize(limit, dims)), getSize(limit, dims));
    Result<void> valid;
    if (operand.isPosition)
      valid = checkPositions(operand, inputs[i], below, last);
    else if (below)
      valid = checkRange(operand, getIntegers(inputs[i]), 0, 1, *below, "index");
    if (!valid)
      return valid;
  }
  return {};
}

Result<void> checkOutputs(const Entry &entry, std::span<const MutableTensorView> outputs,
                          std::span<const int32_t> dims) {
  if (outputs.size() != entry.results.size())
    return Error{"the entry `" + entry.name + "` got room for " + std::to_string(outputs.size()) +
                     " results, expected " + std::to_string(entry.results.size()),
                 ErrorKind::Internal};
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Operand &operand = entry.results[i];
    if (Result<void> valid = checkForm(entry, operand, "result", outputs[i]); !valid)
      return valid;
    std::vector<int64_t> shape = getShape(operand, dims);
    if (!std::equal(shape.begin(), shape.end(), outputs[i].shape.begin()))
      return Error{nameOperand("result", operand) + " has room for " + formatShape(outputs[i].shape) + ", expected " +
                       formatShape(shape),
                   ErrorKind::Internal};
  }
  return {};
}

CacheUse getCacheUse(const Entry &entry, std::span<const TensorView> inputs) {
  CacheUse use;
  bool isFirst = true;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!entry.inputs[i].isPosition)
      continue;
    std::span<const int32_t> values = getIntegers(inputs[i]);
    for (size_t at = 0; at < values.size(); at += QUERN_POSITION_FIELDS, isFirst = false) {
      int32_t row = values[at + 1], first = values[at + 2];
      bool isNext = at == 0 || row == values[at + 1 - QUERN_POSITION_FIELDS] + 1;
      use.visible = std::max(use.visible, row - first + 1);
      use.first = isNext && (isFirst || first == use.first) ? first : -1;
    }
  }
  return use;
}

} // namespace quern::runtime
