//===- GenerateCommand.cpp - continues a prompt ------------------------------------------------===//

#include "runtime/File.h"
#include "runtime/cli/Commands.h"
#include "runtime/llm/Chat.h"
#include "runtime/llm/DraftGuesser.h"
#include "runtime/llm/Generate.h"
#include "runtime/llm/MedusaGuesser.h"
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
/// The temperature when the line asks for sampling without saying it.
static constexpr float defaultTemperature = 0.8f;

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
  Printer(const Tokenizer *tokenizer, bool isLive) : tokenizer(tokenizer), isLive(isLive), start(nowInMilliseconds()) {}

  Result<void> take(int32_t token) override {
    last = nowInMilliseconds();
    if (tokens.empty())
      first = last;
    tokens.push_back(token);
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
    Json json = {{"prompt_tokens", promptTokens},
                 {"known_tokens", steps.known},
                 {"first_token_ms", first - start},
                 {"tokens", tokens.size()},
                 {"tokens_per_second", tokens.size() > 1 ? Json(getRate()) : Json()},
                 {"steps", steps.steps},
                 {"tokens_per_step", getTokensPerStep(steps)},
                 {"accepted_per_depth", steps.accepted}};
    std::fprintf(stderr, "%s\n", json.dump().c_str());
  }

  const std::vector<int32_t> &getTokens() const { return tokens; }

private:
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
  bool isLive;
  /// What is not printed yet.
  std::string held;
  Utf8Stream stream;
  std::vector<int32_t> tokens;
  bool endsLine = false;
  double start, first = 0, last = 0;
};

} // namespace

