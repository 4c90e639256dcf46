//===- LanguageModel.h - the steps of a causal language model ----------------------------------===//

#ifndef QUERN_RUNTIME_LLM_LANGUAGEMODEL_H
#define QUERN_RUNTIME_LLM_LANGUAGEMODEL_H

#include "quern/Positions.h"
#include "quern/Runtime.h"
#include "runtime/llm/Signature.h"

namespace quern::runtime {

/// A token and the sequence that it continues.
struct NextToken {
  int64_t sequence = 0;
  int32_t token = 0;
};

/// Feeds sequences of tokens to the language-model entry of a session. Each has rows of the states of its own, and its
/// results do not depend on the others: token i of a sequence stands at position i and writes the i-th of its rows. The
/// buffers are made once, so that a step allocates nothing of the size of the vocabulary.
class LanguageModel {
public:
  /// The session's first entry of that form. `session` outlives the model. A step takes at most `batch` tokens, and at
  /// most the entry's bound, which is also the default. `sequences` of them share the states evenly.
  static Result<LanguageModel> create(Session &session, std::optional<int64_t> batch, int64_t sequences = 1);

  int64_t getVocabSize() const { return signature.vocabSize; }
  /// How many tokens a sequence may have.
  int64_t getContextSize() const { return contextSize; }
  int64_t getSequenceCount() const { return static_cast<int64_t>(positions.size()); }

  /// Tokens of a sequence fed so far.
  int64_t getPosition(int64_t sequence = 0) const { return positions[static_cast<size_t>(sequence)]; }
  /// Forgets the tokens of a sequence from `newPosition` on.
  void rewind(int64_t newPosition, int64_t sequence = 0) { positions[static_cast<size_t>(sequence)] = newPosition; }

  /// Feeds `tokens`, at least one, after those before: the logits after the last of them, [vocabulary], valid until the
  /// next call. Refused when they do not fit into the states.
  Result<std::span<const float>> feed(std::span<const int32_t> tokens, int64_t sequence = 0);

  /// Feeds sequences, each at most once in `next`, their next tokens in one step, as many as a step takes: their
  /// number. The logits after each of them, [number, vocabulary], follow from `getLogits`.
  Result<int64_t> feedEach(std::span<const NextToken> next);

  /// Feeds the next tokens of `tokens` to the first sequence in one step, as many as a step takes: their number. The
  /// logits of all of them, [number, vocabulary], follow from `getLogits`.
  Result<int64_t> feedForAllLogits(std::span<const int32_t> tokens);
  std::span<const float> getLogits(int64_t rows) const {
    return logits.get<float>().first(static_cast<size_t>(rows * signature.vocabSize));
  }

private:
  LanguageModel(Session &session, uint32_t entry, const LanguageModelSignature &signature);
  Result<void> checkRoom(int64_t sequence, int64_t count) const;
  void place(int64_t row, int32_t token, int64_t sequence, int64_t position);
  Result<void> step(std::span<const int32_t> tokens, int64_t sequence, int64_t firstWanted);
  Result<void> run(int64_t count, int64_t firstWanted, int64_t ownRows);
  Result<void> checkLogits(int64_t firstWanted, std::span<const float> values) const;

  Session *session;
  uint32_t entry;
  LanguageModelSignature signature;
  int64_t contextSize = 0;
  int64_t maxTokens = 0;
  int64_t maxWanted = 0;
  /// Tokens of each sequence fed so far.
  std::vector<int64_t> positions;
  /// The numbers of tokens, ascending, that the target has a program for that gives the logits of all of them.
  std::vector<int64_t> batches;
  /// i32[s], one per token, i32[r], f32[r, vocabulary] at their largest; a step uses the front.
  Tensor tokenValues, wantedValues, logits;
  std::vector<QuernPosition> positionValues;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_LANGUAGEMODEL_H
