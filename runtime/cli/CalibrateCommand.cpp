//===- CalibrateCommand.cpp - how often heads are right, and what steps take ----------------------===//

#include "runtime/File.h"
#include "runtime/OutputFile.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/Common.h"
#include "runtime/cli/TextOptions.h"
#include "runtime/llm/MedusaGuesser.h"
#include "runtime/llm/Tokenizer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace quern::runtime {

using Json = nlohmann::ordered_json;

namespace {

/// Reads texts with the model and holds the guesses of its heads against them.
class Calibration {
public:
  Calibration(Engine &engine, MedusaHeads &heads)
      : engine(engine), heads(heads), right(static_cast<size_t>(signature.heads)),
        asked(static_cast<size_t>(signature.heads)) {
    for (std::vector<int64_t> &counts : right)
      counts.resize(static_cast<size_t>(signature.guesses));
  }

  /// Counts the guesses behind each of `tokens`, a text of its own that fits into the context.
  Result<void> read(std::span<const int32_t> tokens);
  /// Measures steps of 1 to 64 rows, each with the heads for one row but the first.
  Result<void> measure();
  Json describe() const;

private:
  void count(std::span<const int32_t> guesses, std::span<const int32_t> next);
  Result<double> time(int64_t rows);

  Engine &engine;
  MedusaHeads &heads;
  const GuesserSignature &signature = heads.getSignature();
  /// How often each guess of each head was right, and how often a head was asked.
  std::vector<std::vector<int64_t>> right;
  std::vector<int64_t> asked;
  int64_t positions = 0;
  Json seconds = Json::array();
};

} // namespace

/// `guesses`, [heads, guesses], behind a token whose next ones are `next`: the first of those is the model's own.
void Calibration::count(std::span<const int32_t> guesses, std::span<const int32_t> next) {
  ++positions;
  for (size_t head = 0; head < right.size() && head + 1 < next.size(); ++head) {
    std::span<const int32_t> own = guesses.subspan(head * right[head].size(), right[head].size());
    ++asked[head];
    auto found = std::find(own.begin(), own.end(), next[head + 1]);
    if (found != own.end())
      ++right[head][static_cast<size_t>(found - own.begin())];
  }
}

Result<void> Calibration::read(std::span<const int32_t> tokens) {
  engine.rewind(0);
  int64_t most = std::min(engine.getMaxWanted(), signature.maxRows);
  std::vector<float> rows;
  std::vector<int32_t> guesses;
  for (size_t begin = 0; begin < tokens.size();) {
    size_t part = std::min(tokens.size() - begin, static_cast<size_t>(most));
    const StepPiece piece[] = {{0, tokens.subspan(begin, part), static_cast<int64_t>(part)}};
    if (Result<void> done = engine.run(piece); !done)
      return done;
    rows.clear();
    for (size_t row = 0; row < part; ++row)
      rows.insert(rows.end(), engine.getHidden(static_cast<int64_t>(row)).begin(),
                  engine.getHidden(static_cast<int64_t>(row)).end());
    if (Result<void> done = heads.run(rows, static_cast<int64_t>(part), guesses); !done)
      return done;
    size_t perRow = guesses.size() / part;
    for (size_t row = 0; row < part; ++row)
      count(std::span(guesses).subspan(row * perRow, perRow), tokens.subspan(begin + row + 1));
    begin += part;
  }
  return {};
}

/// Seconds of a step of `rows` rows behind what was read: the middle of several.
Result<double> Calibration::time(int64_t rows) {
  constexpr size_t runs = 9;
  using Clock = std::chrono::steady_clock;
  std::vector<int32_t> tokens(static_cast<size_t>(rows)), guesses;
  std::vector<double> taken;
  int64_t size = engine.getSize();
  for (size_t run = 0; run < runs; ++run) {
    Clock::time_point begin = Clock::now();
    const StepPiece piece[] = {{0, tokens, rows}};
    if (Result<void> done = engine.run(piece); !done)
      return done.error();
    if (rows > 1)
      if (Result<void> done = heads.run(engine.getHidden(0), 1, guesses); !done)
        return done.error();
    taken.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    engine.rewind(size);
  }
  std::nth_element(taken.begin(), taken.begin() + runs / 2, taken.end());
  return taken[runs / 2];
}

