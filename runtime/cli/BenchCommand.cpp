//===- BenchCommand.cpp - tokens per second, as llama-bench measures them -----------------------===//

#include "runtime/cli/Benchmark.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/TextOptions.h"
#include "runtime/llm/Engine.h"

namespace quern::runtime {

static std::vector<int32_t> drawTokens(int64_t count, int64_t vocabSize, RandomGenerator &random) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(random.nextInteger() % static_cast<uint64_t>(vocabSize));
  return tokens;
}

/// Feeds `count` random tokens to each sequence, one sequence after the other.
static Result<void> feedPrompts(Engine &engine, int64_t count, RandomGenerator &random) {
  for (int64_t sequence = 0; count && sequence < engine.getSequenceCount(); ++sequence)
    if (Result<void> done = engine.read(drawTokens(count, engine.getVocabSize(), random), sequence); !done)
      return done;
  return {};
}

/// Feeds each sequence one more random token.
static Result<void> feedNext(Engine &engine, RandomGenerator &random) {
  std::vector<int32_t> tokens = drawTokens(engine.getSequenceCount(), engine.getVocabSize(), random);
  std::vector<StepPiece> pieces;
  for (size_t i = 0; i < tokens.size(); ++i)
    pieces.push_back({static_cast<int64_t>(i), std::span(tokens).subspan(i, 1), 1});
  for (std::span<const StepPiece> rest = pieces; !rest.empty();) {
    size_t part = std::min(rest.size(), static_cast<size_t>(engine.getMaxWanted()));
    if (Result<void> done = engine.run(rest.first(part)); !done)
      return done;
    rest = rest.subspan(part);
  }
  return {};
}

namespace {

/// What is measured: each of `parallel` sequences reads `prompt` tokens, then all make `generated` ones, after `depth`
/// tokens.
struct Steps {
  int64_t prompt = 0;
  int64_t generated = 0;
  int64_t depth = 0;
  int64_t parallel = 1;

  /// `pp512`, `tg128 @ d1024`, `4 x tg128`.
  std::string getName() const {
    std::string name = prompt ? "pp" + std::to_string(prompt) : "tg" + std::to_string(generated);
    if (parallel > 1)
      name = std::to_string(parallel) + " x " + name;
    return depth ? name + " @ d" + std::to_string(depth) : name;
  }
};

} // namespace

/// One measurement: its time in nanoseconds. As llama-bench: random tokens, no sampling.
static Result<uint64_t> measureOnce(Engine &engine, const Steps &steps, RandomGenerator &random) {
  for (int64_t sequence = 0; sequence < engine.getSequenceCount(); ++sequence)
    engine.rewind(0, sequence);
  if (Result<void> done = feedPrompts(engine, steps.depth, random); !done)
    return done.error();
  uint64_t begin = nowInNanoseconds();
  if (Result<void> done = feedPrompts(engine, steps.prompt, random); !done)
    return done.error();
  for (int64_t i = 0; i < steps.generated; ++i)
    if (Result<void> done = feedNext(engine, random); !done)
      return done.error();
  return nowInNanoseconds() - begin;
}

namespace {

class BenchCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--bench", "measure tokens per second").chooses(),
        Option("--parallel, -np", parallel, "N", {1, 1024}, "sequences at a time (1)"),
        Option("-p", promptSize, "N", {0, mostThings}, "prompt tokens of a measurement (512)"),
        Option("-n", newTokens, "N", {0, mostThings}, "new tokens of a measurement (128)"),
        Option("--depth, -d", depth, "D", {0, mostThings}, "tokens in the context before a measurement (0)"),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&context, &steps, &measurement, &launches}; }
  Result<void> run(Session &session) override;

private:
  Result<std::vector<BenchTest>> getTests(Engine &engine) const;

  int64_t parallel = 1, promptSize = 512, newTokens = 128, depth = 0;
  ContextOptions context;
  BatchOptions steps;
  MeasurementOptions measurement;
  LaunchOptions launches;
};

} // namespace

/// Reading and making tokens, each after `--depth` tokens.
Result<std::vector<BenchTest>> BenchCommand::getTests(Engine &engine) const {
  Result<int64_t> contextSize = context.getSize(engine.getContextSize());
  if (!contextSize)
    return contextSize.error();
  std::vector<BenchTest> tests;
  for (Steps steps : {Steps{promptSize, 0, depth, parallel}, Steps{0, newTokens, depth, parallel}}) {
    int64_t size = steps.prompt + steps.generated;
    if (size + depth > *contextSize)
      return Error{"`" + steps.getName() + "` needs " + std::to_string(size + depth) + " tokens, the context holds " +
                   std::to_string(*contextSize)};
    if (size)
      tests.push_back(
          {steps.getName(),
           {{"n_prompt", steps.prompt}, {"n_gen", steps.generated}, {"n_depth", depth}, {"n_parallel", parallel}},
           parallel * size,
           [&engine, steps](RandomGenerator &random) { return measureOnce(engine, steps, random); }});
  }
  if (tests.empty())
    return misuse("`-p` and `-n` are both 0, expected tokens to measure");
  return tests;
}

Result<void> BenchCommand::run(Session &session) {
  Result<Engine> engine = Engine::create(session, {steps.batch, parallel});
  if (!engine)
    return engine.error();
  Result<std::vector<BenchTest>> tests = getTests(*engine);
  if (!tests)
    return tests.error();
  return measure(session, *tests, {"t/s", "ts"}, measurement, launches);
}

std::unique_ptr<Command> makeBenchCommand() { return std::make_unique<BenchCommand>(); }

} // namespace quern::runtime
