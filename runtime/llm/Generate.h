//===- Generate.h - continues sequences of tokens ----------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_GENERATE_H
#define QUERN_RUNTIME_LLM_GENERATE_H

#include "runtime/llm/Engine.h"
#include "runtime/llm/Guesser.h"
#include "runtime/llm/Sampler.h"

namespace quern::runtime {

/// What takes the new tokens of a text one by one. An error ends the text.
class TokenSink {
public:
  virtual ~TokenSink() = default;
  virtual Result<void> take(int32_t token) = 0;
};

/// How a text came about.
struct TextSteps {
  /// Tokens of the prompt that were not read, since a text before or beside it began with them.
  int64_t known = 0;
  /// Steps that gave tokens of it.
  int64_t steps = 0;
  /// How many of its guesses of depth 1, 2, … held.
  std::vector<int64_t> accepted;
};

/// How texts are continued. What they hold depends on `typical` alone.
struct GenerateOptions {
  /// While a prompt is read, tokens of other texts come at most 1 + `slack` times as late as without, as far as the
  /// steps before show; on average only, where that is too little for a piece of a prompt. None: a piece takes what
  /// there is room for.
  std::optional<double> slack;
  /// Null: nothing is guessed.
  Guesser *guesser = nullptr;
  /// None: a guess holds where it is what is chosen.
  std::optional<TypicalAcceptance> typical;
};

/// A text to be continued.
struct Continuation {
  /// The prompt, at least one token; new tokens are appended.
  std::vector<int32_t> tokens;
  Sampler sampler;
  TokenSink *sink;
  /// New tokens at most.
  int64_t newTokens = 0;
  TextSteps steps = {};
};

/// Continues each of `texts`, as many at a time as `engine` has sequences and pages for, and gives its new tokens to
/// its sink, each as soon as it is known. The caller has made sure that each text fits into the context. A text ends
/// with one of `stopTokens`, which is its last; the last new token is not fed. Steps hold the next tokens of all that
/// are written, each with guesses of what follows it, and a piece of one prompt, without what texts before or beside it
/// began with. A text is the same with guesses as without: each token is chosen from the logits behind those before it,
/// by the same random numbers.
Result<void> generate(Engine &engine, std::span<Continuation> texts, std::span<const int32_t> stopTokens,
                      const GenerateOptions &options = {});

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_GENERATE_H
