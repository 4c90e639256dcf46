//===- BenchEntryCommand.cpp - runs per second of any entry, on random inputs -------------------===//

#include "runtime/cli/Benchmark.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/Common.h"
#include "runtime/cli/EntryInputs.h"

#include <algorithm>

namespace quern::runtime {

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
    std::vector<Tensor> inputs = makeInputs(entry, *sizes, depth, random);
    std::vector<TensorView> views = getViews(inputs);
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
