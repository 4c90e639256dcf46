//===- LanguageModel.h - the steps of a causal language model ----------------------------------===//

#ifndef QUERN_RUNTIME_LLM_LANGUAGEMODEL_H
#define QUERN_RUNTIME_LLM_LANGUAGEMODEL_H

#include "quern/Runtime.h"
#include "runtime/llm/Signature.h"

namespace quern::runtime {

/// Feeds one sequence of tokens to the language-model entry of a session: token i stands at position i and writes cache
/// row i. Its buffers are made once, so that a step allocates nothing of the size of the vocabulary.
class LanguageModel {
public:
  /// The session's first entry of that form. `session` outlives the model. A step takes at most `batch` tokens, and at
  /// most the entry's bound, which is also the default.
  static Result<LanguageModel> create(Session &session, std::optional<int64_t> batch);

  int64_t getVocabSize() const { return signature.vocabSize; }
  /// How many tokens the states hold.
  int64_t getContextSize() const { return contextSize; }

  /// Tokens fed so far.
  int64_t getPosition() const { return position; }
  /// Forgets the tokens from `newPosition` on.
  void rewind(int64_t newPosition) { position = newPosition; }

  /// Feeds `tokens`, at least one, after those before: the logits after the last of them, [vocabulary], valid until the
  /// next call. Refused when they do not fit into the states.
  Result<std::span<const float>> feed(std::span<const int32_t> tokens);

  /// Feeds the next tokens of `tokens` in one step, as many as a step takes: their number. The logits of all of them,
  /// [number, vocabulary], follow from `getLogits`.
  Result<int64_t> feedForAllLogits(std::span<const int32_t> tokens);
  std::span<const float> getLogits(int64_t rows) const {
    return logits.get<float>().first(static_cast<size_t>(rows * signature.vocabSize));
  }

private:
  LanguageModel(Session &session, uint32_t entry, const LanguageModelSignature &signature);
  Result<void> step(std::span<const int32_t> tokens, int64_t firstWanted);

  Session *session;
  uint32_t entry;
  LanguageModelSignature signature;
  int64_t contextSize = 0;
  int64_t maxTokens = 0;
  int64_t maxWanted = 0;
  int64_t position = 0;
  /// i32[s], i32[s, 2], i32[r], f32[r, vocabulary] at their largest; a step uses the front.
  Tensor tokenValues, positionValues, wantedValues, logits;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_LANGUAGEMODEL_H