static SamplerOptions getSamplerOptions(const CommandLine &line) {
  SamplerOptions options;
  bool samples = line.temperature || line.topK || line.topP || line.minP || line.seed;
  options.temperature = line.temperature.value_or(defaultTemperature);
  options.isGreedy = !samples || options.temperature == 0.0f;
  options.topK = line.topK.value_or(options.topK);
  options.topP = line.topP.value_or(options.topP);
  options.minP = line.minP.value_or(options.minP);
  options.seed = line.seed.value_or(options.seed);
  options.repetitionPenalty = line.repetitionPenalty.value_or(options.repetitionPenalty);
  return options;
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
static Result<int64_t> limitNewTokens(const CommandLine &line, int64_t promptTokens, int64_t contextSize) {
  // The last new token is not fed, so it needs no room.
  int64_t room = contextSize - promptTokens + 1;
  std::string prompt = "the prompt has " + std::to_string(promptTokens) + " tokens";
  if (promptTokens > contextSize)
    return Error{prompt + ", the context holds " + std::to_string(contextSize)};
  if (line.newTokens.value_or(0) > room)
    return Error{prompt + " and `-n` asks for " + std::to_string(*line.newTokens) + " new ones; the context of " +
                 std::to_string(contextSize) + " has room for " + std::to_string(room)};
  return line.newTokens.value_or(std::min(defaultNewTokens, room));
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
static std::string nameSource(const CommandLine &line) {
  return line.prompts && *line.prompts != "-" ? "`" + *line.prompts + "`" : "the standard input";
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
static Result<std::vector<std::string>> readPrompts(const CommandLine &line) {
  if (line.promptTokens)
    return std::vector<std::string>{*line.promptTokens};
  std::string name = nameSource(line);
  if (!line.prompts) {
    if (line.prompt && line.prompt != "-")
      return std::vector<std::string>{*line.prompt};
    Result<std::string> text = readStandardPrompt(name);
    return text ? Result(std::vector<std::string>{std::move(*text)}) : text.error();
  }
  Result<std::string> text = *line.prompts == "-" ? readTextArgument("-") : readFile(*line.prompts, maxTextBytes);
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
static std::vector<Result<std::string>> renderPrompts(const Session &session, const CommandLine &line,
                                                      std::vector<std::string> prompts) {
  const std::optional<TextDescription> &description = session.getDescription().text;
  std::vector<Result<std::string>> texts;
  for (std::string &prompt : prompts)
    texts.push_back(line.chat && description ? renderUserMessage(*description, prompt) : Result(std::move(prompt)));
  return texts;
}

/// The tokens of a prompt. Special ones are recognised everywhere, also in a message of `--chat`:
/// the template decides what it does with it.
static Result<std::vector<int32_t>> encode(const CommandLine &line, const Tokenizer *tokenizer,
                                           const Result<std::string> &prompt) {
  if (!prompt)
    return prompt.error();
  if (line.promptTokens)
    return parseTokenList(*prompt);
  if (!line.chat)
    return tokenizer->encodePrompt(*prompt);
  Result<std::vector<int32_t>> tokens = tokenizer->encode(*prompt, /*parseSpecial=*/true);
  if (tokens && tokens->empty())
    return Error{"the chat template gives an empty prompt"};
  return tokens;
}

/// The tokenizer, unless token ids go in and out.
static Result<std::optional<Tokenizer>> getTokenizer(const Session &session, const CommandLine &line) {
  if (line.promptTokens && (line.printTokens || !session.getDescription().text)) {
    if (!line.printTokens)
      return Error{"the model has no tokenizer to write text with; add `--print-tokens`"};
    return std::optional<Tokenizer>();
  }
  Result<Tokenizer> created = Tokenizer::create(session);
  if (!created)
    return created.error();
  return std::optional(std::move(*created));
}

/// A text to be continued, without a sink.
static Result<Continuation> makeText(const CommandLine &line, const Engine &engine, const Tokenizer *tokenizer,
                                     const Result<std::string> &prompt, int64_t contextSize) {
  Result<std::vector<int32_t>> tokens = encode(line, tokenizer, prompt);
  if (!tokens)
    return tokens.error();
  if (Result<void> valid = checkTokens(*tokens, engine.getVocabSize()); !valid)
    return valid.error();
  Result<int64_t> newTokens = limitNewTokens(line, static_cast<int64_t>(tokens->size()), contextSize);
  if (!newTokens)
    return newTokens.error();
  return Continuation{std::move(*tokens), Sampler(getSamplerOptions(line)), nullptr, *newTokens};
}

/// The texts to be continued, without sinks. Of a file of prompts, a line that can't be is named and left out.
static Result<std::vector<Continuation>> makeTexts(const CommandLine &line, const Engine &engine,
                                                   const Tokenizer *tokenizer,
                                                   std::span<const Result<std::string>> prompts) {
  Result<int64_t> contextSize = getContextSize(line, engine.getContextSize());
  if (!contextSize)
    return contextSize.error();
  std::vector<Continuation> texts;
  for (size_t i = 0; i < prompts.size(); ++i) {
    Result<Continuation> text = makeText(line, engine, tokenizer, prompts[i], *contextSize);
    if (text)
      texts.push_back(std::move(*text));
    else if (!line.prompts)
      return text.error();
    else
      std::fprintf(stderr, "%s: %s, line %zu: error: %s\n", program_invocation_name, nameSource(line).c_str(), i + 1,
                   text.error().message.c_str());
  }
  return texts;
}

/// Refuses to read a prompt from a person: at a terminal without a prompt, nobody knows what is waited for.
static Result<void> checkPrompt(const CommandLine &line) {
  bool isGiven = line.prompt || line.prompts || line.promptTokens;
  if (isGiven || !isatty(STDIN_FILENO))
    return {};
  return Error{"found no prompt, expected one, as \"Once upon a time\", or `-` for the standard input",
               ErrorKind::Usage};
}

static constexpr std::string_view draftPrefix = "draft=";

static Result<void> checkSpeculation(const CommandLine &line) {
  std::string how = line.speculate.value_or("off");
  if (how == "off" || how == "lookup" || how == "medusa" || (how.starts_with(draftPrefix) && how != draftPrefix))
    return {};
  return Error{"`--speculate` is `" + how + "`, expected `medusa`, `lookup`, `draft=MODEL` or `off`", ErrorKind::Usage};
}

/// What guesses tokens, as `--speculate` says, by default the model's heads; null: nothing.
static Result<std::unique_ptr<Guesser>> makeGuesser(Session &session, const Engine &engine, const CommandLine &line) {
  bool hasHeads = MedusaHeads::find(session, engine.getHiddenSize()).has_value();
  // What was chosen for guesses is not what was chosen for the text.
  bool isRecorded = line.routingProfile || line.routingTrace;
  std::string how = line.speculate.value_or(hasHeads && !isRecorded ? "medusa" : "off");
  if (how == "medusa")
    return MedusaGuesser::create(session, engine);
  if (how == "lookup")
    return std::unique_ptr<Guesser>(std::make_unique<LookupGuesser>());
  if (how.starts_with(draftPrefix))
    return DraftGuesser::create(how.substr(draftPrefix.size()), session, engine);
  return std::unique_ptr<Guesser>();
}

static std::optional<TypicalAcceptance> getTypicalAcceptance(const CommandLine &line) {
  if (!line.posteriorThreshold && !line.posteriorAlpha)
    return std::nullopt;
  TypicalAcceptance acceptance;
  acceptance.epsilon = line.posteriorThreshold.value_or(acceptance.epsilon);
  acceptance.delta = line.posteriorAlpha.value_or(acceptance.delta);
  return acceptance;
}

Result<void> runGenerate(Session &session, const CommandLine &line) {
  if (Result<void> asked = checkPrompt(line); !asked)
    return asked;
  if (Result<void> valid = checkSpeculation(line); !valid)
    return valid;
  Result<std::vector<std::string>> given = readPrompts(line);
  if (!given)
    return given.error();
  // Templates are rendered while this process is small: they cost the more the larger it is
  // (Chat.h).
  std::vector<Result<std::string>> prompts = renderPrompts(session, line, std::move(*given));
  // Reading the tokenizer takes as long as moving the weights.
  session.prepareWeights();
  int64_t sequences = std::min(line.parallel.value_or(defaultParallel), static_cast<int64_t>(prompts.size()));
  Result<Engine> engine = Engine::create(session, {.batch = line.batch,
                                                   .sequences = sequences,
                                                   // Of a text that is known in part, not all rows would be recorded.
                                                   .share = !line.routingProfile && !line.routingTrace});
  if (!engine)
    return engine.error();
  Result<std::unique_ptr<Guesser>> guesser = makeGuesser(session, *engine, line);
  if (!guesser)
    return guesser.error();
  Result<std::optional<Tokenizer>> created = getTokenizer(session, line);
  if (!created)
    return created.error();
  const Tokenizer *tokenizer = *created ? &**created : nullptr;
  Result<std::vector<Continuation>> texts = makeTexts(line, *engine, tokenizer, prompts);
  if (!texts)
    return texts.error();
  std::vector<Printer> printers(texts->size(), Printer(line.printTokens ? nullptr : tokenizer, !line.prompts));
  for (size_t i = 0; i < printers.size(); ++i)
    (*texts)[i].sink = &printers[i];
  std::span<const int32_t> stopTokens;
  if (session.getDescription().text && !line.ignoreEos)
    stopTokens = session.getDescription().text->eosIds;
  GenerateOptions options;
  options.guesser = guesser->get();
  options.typical = getTypicalAcceptance(line);
  Result<void> done = generate(*engine, *texts, stopTokens, options);
  // What came before an error is text, too.
  for (size_t i = 0; i < printers.size(); ++i) {
    if (i && !line.printTokens && done)
      done = print("\n");
    if (Result<void> finished = printers[i].finish(); !finished && done)
      done = finished;
    size_t promptTokens = (*texts)[i].tokens.size() - printers[i].getTokens().size();
    if (line.timing && done)
      line.json ? printers[i].printTimingJson(promptTokens, (*texts)[i].steps)
                : printers[i].printTiming(promptTokens, (*texts)[i].steps);
    if (line.printTokens && done)
      done = print(formatTokens(printers[i].getTokens()) + "\n");
  }
  size_t leftOut = prompts.size() - texts->size();
  if (done && leftOut)
    return Error{std::to_string(leftOut) + " of " + std::to_string(prompts.size()) + " prompts " +
                 (leftOut == 1 ? "was" : "were") + " left out"};
  return done;
}

Result<void> runGuess(Session &session, const CommandLine &line) {
  Result<Engine> engine = Engine::create(session, {line.batch, line.parallel.value_or(1)});
  return engine ? serveGuesses(session, *engine) : engine.error();
}

Result<void> runTokenize(Session &session, const CommandLine &line) {
  Result<Tokenizer> tokenizer = Tokenizer::create(session);
  if (!tokenizer)
    return tokenizer.error();
  Result<std::string> text = readTextArgument(*line.tokenize);
  if (!text)
    return text.error();
  Result<std::vector<int32_t>> tokens = tokenizer->encode(*text, /*parseSpecial=*/!line.noSpecial);
  if (!tokens)
    return tokens.error();
  return print(formatTokens(*tokens) + "\n");
}

} // namespace quern::runtime
