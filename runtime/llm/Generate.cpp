//===- Generate.cpp - continues sequences of tokens --------------------------------------------===//

#include "runtime/llm/Generate.h"

#include "runtime/llm/GuessPolicy.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace quern::runtime {

namespace {

/// How many rows of a prompt a step takes beside the next tokens of other texts: all that there is room for, or so many
/// that those come at most 1 + `slack` times as late as without, as far as the steps before show. Where not even one
/// row costs so little, since a step of several rows takes other kernels than one of one, only some steps have a piece:
/// that which reads most for what it costs. The others are at most twice as late then, and on average as `slack` says.
/// What texts hold does not depend on it.
class PromptPace {
public:
  explicit PromptPace(std::optional<double> slack) : slack(slack) {}

  /// 0: none.
  int64_t getRows();
  /// A step of `prompt` rows of a prompt beside others took so long.
  void note(int64_t prompt, double seconds);

private:
  static constexpr std::array<int64_t, 18> sizes = {1,  2,  3,  4,  6,   8,   12,  16,  24,
                                                    32, 48, 64, 96, 128, 192, 256, 384, 512};
  static constexpr int64_t probeEvery = 64;

  double getExtra(size_t index) const;

  std::optional<double> slack;
  /// Seconds: of a step without a prompt, and what a piece of each size adds to it; 0 where that is not known.
  double alone = 0;
  std::array<double, sizes.size()> extras{};
  /// Seconds that the other texts may come later yet.
  double credit = 0;
  int64_t steps = 0;
};

/// A text in a sequence of the engine, of which the first `fed` tokens are read.
struct RunningText {
  Continuation *text = nullptr;
  /// None: it waits for pages, or for its turn.
  std::optional<size_t> fed = {};
  /// The next token of a text that is written, and guesses of those behind it.
  TokenTree tree = {};

  std::span<const int32_t> getRest() const { return std::span(text->tokens).subspan(*fed); }
  /// All of its tokens but the last are read.
  bool isWritten() const { return fed && getRest().size() == 1; }
};

/// The texts that are being continued.
class Generator {
public:
  Generator(Engine &engine, std::span<Continuation> texts, std::span<const int32_t> stopTokens,
            const GenerateOptions &options)
      : engine(engine), waiting(texts), stopTokens(stopTokens), options(options),
        running(static_cast<size_t>(engine.getSequenceCount())), pace(options.slack) {
    if (options.guesser)
      policy.emplace(options.guesser->getMostGuesses(), options.guesser->hasSizes());
  }

  /// Gives the next texts to the sequences that are free.
  void assign();
  /// Reads on in each text that is running, as far as one or more steps go; false when there is none.
  Result<bool> advance();

private:
  bool begin(RunningText &sequence);
  RunningText *findPrompt();
  int64_t getNumber(const RunningText &sequence) const { return &sequence - running.data(); }
  Result<void> guess(std::span<RunningText *const> written);
  size_t countGuesses(const RunningText &sequence, size_t most) const;
  Result<void> runPieces(std::span<RunningText *const> written);
  Result<void> runPiecesWith(RunningText &prompt, std::span<RunningText *const> written, int64_t room);
  Result<void> step(std::span<const StepPiece> pieces, int64_t prompt);
  Result<void> accept(RunningText &sequence, int64_t row);
  Result<std::vector<int32_t>> follow(RunningText &sequence, int64_t row);
  Result<std::vector<int32_t>> followTypical(RunningText &sequence, int64_t row);
  Result<void> choose(RunningText &sequence, std::span<const float> logits);
  Result<void> take(RunningText &sequence, int32_t token);

  Engine &engine;
  /// The texts that have not begun.
  std::span<Continuation> waiting;
  std::span<const int32_t> stopTokens;
  const GenerateOptions &options;
  /// The text of each sequence, or none.
  std::vector<RunningText> running;
  PromptPace pace;
  std::optional<GuessPolicy> policy;
  /// What the guesses for the next step took.
  double guessSeconds = 0;
};

} // namespace

