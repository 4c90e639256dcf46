/// A model whose programs are written by hand, so that the runtime can be tested without the compiler.
///
/// `forward` is a language model over 320 tokens with a context of 600 and steps of at most 8 tokens; it has programs
/// for one token and for two. Its state keeps the tokens. After a sequence's tokens t_0 … t_p the largest logit is
/// that of
///
///   next = (7 t_p + 3 Σ t_i + 5 (p + 1)) mod 320,   logit[v] = -((v - next) mod 320) / 16 + weight[v]
///
/// where all weights are 0. `scale` gives x · factor for f32[n, 4] and f32[1], computed on the pool with scratch
/// memory; a negative factor makes it fail. `pick` gives x[i] for f32[10] and indices.
#ifndef QUERN_TEST_UNIT_RUNTIME_TOYMODEL_H
#define QUERN_TEST_UNIT_RUNTIME_TOYMODEL_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace quern::test {

inline constexpr int32_t toyVocab = 320;
inline constexpr int32_t toyContext = 600;
inline constexpr int32_t toyStep = 8;
inline constexpr uint64_t toyWeightsBytes = 4 * toyVocab;

/// The description that `quern_description` holds.
std::string_view getToyDescription();

/// The token that follows `tokens`, by the formula above.
int32_t predictToy(std::span<const int32_t> tokens);

/// How many programs have run, and how many of them were the one for single tokens, and for two.
struct ToyCounts {
  int programs = 0;
  int single = 0;
  int pairs = 0;
};
ToyCounts getToyCounts();

} // namespace quern::test

#endif
