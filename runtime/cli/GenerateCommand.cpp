//===- GenerateCommand.cpp - continues a prompt ------------------------------------------------===//

#include "runtime/cli/Commands.h"
#include "runtime/llm/Generate.h"
#include "runtime/llm/Tokenizer.h"
#include "runtime/llm/Utf8Stream.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace quern::runtime {

/// New tokens when the line does not say.
static constexpr int64_t defaultNewTokens = 512;
/// The temperature when the line asks for sampling without saying it.
static constexpr float defaultTemperature = 0.8f;

static double nowInMilliseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

namespace {

/// Collects the tokens, prints their text if a tokenizer is given, and notes the times.
class Printer : public TokenSink {
public:
  explicit Printer(const Tokenizer *tokenizer) : tokenizer(tokenizer), start(nowInMilliseconds()) {}

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
    if (Result<void> done = printText(stream.finish()); !done)
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
    return print(text);
  }

  const Tokenizer *tokenizer;
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

static Result<std::vector<int32_t>> getPrompt(const CommandLine &line, const Tokenizer *tokenizer) {
  if (line.promptTokens)
    return parseTokenList(*line.promptTokens);
  Result<std::string> text = readTextArgument(line.prompt.value_or(""));
  if (!text)
    return text.error();
  return line.chat ? tokenizer->encodeChat(*text) : tokenizer->encodePrompt(*text);
}

Result<void> runGenerate(Session &session, const CommandLine &line) {
  // Reading the tokenizer takes as long as moving the weights.
  session.prepareWeights();
  Result<LanguageModel> model = LanguageModel::create(session, line.batch);
  if (!model)
    return model.error();
  // Token ids in and out need no tokenizer, which is not read then.
  std::optional<Tokenizer> tokenizer;
  bool isWanted = !line.promptTokens || (!line.printTokens && session.getDescription().text);
  if (isWanted) {
    Result<Tokenizer> created = Tokenizer::create(session);
    if (!created)
      return created.error();
    tokenizer = std::move(*created);
  }
  if (!tokenizer && !line.printTokens)
    return Error{"the model has no tokenizer to write text with; add `--print-tokens`"};
  Result<std::vector<int32_t>> prompt = getPrompt(line, tokenizer ? &*tokenizer : nullptr);
  if (!prompt)
    return prompt.error();
  if (Result<void> valid = checkTokens(*prompt, model->getVocabSize()); !valid)
    return valid;
  Result<int64_t> contextSize = getContextSize(line, model->getContextSize());
  if (!contextSize)
    return contextSize.error();
  Result<int64_t> newTokens = limitNewTokens(line, static_cast<int64_t>(prompt->size()), *contextSize);
  if (!newTokens)
    return newTokens.error();

  GenerateLimits limits{*newTokens, {}};
  if (session.getDescription().text && !line.ignoreEos)
    limits.stopTokens = session.getDescription().text->eosIds;
  Sampler sampler(getSamplerOptions(line));
  Printer printer(line.printTokens ? nullptr : &*tokenizer);
  Result<void> done = generate(*model, sampler, *prompt, limits, printer);
  // What came before an error is text, too.
  if (Result<void> finished = printer.finish(); !finished && done)
    return finished;
  if (!done)
    return done;
  if (line.timing)
    printer.printTiming(prompt->size());
  return line.printTokens ? print(formatTokens(printer.getTokens()) + "\n") : Result<void>();
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
