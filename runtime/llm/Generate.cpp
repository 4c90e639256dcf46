//===- Generate.cpp - continues sequences of tokens --------------------------------------------===//

#include "runtime/llm/Generate.h"

#include <algorithm>
#include <chrono>

namespace quern::runtime {

namespace {

/// How many rows of a prompt a step takes beside the next tokens of other texts: all that there is room for, or so many
/// that those come at most 1 + `slack` times as late as without, as far as the steps before show. What texts hold does
/// not depend on it.
class PromptPace {
public:
  explicit PromptPace(std::optional<double> slack) : slack(slack) {}

  /// 0: none, so that what a step takes without a prompt is known.
  int64_t getRows() {
    if (!slack)
      return maxRows;
    if (alone == 0 || ++mixed % probeEvery == 0)
      return 0;
    if (perRow == 0)
      return firstRows;
    return std::clamp<int64_t>(static_cast<int64_t>(*slack * alone / perRow), 1, maxRows);
  }
  /// A step of `prompt` rows of a prompt beside others took so long.
  void note(int64_t prompt, double seconds) {
    double &mean = prompt ? perRow : alone;
    double sample = prompt ? std::max(seconds - alone, smallest) / static_cast<double>(prompt) : seconds;
    if (prompt == 0 || alone != 0)
      mean = mean == 0 ? sample : mean + (sample - mean) / 4;
  }

private:
  static constexpr int64_t firstRows = 4, maxRows = 512, probeEvery = 64;
  static constexpr double smallest = 1e-9;

  std::optional<double> slack;
  /// Seconds: of a step without a prompt, and of each of its rows with one.
  double alone = 0, perRow = 0;
  int64_t mixed = 0;
};

/// A text in a sequence of the engine, of which the first `fed` tokens are read.
struct RunningText {
  Continuation *text = nullptr;
  size_t fed = 0;

  std::span<const int32_t> getRest() const { return std::span(text->tokens).subspan(fed); }
};

/// The texts that are being continued.
class Generator {
public:
  Generator(Engine &engine, std::span<Continuation> texts, std::span<const int32_t> stopTokens,
            std::optional<double> slack)
      : engine(engine), waiting(texts), stopTokens(stopTokens), running(static_cast<size_t>(engine.getSequenceCount())),
        pace(slack) {}

  /// Begins the next texts where a sequence is free.
  void begin();
  /// Reads on in each text that is running, as far as one or more steps go; false when there is none.
  Result<bool> advance();

private:
  Result<void> step(std::span<const StepPiece> pieces, int64_t prompt);
  Result<void> choose(RunningText &sequence, std::span<const float> logits);

  Engine &engine;
  /// The texts that have not begun.
  std::span<Continuation> waiting;
  std::span<const int32_t> stopTokens;
  /// The text of each sequence, or none.
  std::vector<RunningText> running;
  PromptPace pace;
};

} // namespace

void Generator::begin() {
  for (size_t sequence = 0; sequence < running.size(); ++sequence) {
    while (!running[sequence].text && !waiting.empty()) {
      if (waiting.front().newTokens > 0)
        running[sequence] = {&waiting.front(), 0};
      waiting = waiting.subspan(1);
    }
    if (running[sequence].text && running[sequence].fed == 0)
      engine.rewind(0, static_cast<int64_t>(sequence));
  }
}

/// Chooses the next token of a sequence's text, which may end with it.
Result<void> Generator::choose(RunningText &sequence, std::span<const float> logits) {
  Continuation &text = *sequence.text;
  Result<int32_t> token = text.sampler.sample(logits, text.tokens);
  if (!token)
    return token.error();
  text.tokens.push_back(*token);
  bool isStop = std::find(stopTokens.begin(), stopTokens.end(), *token) != stopTokens.end();
  if (--text.newTokens < 1 || isStop)
    sequence.text = nullptr;
  return text.sink->take(*token);
}

/// One step over `pieces`, of which one has `prompt` rows of a prompt; then the next token of each text that is read.
Result<void> Generator::step(std::span<const StepPiece> pieces, int64_t prompt) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  if (Result<void> done = engine.run(pieces); !done)
    return done;
  if (prompt == 0 || pieces.size() > 1)
    pace.note(prompt, std::chrono::duration<double>(Clock::now() - begin).count());
  int64_t row = 0;
  for (const StepPiece &piece : pieces) {
    RunningText &sequence = running[static_cast<size_t>(piece.sequence)];
    sequence.fed += piece.tokens.size();
    if (piece.wanted == 0)
      continue;
    if (Result<void> chosen = choose(sequence, engine.getLogits(row++)); !chosen)
      return chosen;
  }
  return {};
}

Result<bool> Generator::advance() {
  std::vector<StepPiece> pieces;
  const RunningText *prompt = nullptr;
  for (const RunningText &sequence : running) {
    if (!sequence.text)
      continue;
    if (sequence.getRest().size() == 1)
      pieces.push_back({&sequence - running.data(), sequence.getRest(), 1});
    else if (!prompt)
      prompt = &sequence;
  }
  if (pieces.empty() && !prompt)
    return false;
  int64_t room = prompt && !pieces.empty() ? pace.getRows() : engine.getMaxRows();
  if (!prompt || room == 0) {
    for (std::span<const StepPiece> rest = pieces; !rest.empty();) {
      size_t part = std::min(rest.size(), static_cast<size_t>(engine.getDecodeRows()));
      if (Result<void> done = step(rest.first(part), 0); !done)
        return done.error();
      rest = rest.subspan(part);
    }
    return true;
  }
  // The prompt's piece is last; what finds no room beside it waits for the next step.
  pieces.resize(std::min(
      {pieces.size(), static_cast<size_t>(engine.getMaxRows() - 1), static_cast<size_t>(engine.getMaxWanted() - 1)}));
  room = std::min(room, engine.getMaxRows() - static_cast<int64_t>(pieces.size()));
  std::span<const int32_t> rest = prompt->getRest();
  size_t part = std::min(rest.size(), static_cast<size_t>(room));
  pieces.push_back({prompt - running.data(), rest.first(part), part == rest.size()});
  if (Result<void> done = step(pieces, static_cast<int64_t>(part)); !done)
    return done.error();
  return true;
}

Result<void> generate(Engine &engine, std::span<Continuation> texts, std::span<const int32_t> stopTokens,
                      std::optional<double> slack) {
  Generator generator(engine, texts, stopTokens, slack);
  while (true) {
    generator.begin();
    Result<bool> advanced = generator.advance();
    if (!advanced || !*advanced)
      return advanced ? Result<void>() : advanced.error();
  }
}

} // namespace quern::runtime