/// What a piece of a size adds to a step: of one that was not tried, what the next smaller one adds by rows.
double PromptPace::getExtra(size_t index) const {
  for (size_t known = index + 1; known-- > 0;)
    if (extras[known] > 0)
      return extras[known] * static_cast<double>(sizes[index]) / static_cast<double>(sizes[known]);
  return 0;
}

int64_t PromptPace::getRows() {
  if (!slack)
    return sizes.back();
  // What a step takes without a prompt has to be known.
  if (alone == 0 || ++steps % probeEvery == 0)
    return 0;
  double allowed = *slack * alone, most = std::max(allowed, alone);
  size_t best = 0;
  for (size_t index = 0; index < sizes.size(); ++index) {
    double extra = getExtra(index);
    bool fits = extra <= allowed, readsMore = extra * static_cast<double>(sizes[best]) <
                                              getExtra(best) * static_cast<double>(sizes[index]) * (1 + 1e-9);
    if (index == 0 || fits || (extra <= most && getExtra(best) > allowed && readsMore))
      best = index;
    // Of larger ones a guess would be bold.
    if (extras[index] == 0)
      break;
  }
  double extra = getExtra(best);
  // What is saved up is enough for a piece, however much that costs.
  credit = std::min(credit + allowed, std::max(most, extra));
  if (extra > credit)
    return 0;
  credit -= extra;
  return sizes[best];
}

void PromptPace::note(int64_t prompt, double seconds) {
  constexpr double smallest = 1e-9;
  auto size = std::find(sizes.begin(), sizes.end(), prompt);
  if (prompt > 0 && (alone == 0 || size == sizes.end()))
    return;
  double &mean = prompt == 0 ? alone : extras[static_cast<size_t>(size - sizes.begin())];
  double sample = prompt == 0 ? seconds : std::max(seconds - alone, smallest);
  mean = mean == 0 ? sample : mean + (sample - mean) / 4;
}

void Generator::assign() {
  for (RunningText &sequence : running)
    while (!sequence.text && !waiting.empty()) {
      if (waiting.front().newTokens > 0)
        sequence = {&waiting.front()};
      waiting = waiting.subspan(1);
    }
}

/// Begins to read a sequence's text, if there are pages for all that it may become, behind what is known of it.
bool Generator::begin(RunningText &sequence) {
  Continuation &text = *sequence.text;
  auto size = static_cast<int64_t>(text.tokens.size());
  // The logits behind the last token are wanted, so that it is read in any case.
  std::span<const int32_t> prompt = std::span(text.tokens).first(text.tokens.size() - 1);
  std::optional<int64_t> known =
      engine.begin(getNumber(sequence), prompt, std::min(size + text.newTokens, engine.getContextSize()));
  if (!known)
    return false;
  sequence.fed = static_cast<size_t>(*known);
  text.steps.known = *known;
  return true;
}

/// The text whose prompt is read next; texts begin one behind the other, so that each finds what those before it read.
RunningText *Generator::findPrompt() {
  auto isRead = [](const RunningText &sequence) { return sequence.text && sequence.fed && !sequence.isWritten(); };
  auto waits = [](const RunningText &sequence) { return sequence.text && !sequence.fed; };
  if (auto found = std::find_if(running.begin(), running.end(), isRead); found != running.end())
    return &*found;
  while (true) {
    auto next = std::find_if(running.begin(), running.end(), waits);
    if (next == running.end() || !begin(*next))
      return nullptr;
    if (!next->isWritten())
      return &*next;
  }
}

/// Gives the next token of a sequence's text to its sink; the text may end with it.
Result<void> Generator::take(RunningText &sequence, int32_t token) {
  Continuation &text = *sequence.text;
  text.tokens.push_back(token);
  bool isStop = std::find(stopTokens.begin(), stopTokens.end(), token) != stopTokens.end();
  if (--text.newTokens < 1 || isStop) {
    sequence.text = nullptr;
    engine.end(getNumber(sequence));
  }
  return text.sink->take(token);
}

/// Chooses the next token of a sequence's text.
Result<void> Generator::choose(RunningText &sequence, std::span<const float> logits) {
  Result<int32_t> token = sequence.text->sampler.sample(logits, sequence.text->tokens);
  return token ? take(sequence, *token) : token.error();
}

