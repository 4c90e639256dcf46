//===- TextOptions.cpp - options that commands of text share -------------------------------------===//

#include "runtime/cli/TextOptions.h"

#include "runtime/llm/DraftGuesser.h"
#include "runtime/llm/MedusaGuesser.h"

namespace quern::runtime {

/// The temperature where tokens are drawn and nobody says it.
static constexpr float defaultTemperature = 0.8f;

std::vector<Option> ContextOptions::getOptions() {
  return {Option("--ctx", size, "N", {1, mostThings}, "tokens of the context, at most the model's")};
}

Result<int64_t> ContextOptions::getSize(int64_t modelSize) const {
  if (size.value_or(0) > modelSize)
    return Error{"`--ctx` is " + std::to_string(*size) + ", the model's context holds " + std::to_string(modelSize)};
  return size.value_or(modelSize);
}

std::vector<Option> BatchOptions::getOptions() {
  return {Option("--batch", batch, "N", {1, mostThings}, "tokens per step of reading a prompt, at most")};
}

std::vector<Option> SamplingOptions::getOptions() {
  return {
      Option("--greedy", isGreedy, "take the likeliest token; the default"),
      Option("--temperature, --temp", temperature, "T", {0, 1e6}, "divide the logits by T; 0 is `--greedy` (0.8)")
          .sets(isSampled),
      Option("--top-k", sampler.topK, "K", {0, mostThings}, "only the K likeliest tokens").sets(isSampled),
      Option("--top-p", sampler.topP, "P", {0, 1}, "only the likeliest tokens of together more than P").sets(isSampled),
      Option("--min-p", sampler.minP, "P", {0, 1}, "only tokens P times as likely as the likeliest").sets(isSampled),
      Option("--seed", sampler.seed, "S", "of the random numbers (0)").sets(isSampled),
      Option("--repetition-penalty", sampler.repetitionPenalty, "R", {1e-3, 1e3},
             "make tokens of the context less likely"),
      Option("--posterior-threshold", acceptance.epsilon, "E", {0, 1},
             "guesses hold where they are likelier than min(E, A exp(-entropy)) (0.09)")
          .sets(isTypical),
      Option("--posterior-alpha", acceptance.delta, "A", {0, 1}, "(0.3)").sets(isTypical),
  };
}

Result<void> SamplingOptions::check() const {
  if (isGreedy && isSampled)
    return misuse("`--greedy` and the options of sampling exclude each other");
  if (isTypical && temperature.value_or(0) == 0)
    return misuse("`--posterior-threshold` and `--posterior-alpha` have no meaning without a `--temperature` above 0");
  return {};
}

SamplerOptions SamplingOptions::getSamplerOptions() const {
  SamplerOptions options = sampler;
  options.temperature = temperature.value_or(defaultTemperature);
  options.isGreedy = !isSampled || options.temperature == 0.0f;
  return options;
}

std::optional<TypicalAcceptance> SamplingOptions::getTypicalAcceptance() const {
  return isTypical ? std::optional(acceptance) : std::nullopt;
}

static constexpr std::string_view draftPrefix = "draft=";

std::vector<Option> GuessOptions::getOptions() {
  return {
      Option("--speculate", how, "HOW",
             "guess tokens and read them at once: `medusa` (the model's heads; the default where it has some), "
             "`lookup` (what stood behind the last tokens before), `draft=MODEL` (another compiled model) or `off`; "
             "texts stay the same")};
}

Result<void> GuessOptions::check() const {
  std::string found = how.value_or("off");
  if (found == "off" || found == "lookup" || found == "medusa" ||
      (found.starts_with(draftPrefix) && found != draftPrefix))
    return {};
  return misuse("`--speculate` is `" + found + "`, expected `medusa`, `lookup`, `draft=MODEL` or `off`");
}

Result<std::unique_ptr<Guesser>> GuessOptions::makeGuesser(Session &session, const Engine &engine,
                                                           bool usesHeads) const {
  bool hasHeads = MedusaHeads::find(session, engine.getHiddenSize()).has_value();
  std::string chosen = how.value_or(hasHeads && usesHeads ? "medusa" : "off");
  if (chosen == "medusa")
    return MedusaGuesser::create(session, engine);
  if (chosen == "lookup")
    return std::unique_ptr<Guesser>(std::make_unique<LookupGuesser>());
  if (chosen.starts_with(draftPrefix))
    return DraftGuesser::create(chosen.substr(draftPrefix.size()), session, engine);
  return std::unique_ptr<Guesser>();
}

std::vector<Option> TimingOptions::getOptions() {
  return {
      Option("--timing", timing, "print times to the standard error"),
      Option("--json", json, "print them in JSON"),
  };
}

Result<void> TimingOptions::check() const {
  if (json && !timing)
    return misuse("`--json` has no meaning without `--timing`");
  return {};
}

} // namespace quern::runtime
