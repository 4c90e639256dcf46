//===- BenchCommand.cpp - tokens per second, as llama-bench measures them -----------------------===//

#include "runtime/cli/Benchmark.h"
#include "runtime/cli/Commands.h"
#include "runtime/llm/LanguageModel.h"

namespace quern::runtime {

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

namespace {

/// What is measured: reading `prompt` tokens, then making `generated` ones, after `depth` tokens.
struct Steps {
  int64_t prompt = 0;
  int64_t generated = 0;
  int64_t depth = 0;

  /// `pp512`, `tg128 @ d1024`.
  std::string getName() const {
    std::string name = prompt ? "pp" + std::to_string(prompt) : "tg" + std::to_string(generated);
    return depth ? name + " @ d" + std::to_string(depth) : name;
  }
};

} // namespace

/// One measurement: its time in nanoseconds. As llama-bench: random tokens, no sampling.
static Result<uint64_t> measureOnce(LanguageModel &model, const Steps &steps, RandomGenerator &random) {
  int64_t vocabSize = model.getVocabSize();
  model.rewind(0);
  if (Result<void> done = feedAll(model, drawTokens(steps.depth, vocabSize, random)); !done)
    return done.error();
  std::vector<int32_t> prompt = drawTokens(steps.prompt, vocabSize, random);
  std::vector<int32_t> generated = drawTokens(steps.generated, vocabSize, random);
  uint64_t begin = nowInNanoseconds();
  if (Result<void> done = feedAll(model, prompt); !done)
    return done.error();
  for (const int32_t &token : generated)
    if (Result<void> done = feedAll(model, {&token, 1}); !done)
      return done.error();
  return nowInNanoseconds() - begin;
}

/// The line's tests: reading and making tokens, each after `--depth` tokens.
static Result<std::vector<BenchTest>> getTests(LanguageModel &model, const CommandLine &line, int64_t contextSize) {
  std::vector<BenchTest> tests;
  int64_t depth = line.depth.value_or(0);
  for (Steps steps : {Steps{line.promptSize.value_or(512), 0, depth}, Steps{0, line.newTokens.value_or(128), depth}}) {
    int64_t size = steps.prompt + steps.generated;
    if (size + depth > contextSize)
      return Error{"`" + steps.getName() + "` needs " + std::to_string(size + depth) +
                   " tokens, the context holds " + std::to_string(contextSize)};
    if (size)
      tests.push_back({steps.getName(),
                       {{"n_prompt", steps.prompt}, {"n_gen", steps.generated}, {"n_depth", depth}},
                       size,
                       [&model, steps](RandomGenerator &random) { return measureOnce(model, steps, random); }});
  }
  if (tests.empty())
    return Error{"`-p` and `-n` are both 0, expected tokens to measure", ErrorKind::Usage};
  return tests;
}

Result<void> runBench(Session &session, const CommandLine &line) {
  Result<LanguageModel> model = LanguageModel::create(session, line.batch);
  if (!model)
    return model.error();
  Result<int64_t> contextSize = getContextSize(line, model->getContextSize());
  if (!contextSize)
    return contextSize.error();
  Result<std::vector<BenchTest>> tests = getTests(*model, line, *contextSize);
  if (!tests)
    return tests.error();
  return measure(session, *tests, {"t/s", "ts"}, line);
}

} // namespace quern::runtime