/// Chooses tokens behind a tree that the last step has read, its root at wanted row `row`, as long as they are in it:
/// the way that they go.
Result<std::vector<int32_t>> Generator::follow(RunningText &sequence, int64_t row) {
  std::vector<int32_t> path = {0};
  while (true) {
    if (Result<void> chosen = choose(sequence, engine.getLogits(row + path.back())); !chosen)
      return chosen.error();
    if (!sequence.text)
      return path;
    std::optional<int32_t> next = sequence.tree.findChild(path.back(), sequence.text->tokens.back());
    if (!next)
      return path;
    path.push_back(*next);
  }
}

/// Takes the tokens of the tree that are likely enough, and chooses the one behind them.
Result<std::vector<int32_t>> Generator::followTypical(RunningText &sequence, int64_t row) {
  const TokenTree &tree = sequence.tree;
  std::vector<int32_t> path = sequence.text->sampler.acceptTypical(
      tree, *options.typical, [&](int32_t node) { return engine.getLogits(row + node); });
  for (size_t i = 1; i < path.size() && sequence.text; ++i)
    if (Result<void> taken = take(sequence, tree.getTokens()[static_cast<size_t>(path[i])]); !taken)
      return taken.error();
  if (sequence.text)
    if (Result<void> chosen = choose(sequence, engine.getLogits(row + path.back())); !chosen)
      return chosen.error();
  return path;
}

/// Goes on in a text whose tree the last step has read, its root at wanted row `row`.
Result<void> Generator::accept(RunningText &sequence, int64_t row) {
  TextSteps &steps = sequence.text->steps;
  Result<std::vector<int32_t>> path = options.typical ? followTypical(sequence, row) : follow(sequence, row);
  if (!path)
    return path.error();
  size_t held = path->size() - 1;
  ++steps.steps;
  steps.accepted.resize(std::max(steps.accepted.size(), held));
  for (size_t i = 0; i < held; ++i)
    ++steps.accepted[i];
  int depth = sequence.tree.getDepth();
  if (policy && depth > 0)
    policy->noteGuesses(depth, static_cast<int>(held));
  if (!sequence.text)
    return {};
  engine.keep(getNumber(sequence), static_cast<int64_t>(sequence.tree.getSize()), *path);
  *sequence.fed += path->size();
  if (options.guesser)
    options.guesser->note(getNumber(sequence), row + path->back());
  return {};
}

/// One step over `pieces`, of which the last has `prompt` rows of a prompt; then the next tokens of each text.
Result<void> Generator::step(std::span<const StepPiece> pieces, int64_t prompt) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  if (Result<void> done = engine.run(pieces); !done)
    return done;
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (prompt == 0 || pieces.size() > 1)
    pace.note(prompt, seconds);
  int64_t row = 0;
  for (const StepPiece &piece : pieces)
    row += piece.wanted;
  if (policy && prompt == 0)
    policy->noteStep(static_cast<size_t>(row), seconds + std::exchange(guessSeconds, 0));
  row = 0;
  for (const StepPiece &piece : pieces) {
    RunningText &sequence = running[static_cast<size_t>(piece.sequence)];
    if (sequence.isWritten()) {
      if (Result<void> accepted = accept(sequence, row); !accepted)
        return accepted;
    } else {
      *sequence.fed += piece.tokens.size();
      if (piece.wanted > 0) {
        ++sequence.text->steps.steps;
        if (Result<void> chosen = choose(sequence, engine.getLogits(row)); !chosen)
          return chosen;
        if (sequence.text && options.guesser)
          options.guesser->note(piece.sequence, row);
      }
    }
    row += piece.wanted;
  }
  return {};
}

/// How many guesses behind the next token of a text are of use at most.
size_t Generator::countGuesses(const RunningText &sequence, size_t most) const {
  int64_t room = engine.getContextSize() - engine.getSize(getNumber(sequence)) - 1;
  int64_t useful = std::min({room, sequence.text->newTokens - 1, engine.getMaxWanted() - 1});
  return std::min(most, static_cast<size_t>(std::max<int64_t>(useful, 0)));
}

