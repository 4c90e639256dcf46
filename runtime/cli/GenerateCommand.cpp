//===- GenerateCommand.cpp - continues a prompt ------------------------------------------------===//

#include "runtime/File.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/Common.h"
#include "runtime/cli/Profile.h"
#include "runtime/cli/RoutingFiles.h"
#include "runtime/cli/TextOptions.h"
#include "runtime/llm/Chat.h"
#include "runtime/llm/Generate.h"
#include "runtime/llm/Tokenizer.h"
#include "runtime/llm/Utf8Stream.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <unistd.h>
#include <utility>

namespace quern::runtime {

/// New tokens when the line does not say.
static constexpr int64_t defaultNewTokens = 512;
/// Texts at a time when the line does not say.
static constexpr int64_t defaultParallel = 4;

using Json = nlohmann::ordered_json;

static double nowInMilliseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

namespace {

/// Collects the tokens, prints their text if a tokenizer is given, at once or in the end, and notes the times.
class Printer : public TokenSink {
public:
  Printer(const Tokenizer *tokenizer, const Session &session, bool isLive)
      : tokenizer(tokenizer), session(session), isLive(isLive), start(nowInMilliseconds()) {}

  Result<void> take(int32_t token) override {
    last = nowInMilliseconds();
    if (tokens.empty())
      first = last;
    tokens.push_back(token);
    times.push_back(last - start);
    return tokenizer ? printText(stream.feed(tokenizer->decode(token))) : Result<void>();
  }

  /// Prints what is left, and ends the last line.
  Result<void> finish() {
    if (!tokenizer)
      return {};
    isLive = true;
    if (Result<void> done = printText(std::exchange(held, {}) + stream.finish()); !done)
      return done;
    return endsLine ? Result<void>() : print("\n");
  }

  /// Times, and steps where tokens were guessed, to the standard error.
  void printTiming(size_t promptTokens, const TextSteps &steps) const {
    if (hasDevices())
      std::fprintf(stderr, "device: %s, %s\n", session.getTarget().device.c_str(), session.getDeviceName().c_str());
    std::string known = steps.known > 0 ? ", " + std::to_string(steps.known) + " of them known" : "";
    std::fprintf(stderr, "prompt: %zu tokens%s, first token after %.1f ms\n", promptTokens, known.c_str(),
                 first - start);
    if (tokens.size() > 1)
      std::fprintf(stderr, "text: %zu tokens, %.2f tokens/s after the first\n", tokens.size(), getRate());
    if (steps.accepted.empty())
      return;
    std::fprintf(stderr,
                 "steps: %lld, %.2f tokens each; guesses that held, by depth:", static_cast<long long>(steps.steps),
                 getTokensPerStep(steps));
    for (int64_t count : steps.accepted)
      std::fprintf(stderr, " %lld", static_cast<long long>(count));
    std::fprintf(stderr, "\n");
  }

  /// The same as a JSON object on one line.
  void printTimingJson(size_t promptTokens, const TextSteps &steps) const {
    Json json = {{"device", session.getTarget().device},
                 {"prompt_tokens", promptTokens},
                 {"known_tokens", steps.known},
                 {"first_token_ms", first - start},
                 {"tokens", tokens.size()},
                 {"tokens_per_second", tokens.size() > 1 ? Json(getRate()) : Json()},
                 {"steps", steps.steps},
                 {"tokens_per_step", getTokensPerStep(steps)},
                 {"accepted_per_depth", steps.accepted},
                 {"token_ms", times}};
    std::fprintf(stderr, "%s\n", json.dump().c_str());
  }

  const std::vector<int32_t> &getTokens() const { return tokens; }

private:
  /// Whether something else than the processor could have run the kernels.
  bool hasDevices() const {
    const std::vector<Target> &targets = session.getDescription().targets;
    return std::ranges::any_of(targets, [](const Target &target) { return target.device != "cpu"; });
  }
  /// Tokens per second after the first.
  double getRate() const { return static_cast<double>(tokens.size() - 1) * 1e3 / (last - first); }
  double getTokensPerStep(const TextSteps &steps) const {
    return static_cast<double>(tokens.size()) / static_cast<double>(std::max<int64_t>(steps.steps, 1));
  }
  Result<void> printText(const std::string &text) {
    if (text.empty())
      return {};
    endsLine = text.back() == '\n';
    if (isLive)
      return print(text);
    held += text;
    return {};
  }

