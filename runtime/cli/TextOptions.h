//===- TextOptions.h - options that commands of text share ---------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_TEXTOPTIONS_H
#define QUERN_RUNTIME_CLI_TEXTOPTIONS_H

#include "runtime/cli/Option.h"
#include "runtime/llm/Guesser.h"
#include "runtime/llm/Sampler.h"

#include <memory>

namespace quern::runtime {

class Engine;

/// How many tokens the context has.
class ContextOptions : public SharedOptions {
public:
  const char *getTitle() const override { return "Context"; }
  std::vector<Option> getOptions() override;

  /// The size that is asked for, or `modelSize`, which it must not exceed.
  Result<int64_t> getSize(int64_t modelSize) const;

private:
  std::optional<int64_t> size;
};

/// How many rows a step has at most.
class BatchOptions : public SharedOptions {
public:
  const char *getTitle() const override { return "Steps"; }
  std::vector<Option> getOptions() override;

  std::optional<int64_t> batch;
};

/// What chooses tokens.
class SamplingOptions : public SharedOptions {
public:
  const char *getTitle() const override { return "Choice of tokens"; }
  std::vector<Option> getOptions() override;
  Result<void> check() const override;

  SamplerOptions getSamplerOptions() const;
  /// None: a guess holds where it is what is chosen.
  std::optional<TypicalAcceptance> getTypicalAcceptance() const;

private:
  /// All but the temperature and whether tokens are drawn, which follow from what is given.
  SamplerOptions sampler;
  std::optional<float> temperature;
  bool isGreedy = false, isSampled = false;
  TypicalAcceptance acceptance;
  bool isTypical = false;
};

/// What guesses tokens.
class GuessOptions : public SharedOptions {
public:
  const char *getTitle() const override { return "Guesses"; }
  std::vector<Option> getOptions() override;
  Result<void> check() const override;

  bool isGiven() const { return how.has_value(); }
  /// What guesses tokens, when nobody says by the model's heads where it has some and `usesHeads`; null: nothing.
  Result<std::unique_ptr<Guesser>> makeGuesser(Session &session, const Engine &engine, bool usesHeads) const;

private:
  std::optional<std::string> how;
};

/// What is told of times.
class TimingOptions : public SharedOptions {
public:
  const char *getTitle() const override { return "Times"; }
  std::vector<Option> getOptions() override;
  Result<void> check() const override;

  bool timing = false;
  bool json = false;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_TEXTOPTIONS_H