/// Guesses how the texts go on that are written.
Result<void> Generator::guess(std::span<RunningText *const> written) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  size_t most = policy && !written.empty() ? policy->chooseCount(written.size()) : 0;
  if (most > 0)
    if (Result<void> prepared = options.guesser->prepare(); !prepared)
      return prepared;
  for (RunningText *sequence : written) {
    const std::vector<int32_t> &tokens = sequence->text->tokens;
    sequence->tree.reset(tokens.back());
    size_t count = countGuesses(*sequence, most);
    if (count == 0)
      continue;
    Result<void> guessed = options.guesser->guess(getNumber(*sequence), tokens, count, sequence->tree);
    if (!guessed)
      return guessed;
  }
  guessSeconds = most > 0 ? std::chrono::duration<double>(Clock::now() - begin).count() : 0;
  return {};
}

static StepPiece makePiece(int64_t sequence, const TokenTree &tree) {
  return {sequence, tree.getTokens(), static_cast<int64_t>(tree.getSize()),
          tree.isChain() ? std::span<const uint64_t>() : tree.getAncestors()};
}

/// The next tokens of texts that are written, in as many steps as they take best.
Result<void> Generator::runPieces(std::span<RunningText *const> written) {
  int64_t most = engine.getMaxWanted();
  std::vector<StepPiece> pieces;
  for (int64_t rows = 0; !written.empty(); rows = 0, pieces.clear()) {
    for (; !written.empty() && rows + static_cast<int64_t>(written.front()->tree.getSize()) <= most;
         written = written.subspan(1)) {
      pieces.push_back(makePiece(getNumber(*written.front()), written.front()->tree));
      rows += pieces.back().wanted;
    }
    if (Result<void> done = step(pieces, 0); !done)
      return done;
  }
  return {};
}

/// A piece of a prompt, of at most `room` rows, and as many texts as fit beside it; the others wait for the next step.
Result<void> Generator::runPiecesWith(RunningText &prompt, std::span<RunningText *const> written, int64_t room) {
  int64_t most = engine.getMaxWanted() - 1, rows = 0;
  std::vector<StepPiece> pieces;
  for (RunningText *sequence : written) {
    if (rows + static_cast<int64_t>(sequence->tree.getSize()) > most)
      sequence->tree.reset(sequence->text->tokens.back());
    if (rows == most)
      break;
    pieces.push_back(makePiece(getNumber(*sequence), sequence->tree));
    rows += pieces.back().wanted;
  }
  std::span<const int32_t> rest = prompt.getRest();
  size_t part = std::min(rest.size(), static_cast<size_t>(std::min(room, engine.getMaxRows() - rows)));
  pieces.push_back({getNumber(prompt), rest.first(part), part == rest.size()});
  return step(pieces, static_cast<int64_t>(part));
}

Result<bool> Generator::advance() {
  RunningText *prompt = findPrompt();
  std::vector<RunningText *> written;
  for (RunningText &sequence : running)
    if (sequence.text && sequence.isWritten())
      written.push_back(&sequence);
  if (written.empty() && !prompt) {
    auto isWaiting = [](const RunningText &sequence) { return sequence.text != nullptr; };
    if (std::any_of(running.begin(), running.end(), isWaiting))
      return Error{"a text that nothing runs beside has no room", ErrorKind::Internal};
    return false;
  }
  if (Result<void> guessed = guess(written); !guessed)
    return guessed.error();
  int64_t room = prompt && !written.empty() ? pace.getRows() : engine.getMaxRows();
  Result<void> done = prompt && room > 0 ? runPiecesWith(*prompt, written, room) : runPieces(written);
  return done ? Result(true) : done.error();
}

Result<void> generate(Engine &engine, std::span<Continuation> texts, std::span<const int32_t> stopTokens,
                      const GenerateOptions &options) {
  Generator generator(engine, texts, stopTokens, options);
  while (true) {
    generator.assign();
    Result<bool> advanced = generator.advance();
    if (!advanced || !*advanced)
      return advanced ? Result<void>() : advanced.error();
  }
}

} // namespace quern::runtime