  const Tokenizer *tokenizer;
  const Session &session;
  bool isLive;
  /// What is not printed yet.
  std::string held;
  Utf8Stream stream;
  std::vector<int32_t> tokens;
  /// When each came, in milliseconds since the start.
  std::vector<double> times;
  bool endsLine = false;
  double start, first = 0, last = 0;
};

class GenerateCommand : public Command {
public:
  std::vector<Option> getOptions() override;
  std::vector<SharedOptions *> getShared() override {
    return {&context, &steps, &sampling, &guesses, &timing, &profile, &routing};
  }
  Result<void> check() const override;
  Result<void> run(Session &session) override;

private:
  Result<void> checkPrompt() const;
  Result<int64_t> limitNewTokens(int64_t promptTokens, int64_t contextSize) const;
  std::string nameSource() const;
  Result<std::vector<std::string>> readPrompts() const;
  std::vector<Result<std::string>> renderPrompts(const Session &session, std::vector<std::string> written) const;
  Result<std::vector<int32_t>> encode(const Tokenizer *tokenizer, const Result<std::string> &text) const;
  Result<std::optional<Tokenizer>> getTokenizer(const Session &session) const;
  Result<Continuation> makeText(const Engine &engine, const Tokenizer *tokenizer, const Result<std::string> &text,
                                int64_t contextSize) const;
  Result<std::vector<Continuation>> makeTexts(const Engine &engine, const Tokenizer *tokenizer,
                                              std::span<const Result<std::string>> rendered) const;
  Result<void> printResults(std::span<const Continuation> texts, std::span<Printer> printers, Result<void> done) const;

  std::optional<std::string> prompt, promptTokens, prompts;
  std::optional<int64_t> parallel, cacheRows, newTokens;
  std::optional<float> maxDelay;
  bool chat = false, ignoreEos = false, printTokens = false;
  ContextOptions context;
  BatchOptions steps;
  SamplingOptions sampling;
  GuessOptions guesses;
  TimingOptions timing;
  ProfileOptions profile;
  RoutingOptions routing;
};

} // namespace

std::vector<Option> GenerateCommand::getOptions() {
  return {
      Option::operand("[PROMPT]", "prompt", prompt,
                      "Continues PROMPT (`-`, or none: standard input) and prints the new text."),
      Option("--chat", chat, "answer PROMPT as a message, through the chat template"),
      Option("--prompt-tokens", promptTokens, "IDS", "continue these token ids, as `1,2,3`"),
      Option("--prompts", prompts, "FILE", "continue each line of FILE (`-`: standard input), several at a time")
          .reads(),
      Option("--parallel, -np", parallel, "N", {1, 1024}, "texts at a time (4)"),
      Option("--cache-rows", cacheRows, "N", {1, mostThings},
             "tokens of all texts at a time together, in pages of 256 (as many as all may have); others wait"),
      Option("--max-delay", maxDelay, "F", {1, 1000},
             "tokens of texts that are written come at most F times as late while a prompt is read (any number)"),
      Option("-n", newTokens, "N", {0, mostThings}, "new tokens at most (512)"),
      Option("--ignore-eos", ignoreEos, "do not end at an end-of-text token"),
      Option("--print-tokens", printTokens, "print the new token ids, one JSON array, instead of text"),
  };
}

Result<void> GenerateCommand::check() const {
  if (prompt && (promptTokens || prompts))
    return misuse("found a prompt and " + inBackticks(promptTokens ? "--prompt-tokens" : "--prompts") +
                  ", expected one of them");
  if (promptTokens && prompts)
    return misuse("`--prompt-tokens` and `--prompts` exclude each other");
  if (parallel && !prompts)
    return misuse("`--parallel` has no meaning without `--prompts`");
  if (cacheRows && !prompts)
    return misuse("`--cache-rows` has no meaning without `--prompts`");
  if (maxDelay && !prompts)
    return misuse("`--max-delay` has no meaning without `--prompts`");
  if (chat && promptTokens)
    return misuse("`--chat` and `--prompt-tokens` exclude each other");
  if (guesses.isGiven() && routing.getAsked())
    return misuse("`--speculate` and " + inBackticks(routing.getAsked()) +
                  " exclude each other: guesses would be counted as tokens");
  return {};
}

/// Refuses tokens that the model does not know: the tokenizer's vocabulary may be larger,
/// and a user can write anything.
static Result<void> checkTokens(std::span<const int32_t> tokens, int64_t vocabSize) {
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] < 0 || tokens[i] >= vocabSize)
      return Error{"token " + std::to_string(i) + " of the prompt is " + std::to_string(tokens[i]) +
                   ", the model's vocabulary is 0 to " + std::to_string(vocabSize - 1)};
  return {};
}

/// How many new tokens there may be: what was asked for if it fits, by default what fits.
Result<int64_t> GenerateCommand::limitNewTokens(int64_t promptTokens, int64_t contextSize) const {
  // The last new token is not fed, so it needs no room.
  int64_t room = contextSize - promptTokens + 1;
  std::string found = "the prompt has " + std::to_string(promptTokens) + " tokens";
  if (promptTokens > contextSize)
    return Error{found + ", the context holds " + std::to_string(contextSize)};
  if (newTokens.value_or(0) > room)
    return Error{found + " and `-n` asks for " + std::to_string(*newTokens) + " new ones; the context of " +
                 std::to_string(contextSize) + " has room for " + std::to_string(room)};
  return newTokens.value_or(std::min(defaultNewTokens, room));
}

