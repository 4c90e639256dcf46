//===- Benchmark.h - runs that are measured several times --------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_BENCHMARK_H
#define QUERN_RUNTIME_CLI_BENCHMARK_H

#include "quern/Runtime.h"
#include "runtime/cli/Profile.h"
#include "runtime/llm/Sampler.h"

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace quern::runtime {

/// What speeds are told in.
struct BenchUnit {
  /// The column of the table: `t/s`.
  const char *column = nullptr;
  /// The end of the keys in JSON: `ts` of `avg_ts`.
  const char *suffix = nullptr;
};

/// A run that is measured several times.
struct BenchTest {
  /// `pp512`, `8 images`.
  std::string name;
  /// Its sizes as JSON names them: `n_prompt`, 512.
  std::vector<std::pair<const char *, int64_t>> sizes;
  /// Tokens or images of one run.
  int64_t count = 0;
  /// Runs once on random inputs; the time of what is measured, in nanoseconds.
  std::function<Result<uint64_t>(RandomGenerator &random)> run;
};

/// How runs are measured, and what is told of them.
class MeasurementOptions : public SharedOptions {
public:
  const char *getTitle() const override { return "Measurements"; }
  std::vector<Option> getOptions() override;

  bool json = false;
  int64_t repetitions = 5;
};

/// The system's monotonic clock.
uint64_t nowInNanoseconds();

/// Runs each test `-r` times after a warm-up of half a second and prints the speeds, as a table or in JSON. Runs each
/// once more, launch by launch, if `launches` asks for a profile or a trace.
Result<void> measure(Session &session, std::span<const BenchTest> tests, const BenchUnit &unit,
                     const MeasurementOptions &options, const LaunchOptions &launches);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_BENCHMARK_H
