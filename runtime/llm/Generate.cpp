//===- Generate.cpp - continues a sequence of tokens -------------------------------------------===//

#include "runtime/llm/Generate.h"

#include <algorithm>

namespace quern::runtime {

Result<void> generate(LanguageModel &model, Sampler &sampler, std::span<const int32_t> prompt,
                      const GenerateLimits &limits, TokenSink &sink) {
  if (limits.newTokens < 1)
    return {};
  std::vector<int32_t> context(prompt.begin(), prompt.end());
  size_t fed = 0;
  for (int64_t made = 0; made < limits.newTokens; ++made) {
    Result<std::span<const float>> logits =
        model.feed(std::span<const int32_t>(context).subspan(fed));
    if (!logits)
      return logits.error();
    fed = context.size();
    Result<int32_t> token = sampler.sample(*logits, context);
    if (!token)
      return token.error();
    context.push_back(*token);
    if (Result<void> taken = sink.take(*token); !taken)
      return taken;
    if (std::find(limits.stopTokens.begin(), limits.stopTokens.end(), *token) !=
        limits.stopTokens.end())
      break;
  }
  return {};
}

} // namespace quern::runtime
