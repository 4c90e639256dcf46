//===- Generate.h - continues sequences of tokens ----------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_GENERATE_H
#define QUERN_RUNTIME_LLM_GENERATE_H

#include "runtime/llm/Engine.h"
#include "runtime/llm/Sampler.h"

namespace quern::runtime {

/// What takes the new tokens of a text one by one. An error ends the text.
class TokenSink {
public:
  virtual ~TokenSink() = default;
  virtual Result<void> take(int32_t token) = 0;
};

/// A text to be continued.
struct Continuation {
  /// The prompt, at least one token; new tokens are appended.
  std::vector<int32_t> tokens;
  Sampler sampler;
  TokenSink *sink;
  /// New tokens at most.
  int64_t newTokens = 0;
};

/// Continues each of `texts`, as many at a time as `engine` has sequences, and gives its new tokens to its sink, each
/// as soon as it is known. The caller has made sure that each text fits into the context. A text ends with one of
/// `stopTokens`, which is its last; the last new token is not fed. Steps hold the next tokens of all that are written,
/// and a piece of one prompt: what there is room for, or so much of it that the others come at most 1 + `slack` times
/// as late as without, as far as the steps before show.
Result<void> generate(Engine &engine, std::span<Continuation> texts, std::span<const int32_t> stopTokens,
                      std::optional<double> slack = std::nullopt);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_GENERATE_H
