//===- GuessPolicy.h - how many tokens are guessed ------------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_GUESSPOLICY_H
#define QUERN_RUNTIME_LLM_GUESSPOLICY_H

#include "runtime/llm/TokenTree.h"

#include <array>

namespace quern::runtime {

/// Chooses how many tokens are guessed, so that the most tokens per second are to be expected: from how long steps of
/// so many rows took, guesses included, and how often a guess held behind guesses that did. What is not known to pay
/// is tried, the more seldom the longer it did not, and only where what all guesses cost so far, less what they gave,
/// stays within a quarter of a step and 1.5 % of the time; beyond that nothing is guessed. What texts hold does not
/// depend on it.
class GuessPolicy {
public:
  /// Guesses of `most` tokens at a time at most; of any fewer, too, if `hasSizes`, and of the first one alone if not.
  GuessPolicy(size_t most, bool hasSizes) : most(most), hasSizes(hasSizes) {}

  /// How many tokens to guess of each of `texts` texts that share a step.
  size_t chooseCount(size_t texts);
  /// A step of `rows` rows, all of texts that are written, took so long with its guesses.
  void noteStep(size_t rows, double seconds);
  /// Of a tree with guesses up to the depth `depth`, those to the depth `held` held.
  void noteGuesses(int depth, int held);

private:
  /// How often a guess holds where those before hold; below 0: not known.
  struct Odds {
    double mean = -1;
    int samples = 0;

    bool isKnown() const { return mean >= 0; }
    /// A guess held, or not; without any before, `prior` was expected.
    void note(bool held, double prior, bool isTrial);
  };
  /// How long a step takes; 0: not known.
  struct StepTime {
    double mean = 0;
    int samples = 0;
  };

  bool takesTree(size_t count) const { return !hasSizes && count > 1; }
  bool affords(size_t count) const;
  size_t chooseTrial() const;
  double getSeconds(size_t rows) const;
  double getRate(size_t count) const;

  /// Steps of more rows are as those of so many.
  static constexpr size_t maxRows = 512;
  static constexpr int firstInterval = 16, lastInterval = 1024, treeInterval = 256;
  static constexpr size_t trialCount = 4;

  size_t most;
  bool hasSizes;
  /// By the rows of a step.
  std::array<StepTime, maxRows + 1> times = {};
  /// Of depth 1 + i; of a tree, that one of its guesses holds.
  std::array<Odds, maxTreeTokens> odds = {};
  /// Of the first guess of a tree alone.
  Odds first;
  /// Of the last choice.
  size_t texts = 1, count = 0;
  /// Steps since the last guess, and how many there are to be before the next; steps since the last whole tree.
  int skipped = 0, interval = firstInterval, withoutTree = 0;
  /// The last guess was not expected to pay.
  bool isTrial = false;
  /// Seconds: of all steps; how much longer they took for guesses, less what those that held were worth.
  double total = 0, lost = 0;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_GUESSPOLICY_H
