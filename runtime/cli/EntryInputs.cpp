//===- EntryInputs.cpp - random inputs of any entry ---------------------------------------------===//

#include "runtime/cli/EntryInputs.h"

#include "quern/Positions.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace quern::runtime {

Result<std::vector<int64_t>> readSizes(const Entry &entry, std::span<const std::string> given) {
  std::vector<int64_t> sizes;
  for (const Symbol &symbol : entry.symbols)
    sizes.push_back(symbol.bound);
  for (const std::string &text : given) {
    size_t equals = std::min(text.find('='), text.size());
    std::string name = text.substr(0, equals);
    auto symbol = std::ranges::find(entry.symbols, name, &Symbol::name);
    if (symbol == entry.symbols.end())
      return Error{"`--size` is `" + text + "`, `" + entry.name + "` has no size `" + name + "`", ErrorKind::Usage};
    int64_t size = 0;
    const char *end = text.data() + text.size();
    auto [stop, error] = std::from_chars(std::min(text.data() + equals + 1, end), end, size);
    if (error != std::errc() || stop != end || size < 1 || size > symbol->bound)
      return Error{"`--size` is `" + text + "`, expected `" + name + "=` and 1 to " + std::to_string(symbol->bound),
                   ErrorKind::Usage};
    sizes[static_cast<size_t>(symbol - entry.symbols.begin())] = size;
  }
  return sizes;
}

static int64_t getSize(const Dim &dim, std::span<const int64_t> sizes) {
  return dim.symbol < 0 ? dim.size : sizes[static_cast<size_t>(dim.symbol)];
}

/// The positions of one sequence, one token after the other from row `depth` on.
static void fillPositions(std::span<int32_t> fields, int64_t depth) {
  for (size_t i = 0; i < fields.size(); i += QUERN_POSITION_FIELDS) {
    auto row = static_cast<int32_t>(depth) + static_cast<int32_t>(i / QUERN_POSITION_FIELDS);
    QuernPosition position = {};
    position.position = position.row = row;
    std::memcpy(&fields[i], &position, sizeof position);
  }
}

/// Positions; otherwise random values: floats in [0, 1), indices that are valid.
static Tensor makeInput(const Operand &operand, std::span<const int64_t> sizes, int64_t depth,
                        RandomGenerator &random) {
  std::vector<int64_t> shape;
  for (const Dim &dim : operand.shape)
    shape.push_back(getSize(dim, sizes));
  Tensor input(operand.dtype, shape);
  if (operand.dtype == DType::F32) {
    std::ranges::generate(input.get<float>(), [&] { return random.nextFloat(); });
    return input;
  }
  std::span<int32_t> values = input.get<int32_t>();
  if (operand.isPosition) {
    fillPositions(values, depth);
    return input;
  }
  int64_t below = operand.below.empty() ? 1 : std::numeric_limits<int32_t>::max();
  for (const Dim &limit : operand.below)
    below = std::min(below, getSize(limit, sizes));
  for (int32_t &value : values)
    value = static_cast<int32_t>(random.nextInteger() % static_cast<uint32_t>(below));
  return input;
}

std::vector<Tensor> makeInputs(const Entry &entry, std::span<const int64_t> sizes, int64_t depth,
                               RandomGenerator &random) {
  std::vector<Tensor> inputs;
  for (const Operand &operand : entry.inputs)
    inputs.push_back(makeInput(operand, sizes, depth, random));
  return inputs;
}

std::vector<TensorView> getViews(std::span<const Tensor> tensors) {
  std::vector<TensorView> views;
  for (const Tensor &tensor : tensors)
    views.push_back(tensor.view());
  return views;
}

} // namespace quern::runtime
