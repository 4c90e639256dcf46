//===- Sampler.h - chooses the next token ------------------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_SAMPLER_H
#define QUERN_RUNTIME_LLM_SAMPLER_H

#include "quern/Result.h"
#include "runtime/llm/TokenTree.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace quern::runtime {

/// xorshift64* (Vigna 2016), as llama2.c uses it: the same seed gives the same numbers there and here.
class RandomGenerator {
public:
  /// The state must not be 0; the seed 0 stands for 2^64 / golden ratio.
  explicit RandomGenerator(uint64_t seed) : state(seed ? seed : 0x9e3779b97f4a7c15) {}

  uint32_t nextInteger() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return static_cast<uint32_t>((state * 0x2545f4914f6cdd1d) >> 32);
  }
  /// In [0, 1), a multiple of 2^-24.
  float nextFloat() { return static_cast<float>(nextInteger() >> 8) / 16777216.0f; }

private:
  uint64_t state;
};

/// How tokens are chosen. Each rule at its default does nothing.
struct SamplerOptions {
  /// Take the largest logit; of equal ones the token with the lowest id.
  bool isGreedy = true;
  /// Logits are divided by it before they become probabilities; above 0.
  float temperature = 1.0f;
  /// Only the k largest logits; 0 for all.
  int64_t topK = 0;
  /// Only the smallest set of likeliest tokens whose probability exceeds it.
  float topP = 1.0f;
  /// Only tokens at least this share as likely as the likeliest.
  float minP = 0.0f;
  /// Logits of tokens in the context are divided by it when positive and multiplied when negative (Keskar et al. 2019).
  float repetitionPenalty = 1.0f;
  uint64_t seed = 0;
};

/// What makes a guess hold where tokens are sampled: that it is likely enough, more than
/// min(epsilon, delta · exp(-H)), where H is the entropy of the probabilities (Cai et al. 2024, section 3.3.1).
struct TypicalAcceptance {
  float epsilon = 0.09f, delta = 0.3f;
};

/// A token that can be chosen, and how likely it is.
struct Candidate {
  float logit;
  float probability;
  int32_t token;
};

/// Chooses tokens from logits, in stages of which each takes what the one before gives (Sampler.cpp lists their rules):
/// rules of logits (repetition penalty), the largest of which is the choice where tokens are not drawn; rules of
/// candidates (top-k, temperature, top-p, min-p), none of which takes the likeliest away; the draw. A logit that is not
/// a number is never chosen.
class Sampler {
public:
  explicit Sampler(const SamplerOptions &options);

  /// The next token after `context`. Refused when no logit is a number above minus infinity.
  Result<int32_t> sample(std::span<const float> logits, std::span<const int32_t> context);

  /// The path of `tree`, from its root on, that is accepted by probabilities at the sampler's temperature alone: the
  /// longest whose tokens are all likely enough; of those the likeliest, then the first. `getLogits(node)` are the
  /// logits behind a token.
  std::vector<int32_t> acceptTypical(const TokenTree &tree, const TypicalAcceptance &acceptance,
                                     const std::function<std::span<const float>(int32_t node)> &getLogits) const;

private:
  SamplerOptions options;
  RandomGenerator random;
  /// What each rule of logits makes, [rule, vocabulary], and the candidates: kept from one token to the next for their
  /// memory.
  std::vector<std::vector<float>> rows;
  std::vector<Candidate> candidates;
};

/// The index of the largest number, the first of equals; -1 when there is none above minus infinity.
int32_t findLargest(std::span<const float> logits);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_SAMPLER_H
