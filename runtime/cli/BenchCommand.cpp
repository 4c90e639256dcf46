//===- BenchCommand.cpp - tokens per second, as llama-bench measures them -----------------------===//

#include "runtime/cli/Commands.h"
#include "runtime/cli/Profile.h"
#include "runtime/llm/LanguageModel.h"
#include "runtime/llm/Sampler.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace quern::runtime {

static uint64_t nowInNanoseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

namespace {

/// What is measured: reading `prompt` tokens, then making `generated` ones, after `depth` tokens.
struct Test {
  int64_t prompt = 0;
  int64_t generated = 0;
  int64_t depth = 0;

  /// `pp512`, `tg128 @ d1024`.
  std::string getName() const {
    std::string name = prompt ? "pp" + std::to_string(prompt) : "tg" + std::to_string(generated);
    return depth ? name + " @ d" + std::to_string(depth) : name;
  }
};

/// Mean and sample standard deviation.
struct Statistics {
  double mean = 0;
  double deviation = 0;
};

struct Measurement {
  Test test;
  std::vector<uint64_t> nanoseconds;
  std::vector<double> getTokensPerSecond() const {
    std::vector<double> speeds;
    for (uint64_t time : nanoseconds)
      speeds.push_back(static_cast<double>(test.prompt + test.generated) * 1e9 /
                       static_cast<double>(std::max<uint64_t>(time, 1)));
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

static std::vector<int32_t> drawTokens(int64_t count, int64_t vocabSize, RandomGenerator &random) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(random.nextInteger() % static_cast<uint64_t>(vocabSize));
  return tokens;
}

static Result<void> feedAll(LanguageModel &model, std::span<const int32_t> tokens) {
  if (tokens.empty())
    return {};
  Result<std::span<const float>> logits = model.feed(tokens);
  return logits ? Result<void>() : logits.error();
}

/// One measurement: its time in nanoseconds. As llama-bench: random tokens, no sampling.
static Result<uint64_t> measureOnce(LanguageModel &model, const Test &test, RandomGenerator &random) {
  int64_t vocabSize = model.getVocabSize();
  model.rewind(0);
  if (Result<void> done = feedAll(model, drawTokens(test.depth, vocabSize, random)); !done)
    return done.error();
  std::vector<int32_t> prompt = drawTokens(test.prompt, vocabSize, random);
  std::vector<int32_t> generated = drawTokens(test.generated, vocabSize, random);
  uint64_t begin = nowInNanoseconds();
  if (Result<void> done = feedAll(model, prompt); !done)
    return done.error();
  for (const int32_t &token : generated)
    if (Result<void> done = feedAll(model, {&token, 1}); !done)
      return done.error();
  return nowInNanoseconds() - begin;
}

static Result<Measurement> measure(LanguageModel &model, const Test &test, int64_t repetitions) {
  RandomGenerator random(1);
  Measurement measurement{test, {}};
  // The first touches weights, states and arena.
  if (Result<uint64_t> warmUp = measureOnce(model, test, random); !warmUp)
    return warmUp.error();
  for (int64_t i = 0; i < repetitions; ++i) {
    Result<uint64_t> time = measureOnce(model, test, random);
    if (!time)
      return time.error();
    measurement.nanoseconds.push_back(*time);
  }
  return measurement;
}

static std::string formatTable(const Session &session, std::span<const Measurement> measurements) {
  std::string text = "| model | weights | threads | test | t/s |\n| --- | ---: | ---: | ---: | ---: |\n";
  for (const Measurement &measurement : measurements) {
    Statistics speed = summarize(measurement.getTokensPerSecond());
    char row[512];
    std::snprintf(row, sizeof(row), "| %.100s | %.2f MiB | %u | %s | %.2f ± %.2f |\n",
                  session.getDescription().model.c_str(),
                  static_cast<double>(session.getDescription().weightsBytes) / 1048576.0,
                  session.getThreadCount(), measurement.test.getName().c_str(), speed.mean,
                  speed.deviation);
    text += row;
  }
  char row[128];
  std::snprintf(row, sizeof(row), "\npeak memory: %.1f MiB\n",
                static_cast<double>(getPeakMemory()) / 1048576.0);
  return text + row;
}

static std::string formatJson(const Session &session, std::span<const Measurement> measurements) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Measurement &measurement : measurements) {
    std::vector<double> speeds = measurement.getTokensPerSecond();
    std::vector<double> times(measurement.nanoseconds.begin(), measurement.nanoseconds.end());
    Statistics speed = summarize(speeds);
    Statistics time = summarize(times);
    list.push_back({{"model", session.getDescription().model},
                    {"model_size", session.getDescription().weightsBytes},
                    {"target", session.getTarget().name},
                    {"n_threads", session.getThreadCount()},
                    {"test", measurement.test.getName()},
                    {"n_prompt", measurement.test.prompt},
                    {"n_gen", measurement.test.generated},
                    {"n_depth", measurement.test.depth},
                    {"avg_ns", static_cast<uint64_t>(time.mean)},
                    {"stddev_ns", static_cast<uint64_t>(time.deviation)},
                    {"avg_ts", speed.mean},
                    {"stddev_ts", speed.deviation},
                    {"samples_ns", measurement.nanoseconds},
                    {"samples_ts", speeds},
                    {"peak_memory_bytes", getPeakMemory()}});
  }
  return list.dump(2) + "\n";
}

