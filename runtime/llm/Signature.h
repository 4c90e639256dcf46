//===- Signature.h - what makes an entry a causal language model -------------------------------===//

#ifndef QUERN_RUNTIME_LLM_SIGNATURE_H
#define QUERN_RUNTIME_LLM_SIGNATURE_H

#include "quern/Runtime.h"

namespace quern::runtime {

/// An entry of the form (i32[s], position[s], i32[r]) -> f32[r, vocabulary]: the tokens of one step, their positions,
/// and which of the step's rows logits are wanted of. Behind the logits f32[r, hidden] may follow: what guessers read.
/// Its names do not matter.
struct LanguageModelSignature {
  /// Indices of the symbols `s` and `r`.
  uint32_t tokens = 0;
  uint32_t wanted = 0;
  int64_t vocabSize = 0;
  /// 0: there are no such rows.
  int64_t hiddenSize = 0;
};

/// An entry of the form f32[r, hidden] -> i32[r, heads, guesses]: the tokens that each head guesses, the likeliest
/// first.
struct GuesserSignature {
  int64_t hiddenSize = 0;
  int64_t heads = 0;
  int64_t guesses = 0;
  /// Rows at a time at most.
  int64_t maxRows = 0;
};

/// The signature of an entry that has this role, and the form.
std::optional<LanguageModelSignature> matchLanguageModel(const Entry &entry);
std::optional<GuesserSignature> matchGuesser(const Entry &entry);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_SIGNATURE_H
