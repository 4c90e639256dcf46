//===- GuessPolicy.h - how many tokens are guessed ------------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_GUESSPOLICY_H
#define QUERN_RUNTIME_LLM_GUESSPOLICY_H

#include "runtime/llm/TokenTree.h"

#include <array>

namespace quern::runtime {

/// Chooses how many tokens are guessed, so that the most tokens per second are to be expected: from how long steps of
/// so many rows took, and how often a guess held behind guesses that did. Where none pays it tries again from time to
/// time, the more seldom the longer it did not: what that costs is within 2 % of the steps. What texts hold does not
/// depend on it.
class GuessPolicy {
public:
  /// Guesses of `most` tokens at a time at most; of fewer, too, if `hasSizes`.
  GuessPolicy(size_t most, bool hasSizes);

  /// How many tokens to guess of each of `texts` texts that share a step.
  size_t chooseCount(size_t texts);
  /// A step of `rows` rows, all of texts that are written, took so long.
  void noteStep(size_t rows, double seconds);
  /// Of a tree with guesses up to the depth `depth`, those to the depth `held` held.
  void noteGuesses(int depth, int held);

private:
  double getSeconds(size_t rows) const;
  double getRate(size_t count, size_t texts) const;

  /// Steps of more rows are as those of so many.
  static constexpr size_t maxRows = 512;
  static constexpr int firstInterval = 64, lastInterval = 1024;
  static constexpr size_t trialCount = 4;

  size_t most;
  bool hasSizes;
  /// Seconds of a step by its rows; 0: not known.
  std::array<double, maxRows + 1> seconds = {};
  /// How often a guess of depth 1 + i holds where those before hold; below 0: not known.
  std::array<double, maxTreeTokens> odds;
  /// Steps since the last guess, and how many there are to be before the next.
  int skipped = 0, interval = firstInterval;
  /// The last guess was not expected to pay.
  bool isTrial = false;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_GUESSPOLICY_H
