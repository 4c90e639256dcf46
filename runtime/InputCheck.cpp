//===- InputCheck.cpp - whether values fit an entry --------------------------------------------===//

#include "runtime/InputCheck.h"

#include <algorithm>
#include <bit>

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

/// The elements of an input as they lie in memory: i32, or positions.
template <typename T> static std::span<const T> getElements(const TensorView &value) {
  size_t bytes = sizeof(int32_t);
  for (int64_t size : value.shape)
    bytes *= static_cast<size_t>(size);
  return {static_cast<const T *>(value.data), bytes / sizeof(T)};
}

static Error refuse(const Operand &operand, const char *what, int32_t found, size_t place,
                    const std::string &expected) {
  return Error{nameOperand("input", operand) + " has the " + what + " " + std::to_string(found) + " at " +
               std::to_string(place) + ", expected " + expected};
}

/// Whether each of `count` numbers, which `get` gives, is in [0, below).
template <typename Get>
static Result<void> checkRange(const Operand &operand, const char *what, size_t count, int64_t below, Get get) {
  for (size_t i = 0; i < count; ++i)
    if (int32_t found = get(i); found < 0 || found >= below)
      return refuse(operand, what, found, i, "0 to " + std::to_string(below - 1));
  return {};
}

namespace {
/// What positions are held against; what is not known is not checked.
struct PositionLimits {
  /// Of rotary positions, cache rows, and the rows of one sequence.
  std::optional<int64_t> positions, rows, sequence;
  /// What the first row of a sequence is a multiple of.
  int64_t unit = QUERN_SEQUENCE_ROWS;
};

using Positions = std::span<const QuernPosition>;
} // namespace

static Result<void> checkRotary(const Operand &operand, const char *what, Positions values,
                                const PositionLimits &limits) {
  if (!limits.positions)
    return {};
  return checkRange(operand, what, values.size(), *limits.positions, [&](size_t i) { return values[i].position; });
}

static Result<void> checkRow(const Operand &operand, const char *what, Positions values, const PositionLimits &limits) {
  if (!limits.rows)
    return {};
  return checkRange(operand, what, values.size(), *limits.rows, [&](size_t i) { return values[i].row; });
}

/// Every sequence begins where one may, at or before its token's row, and has no more rows than one may have.
static Result<void> checkFirst(const Operand &operand, const char *what, Positions values,
                               const PositionLimits &limits) {
  for (size_t i = 0; limits.rows && i < values.size(); ++i) {
    int32_t row = values[i].row, first = values[i].first;
    if (first < 0 || first > row || first % limits.unit)
      return refuse(operand, what, first, i,
                    "a multiple of " + std::to_string(limits.unit) + " from 0 to the token's cache row, " +
                        std::to_string(row));
    if (row - first >= *limits.sequence)
      return refuse(operand, "row", row, i,
                    "at most " + std::to_string(first + *limits.sequence - 1) + ": a sequence has " +
                        std::to_string(*limits.sequence) + " rows, and its first is " + std::to_string(first));
  }
  return {};
}

/// A tree begins in its sequence.
static Result<void> checkAncestorsLow(const Operand &operand, const char *, Positions values,
                                      const PositionLimits &limits) {
  for (size_t i = 0; limits.rows && i < values.size(); ++i) {
    const QuernPosition &at = values[i];
    uint64_t ancestors = quern_ancestors(&at);
    int before = ancestors ? 63 - std::countl_zero(ancestors) : 0;
    if (before > at.row - at.first)
      return refuse(operand, "tree row", at.row - before, i,
                    std::to_string(at.first) + " or more, the first row of its sequence");
  }
  return {};
}

/// Checked with the lower ones.
static Result<void> checkAncestorsHigh(const Operand &, const char *, Positions, const PositionLimits &) { return {}; }

/// Checks every field, in their order.
static Result<void> checkPositions(const Operand &operand, const TensorView &value, const PositionLimits &limits) {
  Positions values = getElements<QuernPosition>(value);
#define QUERN_POSITION(Name, field, words)                                                                             \
  if (Result<void> valid = check##Name(operand, words, values, limits); !valid)                                        \
    return valid;
#include "quern/Positions.def"
  return {};
}

static Result<void> checkIndices(const Operand &operand, std::span<const int32_t> values, int64_t below) {
  return checkRange(operand, "index", values.size(), below, [&](size_t i) { return values[i]; });
}

/// The least of `limit`, if there is one, and `sizes`.
static std::optional<int64_t> getLeast(std::optional<int64_t> limit, const std::vector<Dim> &sizes,
                                       std::span<const int32_t> dims) {
  for (const Dim &size : sizes)
    limit = std::min(limit.value_or(getSize(size, dims)), getSize(size, dims));
  return limit;
}

/// The limits of positions that are the input `operand`.
static PositionLimits getLimits(const Operand &operand, std::span<const int32_t> dims, std::optional<CacheRows> rows) {
  PositionLimits limits;
  if (rows)
    limits = {rows->sequence, rows->all, rows->sequence, rows->arePaged ? QUERN_PAGE_ROWS : QUERN_SEQUENCE_ROWS};
  limits.positions = getLeast(limits.positions, operand.below, dims);
  limits.rows = getLeast(limits.rows, operand.rows, dims);
  limits.sequence = getLeast(limits.sequence, operand.rows, dims);
  return limits;
}

Result<void> checkValues(const Entry &entry, std::span<const TensorView> inputs, std::span<const int32_t> dims,
                         std::optional<CacheRows> rows) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Operand &operand = entry.inputs[i];
    Result<void> valid;
    if (operand.isPosition)
      valid = checkPositions(operand, inputs[i], getLimits(operand, dims, rows));
    else if (std::optional<int64_t> below = getLeast(std::nullopt, operand.below, dims))
      valid = checkIndices(operand, getElements<int32_t>(inputs[i]), *below);
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
    const QuernPosition *before = nullptr;
    for (const QuernPosition &at : getElements<QuernPosition>(inputs[i])) {
      bool isNext = !before || at.row == before->row + 1;
      use.visible = std::max(use.visible, at.row - at.first + 1);
      use.first = isNext && (isFirst || at.first == use.first) ? at.first : -1;
      before = &at, isFirst = false;
    }
  }
  return use;
}

} // namespace quern::runtime