/// A text as people and their editors write it: a byte order mark is no part of it.
static Result<std::string> dropMark(std::string text, const std::string &name) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return Error{name + " begins as a text of UTF-16, expected UTF-8"};
  if (text.starts_with("\xef\xbb\xbf"))
    text.erase(0, 3);
  return text;
}

/// Without the carriage return of a line that ends with both.
static std::string_view dropReturn(std::string_view line) { return line.substr(0, line.size() - line.ends_with('\r')); }

/// The lines of `text`, which end with a line feed, or a carriage return and that;
/// what ends the last one begins no other.
static std::vector<std::string> splitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(dropReturn(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// What `--prompts` or a prompt `-` reads, as messages name it.
std::string GenerateCommand::nameSource() const {
  return prompts && *prompts != "-" ? "`" + *prompts + "`" : "the standard input";
}

/// The standard input as a prompt: the line end that `echo` and editors put behind it is no part of it.
static Result<std::string> readStandardPrompt(const std::string &name) {
  Result<std::string> text = readTextArgument("-");
  if (text)
    text = dropMark(std::move(*text), name);
  if (!text)
    return text;
  if (text->ends_with('\n'))
    text->resize(dropReturn(std::string_view(*text).substr(0, text->size() - 1)).size());
  if (text->empty())
    return Error{name + " is empty, expected a prompt"};
  return text;
}

/// The prompts as they are written: one, which stands on the standard input where the line has none, or each line of
/// the file of prompts.
Result<std::vector<std::string>> GenerateCommand::readPrompts() const {
  if (promptTokens)
    return std::vector<std::string>{*promptTokens};
  std::string name = nameSource();
  if (!prompts) {
    if (prompt && prompt != "-")
      return std::vector<std::string>{*prompt};
    Result<std::string> text = readStandardPrompt(name);
    return text ? Result(std::vector<std::string>{std::move(*text)}) : text.error();
  }
  Result<std::string> text = *prompts == "-" ? readTextArgument("-") : readFile(*prompts, maxTextBytes);
  if (text)
    text = dropMark(std::move(*text), name);
  if (!text)
    return text.error();
  std::vector<std::string> lines = splitLines(*text);
  if (lines.empty())
    return Error{name + " has no line, expected a prompt on each"};
  return lines;
}

/// The texts of the prompts: with `--chat` they are messages, each of a conversation.
std::vector<Result<std::string>> GenerateCommand::renderPrompts(const Session &session,
                                                                std::vector<std::string> written) const {
  const std::optional<TextDescription> &description = session.getDescription().text;
  std::vector<Result<std::string>> texts;
  for (std::string &one : written)
    texts.push_back(chat && description ? renderUserMessage(*description, one) : Result(std::move(one)));
  return texts;
}

/// The tokens of a prompt. Special ones are recognised everywhere, also in a message of `--chat`:
/// the template decides what it does with it.
Result<std::vector<int32_t>> GenerateCommand::encode(const Tokenizer *tokenizer,
                                                     const Result<std::string> &text) const {
  if (!text)
    return text.error();
  if (promptTokens)
    return parseTokenList(*text);
  if (!chat)
    return tokenizer->encodePrompt(*text);
  Result<std::vector<int32_t>> tokens = tokenizer->encode(*text, /*parseSpecial=*/true);
  if (tokens && tokens->empty())
    return Error{"the chat template gives an empty prompt"};
  return tokens;
}

/// The tokenizer, unless token ids go in and out.
Result<std::optional<Tokenizer>> GenerateCommand::getTokenizer(const Session &session) const {
  if (promptTokens && (printTokens || !session.getDescription().text)) {
    if (!printTokens)
      return Error{"the model has no tokenizer to write text with; add `--print-tokens`"};
    return std::optional<Tokenizer>();
  }
  Result<Tokenizer> created = Tokenizer::create(session);
  if (!created)
    return created.error();
  return std::optional(std::move(*created));
}

/// A text to be continued, without a sink.
Result<Continuation> GenerateCommand::makeText(const Engine &engine, const Tokenizer *tokenizer,
                                               const Result<std::string> &text, int64_t contextSize) const {
  Result<std::vector<int32_t>> tokens = encode(tokenizer, text);
  if (!tokens)
    return tokens.error();
  if (Result<void> valid = checkTokens(*tokens, engine.getVocabSize()); !valid)
    return valid.error();
  Result<int64_t> most = limitNewTokens(static_cast<int64_t>(tokens->size()), contextSize);
  if (!most)
    return most.error();
  return Continuation{std::move(*tokens), Sampler(sampling.getSamplerOptions()), nullptr, *most};
}

/// The texts to be continued, without sinks. Of a file of prompts, a line that can't be is named and left out.
Result<std::vector<Continuation>> GenerateCommand::makeTexts(const Engine &engine, const Tokenizer *tokenizer,
                                                             std::span<const Result<std::string>> rendered) const {
  Result<int64_t> contextSize = context.getSize(engine.getContextSize());
  if (!contextSize)
    return contextSize.error();
  std::vector<Continuation> texts;
  for (size_t i = 0; i < rendered.size(); ++i) {
    Result<Continuation> text = makeText(engine, tokenizer, rendered[i], *contextSize);
    if (text)
      texts.push_back(std::move(*text));
    else if (!prompts)
      return text.error();
    else
      std::fprintf(stderr, "%s: %s, line %zu: error: %s\n", program_invocation_name, nameSource().c_str(), i + 1,
                   text.error().message.c_str());
  }
  return texts;
}

/// Refuses to read a prompt from a person: at a terminal without a prompt, nobody knows what is waited for.
Result<void> GenerateCommand::checkPrompt() const {
  bool isGiven = prompt || prompts || promptTokens;
  if (isGiven || !isatty(STDIN_FILENO))
    return {};
  return Error{"found no prompt, expected one, as \"Once upon a time\", or `-` for the standard input",
               ErrorKind::Usage};
}

/// Prints what the texts hold that is not printed yet, and their times: what came before an error is text, too.
Result<void> GenerateCommand::printResults(std::span<const Continuation> texts, std::span<Printer> printers,
                                           Result<void> done) const {
  for (size_t i = 0; i < printers.size(); ++i) {
    if (i && !printTokens && done)
      done = print("\n");
    if (Result<void> finished = printers[i].finish(); !finished && done)
      done = finished;
    size_t given = texts[i].tokens.size() - printers[i].getTokens().size();
    if (timing.timing && done)
      timing.json ? printers[i].printTimingJson(given, texts[i].steps) : printers[i].printTiming(given, texts[i].steps);
    if (printTokens && done)
      done = print(formatTokens(printers[i].getTokens()) + "\n");
  }
  return done;
}

Result<void> GenerateCommand::run(Session &session) {
  if (Result<void> asked = checkPrompt(); !asked)
    return asked;
  Result<std::vector<std::string>> written = readPrompts();
  if (!written)
    return written.error();
  // Templates are rendered while this process is small: they cost the more the larger it is
  // (Chat.h).
  std::vector<Result<std::string>> rendered = renderPrompts(session, std::move(*written));
  // Reading the tokenizer takes as long as moving the weights.
  session.prepareWeights();
  int64_t sequences = std::min(parallel.value_or(defaultParallel), static_cast<int64_t>(rendered.size()));
  Result<Engine> engine = Engine::create(session, {.batch = steps.batch,
                                                   .sequences = sequences,
                                                   .rows = cacheRows,
                                                   // Of a text that is known in part, not all rows would be recorded.
                                                   .share = !routing.getAsked()});
  if (!engine)
    return engine.error();
  // What is chosen for guesses is not what is chosen for the text.
  Result<std::unique_ptr<Guesser>> guesser = guesses.makeGuesser(session, *engine, /*usesHeads=*/!routing.getAsked());
  if (!guesser)
    return guesser.error();
  Result<std::optional<Tokenizer>> created = getTokenizer(session);
  if (!created)
    return created.error();
  const Tokenizer *tokenizer = *created ? &**created : nullptr;
  Result<std::vector<Continuation>> texts = makeTexts(*engine, tokenizer, rendered);
  if (!texts)
    return texts.error();
  std::vector<Printer> printers(texts->size(), Printer(printTokens ? nullptr : tokenizer, session, !prompts));
  for (size_t i = 0; i < printers.size(); ++i)
    (*texts)[i].sink = &printers[i];
  std::span<const int32_t> stopTokens;
  if (session.getDescription().text && !ignoreEos)
    stopTokens = session.getDescription().text->eosIds;
  GenerateOptions options;
  if (maxDelay)
    options.slack = *maxDelay - 1;
  options.guesser = guesser->get();
  options.typical = sampling.getTypicalAcceptance();
  Result<void> generated = generate(*engine, *texts, stopTokens, options);
  Result<void> done = printResults(*texts, printers, std::move(generated));
  size_t leftOut = rendered.size() - texts->size();
  if (done && leftOut)
    return Error{std::to_string(leftOut) + " of " + std::to_string(rendered.size()) + " prompts " +
                 (leftOut == 1 ? "was" : "were") + " left out"};
  return done;
}

std::unique_ptr<Command> makeGenerateCommand() { return std::make_unique<GenerateCommand>(); }

} // namespace quern::runtime
