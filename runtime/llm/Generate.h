//===- Generate.h - continues a sequence of tokens ---------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_GENERATE_H
#define QUERN_RUNTIME_LLM_GENERATE_H

#include "runtime/llm/LanguageModel.h"
#include "runtime/llm/Sampler.h"

namespace quern::runtime {

/// How long a text becomes.
struct GenerateLimits {
  /// New tokens at most.
  int64_t newTokens = 0;
  /// Tokens that end the text; the one that does is the last of the new tokens.
  std::span<const int32_t> stopTokens;
};

/// What takes the new tokens one by one. An error ends the text.
class TokenSink {
public:
  virtual ~TokenSink() = default;
  virtual Result<void> take(int32_t token) = 0;
};

/// Feeds `prompt`, at least one token, to `model` and gives the tokens that follow to `sink`, each as soon as it is
/// known. The caller has made sure that they fit into the context. The last new token is not fed.
Result<void> generate(LanguageModel &model, Sampler &sampler, std::span<const int32_t> prompt,
                      const GenerateLimits &limits, TokenSink &sink);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_GENERATE_H