Result<void> Calibration::measure() {
  constexpr int64_t before = 256;
  int64_t most = std::min(engine.getMaxWanted(), engine.getContextSize() / 2);
  std::vector<int32_t> tokens(static_cast<size_t>(std::min(before, engine.getContextSize() / 2)));
  engine.rewind(0);
  if (Result<void> done = engine.read(tokens); !done)
    return done;
  for (int64_t rows = 1; rows <= std::min<int64_t>(most, maxTreeTokens); rows *= 2) {
    Result<double> taken = time(rows);
    if (!taken)
      return taken.error();
    seconds.push_back({rows, *taken});
  }
  return {};
}

Json Calibration::describe() const {
  Json accuracies = Json::array();
  for (size_t head = 0; head < right.size(); ++head) {
    Json own = Json::array();
    for (int64_t count : right[head])
      own.push_back(static_cast<double>(count) / static_cast<double>(std::max<int64_t>(asked[head], 1)));
    accuracies.push_back(std::move(own));
  }
  return {{"format", "quern-medusa-calibration-1"},
          {"positions", positions},
          {"accuracies", accuracies},
          {"step_seconds", seconds}};
}

namespace {

/// How often each guess of the model's heads is right on a text, and what steps take: what `quern compile
/// --medusa-calibration` builds a tree from.
class CalibrateCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--calibrate", file, "FILE",
               "measure how often the model's heads guess the text of FILE, for `quern compile --medusa-calibration`")
            .chooses()
            .reads(),
        Option("--output, -o", output, "FILE", "where to (the standard output)"),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&steps}; }
  Result<void> run(Session &session) override;

private:
  std::optional<std::string> file, output;
  BatchOptions steps;
};

} // namespace

Result<void> CalibrateCommand::run(Session &session) {
  if (output)
    if (Result<void> valid = checkOutput(*output); !valid)
      return valid;
  Result<Engine> engine = Engine::create(session, {steps.batch});
  if (!engine)
    return engine.error();
  std::optional<MedusaHeads> heads = MedusaHeads::find(session, engine->getHiddenSize());
  if (!heads)
    return Error{"the model has no heads that guess; compile it with `medusa.qn` and heads"};
  Result<std::string> text = readFile(*file, maxTextBytes);
  if (!text)
    return text.error();
  Result<Tokenizer> tokenizer = Tokenizer::create(session);
  if (!tokenizer)
    return tokenizer.error();
  Result<std::vector<int32_t>> tokens = tokenizer->encodePrompt(*text);
  if (!tokens)
    return tokens.error();
  for (int32_t token : *tokens)
    if (token < 0 || token >= engine->getVocabSize())
      return Error{"`" + *file + "` has the token " + std::to_string(token) + ", the model's vocabulary is 0 to " +
                   std::to_string(engine->getVocabSize() - 1)};
  if (std::ssize(*tokens) < heads->getSignature().heads + 2)
    return Error{"`" + *file + "` has " + std::to_string(tokens->size()) + " tokens, expected more than the " +
                 std::to_string(heads->getSignature().heads + 1) + " that the heads and the model guess behind one"};
  Calibration calibration(*engine, *heads);
  for (std::span<const int32_t> rest = *tokens; !rest.empty();) {
    size_t part = std::min(rest.size(), static_cast<size_t>(engine->getContextSize()));
    if (Result<void> done = calibration.read(rest.first(part)); !done)
      return done;
    rest = rest.subspan(part);
  }
  if (Result<void> done = calibration.measure(); !done)
    return done;
  std::string json = calibration.describe().dump(2) + "\n";
  if (!output)
    return print(json);
  Result<OutputFile> written = OutputFile::create(*output);
  if (!written)
    return written.error();
  if (Result<void> done = written->write(json.data(), json.size()); !done)
    return done;
  return written->finish();
}

std::unique_ptr<Command> makeCalibrateCommand() { return std::make_unique<CalibrateCommand>(); }

} // namespace quern::runtime