/// The line's tests: reading and making tokens, each after `--depth` tokens.
static Result<std::vector<Test>> getTests(const CommandLine &line, int64_t contextSize) {
  std::vector<Test> tests;
  int64_t depth = line.depth.value_or(0);
  for (Test test : {Test{line.promptSize.value_or(512), 0, depth},
                    Test{0, line.newTokens.value_or(128), depth}}) {
    int64_t size = test.prompt + test.generated;
    if (size + depth > contextSize)
      return Error{"`" + test.getName() + "` needs " + std::to_string(size + depth) +
                   " tokens, the context holds " + std::to_string(contextSize)};
    if (size)
      tests.push_back(test);
  }
  return tests;
}

/// Measures each test once more, launch by launch, and prints where the time went if the line asks for it.
static Result<void> profile(Session &session, LanguageModel &model, std::span<const Test> tests, const CommandLine &line) {
  session.setProfiling(true);
  for (const Test &test : tests) {
    // Filling the context up to the depth is not part of what is measured; it is with a profile.
    size_t before = session.getLaunches().size();
    RandomGenerator random(1);
    if (Result<uint64_t> time = measureOnce(model, test, random); !time)
      return time.error();
    if (!line.profile)
      continue;
    std::span<const KernelLaunch> launches = std::span(session.getLaunches()).subspan(before);
    std::string text = "\n" + test.getName() + "\n\n" + formatProfile(session, launches);
    // JSON has the standard output for itself.
    if (line.json)
      std::fputs(text.c_str(), stderr);
    else if (Result<void> done = print(text); !done)
      return done;
  }
  session.setProfiling(false);
  return {};
}

Result<void> runBench(Session &session, const CommandLine &line) {
  Result<LanguageModel> model = LanguageModel::create(session, line.batch);
  if (!model)
    return model.error();
  Result<int64_t> contextSize = getContextSize(line, model->getContextSize());
  if (!contextSize)
    return contextSize.error();
  Result<std::vector<Test>> tests = getTests(line, *contextSize);
  if (!tests)
    return tests.error();
  std::vector<Measurement> measurements;
  for (const Test &test : *tests) {
    Result<Measurement> measurement = measure(*model, test, line.repetitions.value_or(5));
    if (!measurement)
      return measurement.error();
    measurements.push_back(std::move(*measurement));
  }
  Result<void> done = print(line.json ? formatJson(session, measurements) : formatTable(session, measurements));
  if (!done || !(line.profile || line.trace))
    return done;
  return profile(session, *model, *tests, line);
}

} // namespace quern::runtime
