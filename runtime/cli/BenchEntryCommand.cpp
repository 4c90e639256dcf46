//===- BenchEntryCommand.cpp - runs per second of any entry, on random inputs -------------------===//

#include "quern/Positions.h"
#include "runtime/cli/Benchmark.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/Common.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace quern::runtime {

/// The sizes of the entry's symbols: those that are `given` as `NAME=N`, their bounds for the others.
static Result<std::vector<int64_t>> readSizes(const Entry &entry, std::span<const std::string> given) {
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

/// `forward s=1 r=1 @ d512`
static std::string describe(const Entry &entry, std::span<const int64_t> sizes, int64_t depth) {
  std::string name = entry.name;
  for (size_t i = 0; i < sizes.size(); ++i)
    name += " " + entry.symbols[i].name + "=" + std::to_string(sizes[i]);
  return depth ? name + " @ d" + std::to_string(depth) : name;
}

namespace {

class BenchEntryCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--bench", "").chooses(),
        Option("--entry", entryName, "ENTRY", "measure an entry on random inputs: runs per second").chooses(),
        Option("--size", givenSizes, "NAME=N", "one of its sizes (the bound)"),
        Option("-n", count, "N", {0, mostThings}, "runs of a measurement (1)"),
        Option("--depth, -d", depth, "D", {0, mostThings}, "tokens in the context before a measurement (0)"),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&measurement, &launches}; }
  Result<void> run(Session &session) override;

private:
  std::optional<std::string> entryName;
  std::vector<std::string> givenSizes;
  int64_t count = 1, depth = 0;
  MeasurementOptions measurement;
  LaunchOptions launches;
};

} // namespace

Result<void> BenchEntryCommand::run(Session &session) {
  Result<uint32_t> index = findEntry(session, *entryName);
  if (!index)
    return index.error();
  int64_t runs = std::max<int64_t>(count, 1);
  const Entry &entry = session.getDescription().entries[*index];
  Result<std::vector<int64_t>> sizes = readSizes(entry, givenSizes);
  if (!sizes)
    return sizes.error();
  auto runOnce = [&](RandomGenerator &random) -> Result<uint64_t> {
    std::vector<Tensor> inputs;
    std::vector<TensorView> views;
    for (const Operand &operand : entry.inputs)
      inputs.push_back(makeInput(operand, *sizes, depth, random));
    for (const Tensor &input : inputs)
      views.push_back(input.view());
    uint64_t begin = nowInNanoseconds();
    for (int64_t i = 0; i < runs; ++i)
      if (Result<std::vector<Tensor>> results = session.run(*index, views); !results)
        return results.error();
    return nowInNanoseconds() - begin;
  };
  BenchTest test{describe(entry, *sizes, depth), {{"n_runs", runs}, {"n_depth", depth}}, runs, runOnce};
  return measure(session, {&test, 1}, {"runs/s", "rs"}, measurement, launches);
}

std::unique_ptr<Command> makeBenchEntryCommand() { return std::make_unique<BenchEntryCommand>(); }

} // namespace quern::runtime
