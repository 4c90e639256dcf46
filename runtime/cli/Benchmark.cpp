//===- Benchmark.cpp - runs that are measured several times ------------------------------------===//

#include "runtime/cli/Benchmark.h"

#include "runtime/cli/Common.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace quern::runtime {

/// How long runs are not measured at first, in nanoseconds: clocks and caches settle.
static constexpr uint64_t warmUpTime = 500'000'000;

std::vector<Option> MeasurementOptions::getOptions() {
  return {
      Option("--json", json, "print the results in JSON"),
      Option("-r", repetitions, "R", {1, 1000000}, "measurements of which the mean is taken (5)"),
  };
}

uint64_t nowInNanoseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

namespace {

/// Mean and sample standard deviation.
struct Statistics {
  double mean = 0;
  double deviation = 0;
};

struct Measurement {
  const BenchTest *test;
  std::vector<uint64_t> nanoseconds;

  /// Tokens or images per second.
  std::vector<double> getSpeeds() const {
    std::vector<double> speeds;
    for (uint64_t time : nanoseconds)
      speeds.push_back(static_cast<double>(test->count) * 1e9 / static_cast<double>(std::max<uint64_t>(time, 1)));
    return speeds;
  }
};

} // namespace

static Statistics summarize(std::span<const double> samples) {
  Statistics statistics;
  for (double sample : samples)
    statistics.mean += sample / static_cast<double>(samples.size());
  if (samples.size() < 2)
    return statistics;
  double squares = 0;
  for (double sample : samples)
    squares += (sample - statistics.mean) * (sample - statistics.mean);
  statistics.deviation = std::sqrt(squares / static_cast<double>(samples.size() - 1));
  return statistics;
}

static Result<Measurement> measureTest(const BenchTest &test, int64_t repetitions) {
  RandomGenerator random(1);
  Measurement measurement{&test, {}};
  // The first touches weights, states and arena.
  uint64_t begin = nowInNanoseconds();
  do {
    if (Result<uint64_t> warmUp = test.run(random); !warmUp)
      return warmUp.error();
  } while (nowInNanoseconds() - begin < warmUpTime);
  for (int64_t i = 0; i < repetitions; ++i) {
    Result<uint64_t> time = test.run(random);
    if (!time)
      return time.error();
    measurement.nanoseconds.push_back(*time);
  }
  return measurement;
}

static std::string formatTable(const Session &session, std::span<const Measurement> measurements,
                               const BenchUnit &unit) {
  std::string text =
      std::string("| model | weights | threads | test | ") + unit.column + " |\n| --- | ---: | ---: | ---: | ---: |\n";
  for (const Measurement &measurement : measurements) {
    Statistics speed = summarize(measurement.getSpeeds());
    char row[512];
    std::snprintf(row, sizeof(row), "| %.100s | %.2f MiB | %u | %s | %.2f ± %.2f |\n",
                  session.getDescription().model.c_str(),
                  static_cast<double>(session.getDescription().weightsBytes) / 1048576.0, session.getThreadCount(),
                  measurement.test->name.c_str(), speed.mean, speed.deviation);
    text += row;
  }
  char row[128];
  std::snprintf(row, sizeof(row), "\npeak memory: %.1f MiB\n", static_cast<double>(getPeakMemory()) / 1048576.0);
  return text + row;
}

static std::string formatJson(const Session &session, std::span<const Measurement> measurements,
                              const BenchUnit &unit) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  std::string suffix = unit.suffix;
  for (const Measurement &measurement : measurements) {
    std::vector<double> speeds = measurement.getSpeeds();
    std::vector<double> times(measurement.nanoseconds.begin(), measurement.nanoseconds.end());
    Statistics speed = summarize(speeds);
    Statistics time = summarize(times);
    Json row = {{"model", session.getDescription().model},
                {"model_size", session.getDescription().weightsBytes},
                {"target", session.getTarget().name},
                {"n_threads", session.getThreadCount()},
                {"test", measurement.test->name}};
    for (const auto &[name, size] : measurement.test->sizes)
      row[name] = size;
    row["avg_ns"] = static_cast<uint64_t>(time.mean);
    row["stddev_ns"] = static_cast<uint64_t>(time.deviation);
    row["avg_" + suffix] = speed.mean;
    row["stddev_" + suffix] = speed.deviation;
    row["samples_ns"] = measurement.nanoseconds;
    row["samples_" + suffix] = speeds;
    row["peak_memory_bytes"] = getPeakMemory();
    list.push_back(std::move(row));
  }
  return list.dump(2) + "\n";
}

/// Runs each test once more, launch by launch, and says where the time went as the line asks for it.
static Result<void> profile(Session &session, std::span<const BenchTest> tests, const MeasurementOptions &options,
                            const LaunchOptions &asked) {
  Roofline roofline = measureRoofline(session.getThreadCount());
  session.setProfiling(true);
  for (const BenchTest &test : tests) {
    // What a test prepares is not part of what is measured; it is with a profile.
    size_t before = session.getLaunches().size();
    RandomGenerator random(1);
    if (Result<uint64_t> time = test.run(random); !time)
      return time.error();
    if (!asked.profile)
      continue;
    std::span<const KernelLaunch> launches = std::span(session.getLaunches()).subspan(before);
    std::string text = "\n" + test.name + "\n\n" + formatProfile(session, launches, roofline);
    // JSON has the standard output for itself.
    if (options.json)
      std::fputs(text.c_str(), stderr);
    else if (Result<void> done = print(text); !done)
      return done;
  }
  session.setProfiling(false);
  return asked.trace ? writeTrace(session, session.getLaunches(), roofline, *asked.trace) : Result<void>();
}

Result<void> measure(Session &session, std::span<const BenchTest> tests, const BenchUnit &unit,
                     const MeasurementOptions &options, const LaunchOptions &launches) {
  session.settleWeights();
  std::vector<Measurement> measurements;
  for (const BenchTest &test : tests) {
    Result<Measurement> measurement = measureTest(test, options.repetitions);
    if (!measurement)
      return measurement.error();
    measurements.push_back(std::move(*measurement));
  }
  Result<void> done =
      print(options.json ? formatJson(session, measurements, unit) : formatTable(session, measurements, unit));
  if (!done || !launches.isAsked())
    return done;
  return profile(session, tests, options, launches);
}

} // namespace quern::runtime
