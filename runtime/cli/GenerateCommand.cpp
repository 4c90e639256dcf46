//===- GenerateCommand.cpp - continues a prompt ------------------------------------------------===//

#include "runtime/File.h"
#include "runtime/cli/Commands.h"
#include "runtime/llm/Generate.h"
#include "runtime/llm/Tokenizer.h"
#include "runtime/llm/Utf8Stream.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

namespace quern::runtime {

/// New tokens when the line does not say.
static constexpr int64_t defaultNewTokens = 512;
/// Texts at a time when the line does not say.
static constexpr int64_t defaultParallel = 4;
/// The temperature when the line asks for sampling without saying it.
static constexpr float defaultTemperature = 0.8f;

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

  /// Times in milliseconds to the standard error.
  void printTiming(size_t promptTokens) const {
    std::fprintf(stderr, "prompt: %zu tokens, first token after %.1f ms\n", promptTokens, first - start);
    if (tokens.size() > 1)
      std::fprintf(stderr, "text: %zu tokens, %.2f tokens/s after the first\n", tokens.size(),
                   static_cast<double>(tokens.size() - 1) * 1e3 / (last - first));
  }

  const std::vector<int32_t> &getTokens() const { return tokens; }

private:
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

/// Refuses tokens that the model does not know: the tokenizer's vocabulary may be larger, and a user can write anything.
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
    return Error{prompt + " and `-n` asks for " + std::to_string(*line.newTokens) +
                 " new ones; the context of " + std::to_string(contextSize) + " has room for " +
                 std::to_string(room)};
  return line.newTokens.value_or(std::min(defaultNewTokens, room));
}

/// The lines of `text`; what ends the last one begins no other.
static std::vector<std::string> splitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The prompts as they are written: one, or each line of the file of prompts.
static Result<std::vector<std::string>> readPrompts(const CommandLine &line) {
  if (line.promptTokens)
    return std::vector<std::string>{*line.promptTokens};
  bool isFile = line.prompts && *line.prompts != "-";
  Result<std::string> text =
      isFile ? readFile(*line.prompts) : readTextArgument(line.prompts ? *line.prompts : line.prompt.value_or(""));
  if (!text)
    return text.error();
  if (!line.prompts)
    return std::vector<std::string>{std::move(*text)};
  std::vector<std::string> lines = splitLines(*text);
  if (lines.empty())
    return Error{"`" + *line.prompts + "` has no line, expected a prompt on each"};
  return lines;
}

/// The tokens of a prompt.
static Result<std::vector<int32_t>> encode(const CommandLine &line, const Tokenizer *tokenizer, const std::string &prompt) {
  if (line.promptTokens)
    return parseTokenList(prompt);
  return line.chat ? tokenizer->encodeChat(prompt) : tokenizer->encodePrompt(prompt);
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

/// The texts to be continued, each with a sink of `printers`.
static Result<std::vector<Continuation>> makeTexts(const CommandLine &line, const LanguageModel &model,
                                                   const Tokenizer *tokenizer, std::span<const std::string> prompts,
                                                   std::span<Printer> printers) {
  Result<int64_t> contextSize = getContextSize(line, model.getContextSize());
  if (!contextSize)
    return contextSize.error();
  std::vector<Continuation> texts;
  for (size_t i = 0; i < prompts.size(); ++i) {
    Result<std::vector<int32_t>> tokens = encode(line, tokenizer, prompts[i]);
    if (!tokens)
      return tokens.error();
    if (Result<void> valid = checkTokens(*tokens, model.getVocabSize()); !valid)
      return valid.error();
    Result<int64_t> newTokens = limitNewTokens(line, static_cast<int64_t>(tokens->size()), *contextSize);
    if (!newTokens)
      return newTokens.error();
    texts.push_back({std::move(*tokens), Sampler(getSamplerOptions(line)), &printers[i], *newTokens});
  }
  return texts;
}

Result<void> runGenerate(Session &session, const CommandLine &line) {
  // Reading the tokenizer takes as long as moving the weights.
  session.prepareWeights();
  Result<std::vector<std::string>> prompts = readPrompts(line);
  if (!prompts)
    return prompts.error();
  int64_t sequences = std::min(line.parallel.value_or(defaultParallel), static_cast<int64_t>(prompts->size()));
  Result<LanguageModel> model = LanguageModel::create(session, line.batch, sequences);
  if (!model)
    return model.error();
  Result<std::optional<Tokenizer>> created = getTokenizer(session, line);
  if (!created)
    return created.error();
  const Tokenizer *tokenizer = *created ? &**created : nullptr;
  std::vector<Printer> printers(prompts->size(), Printer(line.printTokens ? nullptr : tokenizer, !line.prompts));
  Result<std::vector<Continuation>> texts = makeTexts(line, *model, tokenizer, *prompts, printers);
  if (!texts)
    return texts.error();
  std::span<const int32_t> stopTokens;
  if (session.getDescription().text && !line.ignoreEos)
    stopTokens = session.getDescription().text->eosIds;
  Result<void> done = generate(*model, *texts, stopTokens);
  // What came before an error is text, too.
  for (size_t i = 0; i < printers.size(); ++i) {
    if (i && !line.printTokens && done)
      done = print("\n");
    if (Result<void> finished = printers[i].finish(); !finished && done)
      done = finished;
    if (line.timing && done)
      printers[i].printTiming((*texts)[i].tokens.size() - printers[i].getTokens().size());
    if (line.printTokens && done)
      done = print(formatTokens(printers[i].getTokens()) + "\n");
  }
  return done;
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
